"""What the OpenAPI document says of the whole: where the server is, what its parts are, and what webhooks are."""

from typing import Any

from django.conf import settings

WEBHOOKS = {
    "name": "Webhooks",
    "description": """\
What Twilio and Stripe ask and tell. An app calls none of them. They take no token: each is let in by its
sender's signature alone.

**Twilio** signs in `X-Twilio-Signature`: HMAC-SHA1, by the account's auth token, of the whole address, as it
stands in `PUBLIC_URL`, and behind it each field of the form, name and value, sorted by name
(https://www.twilio.com/docs/usage/security). What it posts is a form. What it asks is answered by TwiML,
whatever fails, refusals too; what it tells by 204, whatever it says. What is not signed so is 403
`signature_invalid`. Twilio adds fields of its own, and new ones come: they are left aside.

**Stripe** signs in `Stripe-Signature`: `t`, the time, and `v1`, HMAC-SHA256 of that time, a full stop and the
body, by `STRIPE_WEBHOOK_SECRET` (https://docs.stripe.com/webhooks/signature). What it posts is JSON. What is
not signed so, or is more than five minutes old, is 400 `signature_invalid`.

What fails is sent again by both, and what comes twice is applied once.""",
}
TAGS = [
    {"name": "Users", "description": "People: who they are, what they have, and how they are told."},
    {
        "name": "Groups",
        "description": "Who talks with whom; each group's call, its activities and its lists of people.",
    },
    {"name": "Voice", "description": "What an app needs to call and to be called."},
    {"name": "Billing", "description": "Cards, payments, and what calls cost."},
    {"name": "Upload", "description": "Pictures."},
    {"name": "Live", "description": "What changes, as it happens: docs/live.md."},
    WEBHOOKS,
]
SIGNATURES = ("X-Twilio-Signature", "Stripe-Signature")
LICENSE = {"name": "MIT", "url": "https://opensource.org/license/mit"}


def describe_the_whole(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    result["servers"] = [{"url": settings.PUBLIC_URL, "description": "This server."}]
    result["tags"] = TAGS
    result["info"]["license"] = LICENSE
    for operation in (each for operations in result["paths"].values() for each in operations.values()):
        operation.setdefault("security", [])  # said, where nobody need be signed in
        operation.setdefault("description", operation["summary"])
        if any(each["name"] in SIGNATURES for each in operation.get("parameters", ())):
            operation["tags"] = [WEBHOOKS["name"]]
        for answer in operation["responses"].values():
            answer["description"] = answer["description"] or operation["summary"]
    return result
