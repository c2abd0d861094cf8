"""Each `code` that the server answers: what it says, what a client does then, and at which operations it may come.

tests/openapi.py holds the answers of all tests to this table; docs/errors.md is made of it.
"""

from billing.gateway import interface as payments
from billing.ledger import MoneyReserved
from billing.refused_cards import CardsRefusedTooOften
from billing.top_ups import PaymentInProgress
from billing.webhook import EventNotApplied
from core.preconditions import CHANGED, PreconditionFailed
from core.throttle import TooManyRequests
from core.vendors import NotConfigured
from groups import services as groups
from groups.invitations.services import TooManyLinks
from groups.live.views import TooManyStreams
from groups.notifications.channels import ChannelRefused, ChannelUnavailable
from uploads import images
from uploads.storage import StorageUnavailable
from users import idempotency
from users.api.permissions import NotSignedUp
from users.client_identity import AccountDisabled
from users.services import HasHistory
from users.sign_in import binding, tokens
from users.sign_in.tickets import TicketInvalid
from users.verification import interface as codes
from voice.calls import GroupHasChanged, NotEnoughCredit
from voice.captions.messages import NoCall
from voice.hosting.muting import NotOnCall
from voice.ringing import starting as ringing
from voicechat import database_errors as database
from voicechat.api_docs.refusal import Refusal, Where, raised

AT_CARDS = ("POST /api/billing/attachSourceToCustomer", "POST /api/billing/update*")
AT_PAYMENTS = ("POST /api/billing/addMoney", "POST /api/billing/createCharge")
AT_STRIPE = (*AT_CARDS, *AT_PAYMENTS, "POST /api/billing/retrieve*", "POST /api/billing/userStripeCharges")
AT_STRIPES_WEBHOOK = "POST /api/billing/stripeWebhook"
AT_CODES = "POST /api/users/{user_id}/phoneVerification"
AT_THE_CODE = "POST /api/users/{user_id}/phoneVerification/check"
AT_DEVICES = ("/api/voice/register*", "/api/voice/send*")
AT_LINKS = "POST /api/groups/{group_id}/invitationLinks"
AT_RING = "POST /api/groups/{group_id}/ring"
AT_MUTING = "PUT /api/groups/{group_id}/callParticipants/{user_id}"
AT_CAPTIONS = "PUT /api/groups/{group_id}/captions"
AT_UPLOAD = "POST /api/upload"
SHOW = "Show the sentence: the same again is refused again."
LATER = "Repeat it after as many seconds as `Retry-After` says, and with some chance added."
SIGN_IN = "Have the person sign in, and send the new token."


def down(what: database.Unavailable, do: str, *at: str) -> Refusal:
    return Refusal(503, what.code, what.detail, do, at)


REFUSALS = (
    # 400: what was sent is wrong
    Refusal(
        400,
        "invalid",
        "name: This field is required.",
        "Put each message of `errors` beside its `field`; what is sent must change.",
        (Where.EVERYWHERE,),
    ),
    Refusal(
        400,
        "parse_error",
        "The body is not the JSON that its Content-Type says.",
        "A fault of the client: the body is not what its `Content-Type` says.",
        (Where.CHANGES, "GET /api/voice/makeCall"),
    ),
    Refusal(
        400,
        "bad_request",
        "The request cannot be read.",
        "A fault of the client or of what is between: look at the request's head.",
        (Where.EVERYWHERE,),
    ),
    raised(codes.CodeWrong, "Ask for the code once more: five times it may be wrong.", AT_THE_CODE),
    raised(codes.NumberRefused, "Ask for another number.", AT_CODES),
    raised(codes.NoTextMessages, "Send the same with `channel` `call`.", AT_CODES),
    raised(codes.NumberBlocked, SHOW, AT_CODES),
    raised(ringing.NotAMember, "Read the group's people again, and leave out who is none of them.", AT_RING),
    raised(
        payments.UnusableSource,
        "Have the card entered again.",
        *AT_CARDS,
        *AT_PAYMENTS,
        says="This is no card, or it cannot be used again. Enter it again.",
    ),
    raised(
        payments.SignatureVerificationError,
        "A webhook's: look whether `STRIPE_WEBHOOK_SECRET` is that of this address.",
        AT_STRIPES_WEBHOOK,
        says="This is not signed by Stripe.",
    ),
    raised(images.BrokenImage, SHOW, AT_UPLOAD),
    raised(ChannelRefused, "Get a new address from the device's system, and register that.", *AT_DEVICES),
    # 401: who is it?
    Refusal(
        401,
        "not_authenticated",
        "Authentication credentials were not provided.",
        "Send `Authorization: Bearer <token>`.",
        (Where.TOKEN,),
    ),
    raised(tokens.TokenInvalid, SIGN_IN, Where.TOKEN),
    raised(tokens.TokenExpired, "Get a new token (a refresh token, silently), and repeat the request.", Where.TOKEN),
    raised(TicketInvalid, "Get another by `POST /api/live/tickets`, for each connection.", "GET /api/live"),
    # 402: money
    raised(payments.CardDeclined, "Show the bank's sentence, and offer another card.", *AT_STRIPE),
    raised(payments.NoCard, "Have a card entered: `POST /api/billing/updateCreditCard`.", *AT_STRIPE),
    raised(NotEnoughCredit, "Offer the group's owner to add money.", AT_RING, AT_CAPTIONS),
    # 403: not this person
    Refusal(403, "permission_denied", "You may not do this.", "Do not offer it to this person.", (Where.EVERYWHERE,)),
    raised(NotSignedUp, "`POST /api/users` with the token's e-mail, then repeat it.", Where.TOKEN),
    raised(AccountDisabled, SHOW, Where.TOKEN),
    raised(binding.EmailNotVerified, "Show it; after the link was opened a new token is needed.", Where.TOKEN),
    raised(binding.OtherSignInBound, SHOW, Where.TOKEN),
    raised(binding.EmailMismatch, "Send the e-mail that stands in the token.", "POST /api/users"),
    Refusal(
        403,
        "signature_invalid",
        "This is not signed by Twilio.",
        "A webhook's: look at `AUTH_TOKEN`, and whether `PUBLIC_URL` is what Twilio calls.",
        (Where.TWILIO,),
    ),
    # 404, 405, 408: nothing there
    Refusal(
        404,
        "not_found",
        "There is nothing here, or nothing that you may see.",
        "Take it off the page. After a DELETE it means that it is done.",
        (Where.EVERYWHERE,),
    ),
    raised(payments.CustomerGone, "As the sentence says: load the person again.", *AT_STRIPE),
    raised(payments.UnknownSource, "Have the card entered again.", *AT_STRIPE),
    Refusal(
        405,
        "method_not_allowed",
        'Method "PATCH" not allowed.',
        "A fault of the client: `Allow` names the methods. There is no PATCH; PUT changes what is sent.",
        (Where.EVERYWHERE,),
    ),
    Refusal(
        408,
        "request_timeout",
        "Nothing of the body came for 30 seconds.",
        "Nothing was done: repeat it on a new connection.",
        (Where.AT_THE_DOOR,),
    ),
    # 409: not as things stand
    Refusal(
        409,
        "conflict",
        "What this needs was changed or deleted at the same moment. Try again.",
        "Read again what it is about, and repeat it.",
        (Where.CHANGES,),
    ),
    raised(groups.LastOwner, "Offer to make somebody an owner, or to delete the group.", "DELETE /api/groups/*"),
    raised(groups.NotAMember, "Offer to invite the person.", "POST /api/groups/{group_id}/groupOwners"),
    raised(groups.TooManyGroups, SHOW, "POST /api/groups", "POST /api/groups/{group_id}/groupOwners"),
    raised(groups.TooManyInvitations, SHOW, "POST /api/groups/{group_id}/groupInvitees"),
    raised(TooManyLinks, "Show the links, so that some can be deleted.", AT_LINKS),
    raised(NoCall, "Offer to ring somebody.", "POST /api/groups/{group_id}/spokenMessages"),
    raised(NotOnCall, "Read the call again: this person has left it.", AT_MUTING),
    raised(GroupHasChanged, "Repeat it.", AT_RING, AT_CAPTIONS),
    raised(HasHistory, SHOW, "DELETE /api/users/{user_id}"),
    raised(MoneyReserved, SHOW, "PUT /api/users/{user_id}/accountBalance"),
    raised(PaymentInProgress, "Wait, and read the balance: send no other payment meanwhile.", *AT_PAYMENTS),
    raised(idempotency.RequestInProgress, "Repeat it with the same key, as `Retry-After` says.", Where.KEYED),
    # 410, 412, 413, 414, 415, 422
    raised(codes.CodeExpired, "Offer to send another code.", AT_THE_CODE),
    raised(
        PreconditionFailed,
        "Read it again, show what stands there now, and ask whether to change it still.",
        Where.CONDITIONAL,
        says=CHANGED,
    ),
    Refusal(
        413,
        "body_too_large",
        "The body is larger than 1024 KiB.",
        "Send less. A photo: make it smaller first.",
        (Where.EVERYWHERE,),
    ),
    raised(images.ImageTooLarge, "Make the photo smaller, and send it again.", AT_UPLOAD),
    Refusal(
        414,
        "target_too_long",
        "The address is longer than 8190 bytes.",
        "A fault of the client: put into the body what is long.",
        (Where.AT_THE_DOOR,),
    ),
    Refusal(
        415,
        "unsupported_media_type",
        'Unsupported media type "text/plain" in request.',
        "A fault of the client: send one of the content types that the operation names.",
        (Where.CHANGES, "GET /api/voice/makeCall"),
    ),
    Refusal(
        415,
        "unsupported_charset",
        "Send text as UTF-8.",
        "A fault of the client: leave `charset` out of `Content-Type`.",
        (Where.EVERYWHERE,),
    ),
    Refusal(
        415,
        "unsupported_encoding",
        "Send the body uncompressed.",
        "A fault of the client: send no `Content-Encoding`.",
        (Where.EVERYWHERE,),
    ),
    raised(images.NotAnImage, "Show the sentence, which says how to send a JPEG.", AT_UPLOAD),
    raised(idempotency.KeyReused, "A fault of the client: make a key for each thing that is wanted.", Where.KEYED),
    # 429: too often
    raised(TooManyRequests, LATER, Where.LIMITED, says="That was too often. Try again in 30 seconds."),
    raised(CardsRefusedTooOften, "Show it, and offer no card until `Retry-After` is over.", *AT_CARDS, *AT_PAYMENTS),
    raised(TooManyStreams, "Close a stream: one without `groupId` follows everything.", "GET /api/live"),
    raised(codes.SentTooOften, "Show when another can be sent, by `Retry-After`.", AT_CODES),
    # 500, 502, 503, 504: not now
    Refusal(
        500,
        "server_error",
        "Something went wrong on our side. It has been logged.",
        "Show it with `X-Request-Id`, by which the operators find it. A GET may be repeated in a minute.",
        (Where.EVERYWHERE,),
    ),
    Refusal(
        502,
        "server_unavailable",
        "The server does not answer. Try again.",
        "The proxy's. Repeat a GET; of what changes something nobody knows whether it was done.",
        (Where.AT_THE_DOOR,),
    ),
    down(database.SILENT, LATER, Where.EVERYWHERE),
    down(database.READ_ONLY, f"Nothing was changed; reads go on. {LATER}", Where.EVERYWHERE),
    down(database.NO_ROOM, f"Nothing was changed; reads go on. {LATER}", Where.EVERYWHERE),
    down(database.NOT_MIGRATED, "The operators must run the migrations.", Where.EVERYWHERE),
    Refusal(
        503,
        "issuer_unreachable",
        "Sign-ins cannot be checked, because their issuer does not answer. Try again in a moment.",
        LATER,
        (Where.TOKEN,),
    ),
    raised(
        NotConfigured,
        "Do not offer it here: the operators have not set it up, and the sentence names what is missing.",
        Where.CHANGES,
        "GET /api/voice/*",
        says="SMS are not sent here.",
    ),
    raised(
        payments.PaymentsUnavailable,
        "Repeat it with the same `Idempotency-Key`, as `Retry-After` says.",
        *AT_STRIPE,
        AT_STRIPES_WEBHOOK,
    ),
    raised(payments.PaymentsMisconfigured, "Show it: the operators know, and it takes them a while.", *AT_STRIPE),
    raised(
        EventNotApplied,
        "A webhook's: Stripe sends it again by itself.",
        AT_STRIPES_WEBHOOK,
        says="This event cannot be applied yet.",
    ),
    raised(ChannelUnavailable, LATER, *AT_DEVICES, AT_MUTING),
    raised(codes.VerificationUnavailable, LATER, "POST /api/users/{user_id}/phoneVerification*"),
    raised(images.UploadsBusy, LATER, AT_UPLOAD),
    raised(StorageUnavailable, LATER, AT_UPLOAD),
    Refusal(
        504,
        "server_late",
        "The server did not answer in time. What was asked for may have been done.",
        "The proxy's. Repeat a GET; of anything else read first what stands there now.",
        (Where.AT_THE_DOOR,),
    ),
)

ELSEWHERE = {
    "again": "a form of the admin",
    "refund_refused": "a form of the admin",
    "captions_refused": "a job, and stands among the activities",
    "mail_refused": "a job, and is seen in the admin",
    "mail_unavailable": "a job, which is tried again",
    "sms_refused": "a job, and is seen in the admin",
    "sms_opted_out": "a job, and is seen in the admin",
    "sms_unavailable": "a job, which is tried again",
    "authentication_failed": "nobody: `token_invalid` is said in its place",
    "not_acceptable": "nobody: whatever is accepted, the answer is what the document says",
    "error": "a job, for the operators",
}
"""Codes of exceptions that no client meets, and who does."""
