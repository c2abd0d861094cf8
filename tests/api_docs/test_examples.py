"""Every request and every answer has an example, and each example is what the server says today."""

import json
import os
from typing import Any

from tests.api_docs.examples import KEPT, stories, told_now
from tests.openapi import check_keys, document, validator

METHODS = ("get", "put", "post", "delete")
ADD = "Add a line to tests/api_docs/stories.py, and run `make examples`."


def operations() -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    }


def media(operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What is sent and answered, by what and in which form."""
    asked = {("request", kind): each for kind, each in operation.get("requestBody", {}).get("content", {}).items()}
    answers = {
        (status, kind): each
        for status, answer in operation["responses"].items()
        for kind, each in answer.get("content", {}).items()
    }
    return {**asked, **answers}


def test_each_story_is_answered_as_the_documents_show(tell):
    told = json.loads(json.dumps(told_now(tell)))
    if os.environ.get("EXAMPLES") == "write":
        KEPT.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    kept = json.loads(KEPT.read_text())
    wrong = sorted(route for route in {*kept, *told} if kept.get(route) != told.get(route))
    assert not wrong, f"{', '.join(wrong)}: answered otherwise than the examples show. `make examples` renews them."


def test_each_story_succeeds_as_it_says():
    kept = json.loads(KEPT.read_text())
    assert sorted((each.route, each.status) for each in stories()) == sorted(
        (route, each["status"]) for route, examples in kept.items() for each in examples
    ), "`make examples` renews them."


def test_every_request_and_every_answer_has_an_example():
    missing = {
        f"{name} {place}"
        for name, operation in operations().items()
        for place, each in media(operation).items()
        if not each.get("examples")
    }
    assert not missing, f"There is no example of {missing}. {ADD}"


def test_every_parameter_that_is_no_filter_has_an_example():
    missing = {
        f"{name} {each['name']}"
        for name, operation in operations().items()
        for each in operation.get("parameters", ())
        if (each["in"] != "query" or each.get("required")) and "example" not in each
    }
    assert not missing, (
        f"There is no example of {missing}. {ADD} Of a header: HEADERS in voicechat/api_docs/examples.py."
    )


def test_each_example_is_of_the_shape_that_it_shows():
    shared = document()["components"]["examples"]
    for name, operation in operations().items():
        for (place, kind), each in media(operation).items():
            for example in each["examples"].values():
                value = (shared[example["$ref"].rpartition("/")[2]] if "$ref" in example else example)["value"]
                wrong = [error.message for error in validator(each["schema"]).iter_errors(value)]
                assert not wrong, f"{name}, {place} {kind}: {wrong}"
                if place != "request":
                    check_keys(each["schema"], value)
        for parameter in operation.get("parameters", ()):
            if "example" in parameter:
                assert validator(parameter["schema"]).is_valid(parameter["example"]), f"{name} {parameter['name']}"
