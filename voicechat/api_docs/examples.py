"""An example for every request and every answer, as the server has answered it: tests/api_docs tells its stories anew
in each run, and `make examples` writes `examples.json`."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

KEPT = Path(__file__).parent / "examples.json"
HEADERS = {
    "Idempotency-Key": "6f1b6a3e-3c0d-4f0b-9d55-0a7f3f0f9f5e",
    "If-Match": '"9f86d081884c7d659a2feaa0c55ad015"',
    "If-None-Match": '"9f86d081884c7d659a2feaa0c55ad015"',
    "Stripe-Signature": "t=1796000000,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd",
    "X-Twilio-Signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
}


@cache
def kept() -> dict[str, list[dict[str, Any]]]:
    read: dict[str, list[dict[str, Any]]] = json.loads(KEPT.read_text())
    return read


def describe_examples(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            for example in kept().get(f"{method.upper()} {path}", ()):
                show(operation, example)
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "header" and parameter["name"] in HEADERS:
                    parameter["example"] = HEADERS[parameter["name"]]
    return result


def show(operation: dict[str, Any], example: dict[str, Any]) -> None:
    summary = example["shows"] or operation["summary"]
    name = camel_case(example["shows"]) or "example"
    for parameter in operation.get("parameters", ()):
        if parameter["name"] in example["parameters"]:
            value = example["parameters"][parameter["name"]]
            parameter.setdefault("example", as_sent(value, parameter["schema"]))
    if example["sent"] is not None:
        for media in operation.get("requestBody", {}).get("content", {}).values():
            media.setdefault("examples", {})[name] = {"summary": summary, "value": example["sent"]}
    answer = operation["responses"].get(str(example["status"]), {}).get("content", {}).get(example["kind"])
    if answer is not None:
        answer.setdefault("examples", {})[name] = {"summary": summary, "value": example["answer"]}


def as_sent(text: str, schema: dict[str, Any]) -> Any:
    """A parameter's text as what its schema says it is."""
    match schema.get("type"):
        case "integer":
            return int(text)
        case "array":
            return [as_sent(each, schema["items"]) for each in text.split(",")]
    return text


def camel_case(words: str) -> str:
    found: list[str] = re.findall(r"\w+", words) or [""]
    first, *rest = found
    return first.lower() + "".join(each.capitalize() for each in rest)
