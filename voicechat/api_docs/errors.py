"""Each operation's errors in the OpenAPI document, by their codes."""

from typing import Any

from voicechat.api_docs.refusal import Refusal, Where
from voicechat.api_docs.refusals import REFUSALS

PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `code` is a stable word for programs, `detail` a sentence for people; docs/errors.md "
    "says of each code what to do.",
    "required": ["type", "title", "status", "detail", "code", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/ProblemField"}},
    },
}
PROBLEM_FIELD = {
    "type": "object",
    "required": ["field", "message"],
    "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
}
MEANING = {
    "400": "Something sent is wrong; `errors` names the fields.",
    "401": "Nobody is signed in, or the token is not valid.",
    "402": "The bank refuses the card, or there is not enough credit; `detail` says it in a sentence.",
    "403": "Not allowed, or a webhook that its sender did not sign.",
    "404": "No such thing.",
    "405": "Another method; `Allow` names those that work.",
    "409": "It cannot be done as things stand.",
    "410": "A code that was sent counts no more: ask for a new one.",
    "412": "`If-Match` (or `If-None-Match`) does not hold, and nothing was done.",
    "413": "The body or the image is too large.",
    "415": "Another content type, charset or kind of file.",
    "422": "The Idempotency-Key came with another body, or another payment.",
    "429": "Too often; `Retry-After` says when to try again. Nothing was done.",
    "500": "A fault of ours.",
    "503": "A vendor or the database does not answer; `Retry-After` says when to try again.",
}
RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
HEADERS: dict[str, dict[str, Any]] = {
    "405": {"Allow": {"schema": {"type": "string"}, "description": "The methods that work."}},
    "409": RETRY_AFTER,
    "412": {"ETag": {"schema": {"type": "string"}, "description": "Of what stands there now, if it can be read."}},
    "429": RETRY_AFTER,
    "503": RETRY_AFTER,
}


def describe_errors(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Every operation can fail, always in the one shape; which codes it has, its examples say by their names.

    Operations with the same codes share an answer: written out at each, they would be two thirds of the document.
    """
    components = result.setdefault("components", {})
    components.setdefault("schemas", {}).update({"Problem": PROBLEM, "ProblemField": PROBLEM_FIELD})
    shown, shared = components["examples"], components["responses"] = {}, {}
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            coming = [each for each in REFUSALS if each.comes_at(method, path, operation)]
            for status in sorted({str(each.status) for each in coming}):
                codes = [each for each in coming if str(each.status) == status]
                name = name_of(status, codes)
                shared[name] = described(status, codes)
                shown.update({each.name: example(each) for each in codes})
                operation["responses"][status] = {"$ref": f"#/components/responses/{name}"}
            operation["responses"] = dict(sorted(operation["responses"].items()))
    return result


def example(refusal: Refusal) -> dict[str, Any]:
    return {"summary": refusal.code, "description": refusal.do, "value": refusal.as_problem()}


def name_of(status: str, codes: list[Refusal]) -> str:
    """`Refused409` has the codes that come everywhere, `Refused409LastOwner` one more."""
    more = (each.code for each in codes if Where.EVERYWHERE not in each.at)
    return f"Refused{status}{''.join(word.capitalize() for code in more for word in code.split('_'))}"


def described(status: str, codes: list[Refusal]) -> dict[str, Any]:
    named = {each.code: {"$ref": f"#/components/examples/{each.name}"} for each in codes}
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": named}
    answer: dict[str, Any] = {
        "description": f"{MEANING[status]} `code`: {', '.join(f'`{name}`' for name in named)}.",
        "content": {"application/problem+json": content},
    }
    return {**answer, "headers": HEADERS[status]} if status in HEADERS else answer
