"""Each `code` that is answered is known to the documents, with what a client does then."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from rest_framework.exceptions import APIException

from tests.openapi import check_code, document
from voicechat.api_docs.errors import MEANING
from voicechat.api_docs.page import as_markdown
from voicechat.api_docs.refusals import ELSEWHERE, REFUSALS

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"
OURS = ("voicechat", "voice", "billing", "groups", "users", "uploads", "core", "rest_framework")


def exceptions(of: type[APIException] = APIException) -> Iterator[type[APIException]]:
    for each in of.__subclasses__():
        if each.__module__.partition(".")[0] in OURS:
            yield each
        yield from exceptions(each)


def test_every_exception_that_can_be_answered_is_in_the_table():
    known = {(each.status, each.code) for each in REFUSALS}
    missing = {
        f"{each.__module__}.{each.__name__} ({each.status_code} {each.default_code})"
        for each in exceptions()
        if (each.status_code, each.default_code) not in known and each.default_code not in ELSEWHERE
    }
    assert not missing, (
        f"{', '.join(sorted(missing))}: say in REFUSALS of voicechat/api_docs/refusals.py what a client does then, and "
        "`at` which operations; or in ELSEWHERE who else meets it."
    )


def test_what_only_others_meet_is_told_to_no_client():
    assert not ELSEWHERE.keys() & {each.code for each in REFUSALS}
    assert ELSEWHERE.keys() <= {each.default_code for each in exceptions()}


def test_each_code_stands_once_and_comes_somewhere():
    assert len({each.name for each in REFUSALS}) == len(REFUSALS)
    named = {
        (int(status), code)
        for operations in document()["paths"].values()
        for operation in operations.values()
        for status, answer in operation["responses"].items()
        for code in answer.get("content", {}).get("application/problem+json", {}).get("examples", ())
    }
    at_no_operation = {(each.status, each.code) for each in REFUSALS} - named
    assert at_no_operation == {
        (408, "request_timeout"),
        (414, "target_too_long"),
        (502, "server_unavailable"),
        (504, "server_late"),
    }
    assert {str(status) for status, _ in named} == MEANING.keys()


def test_each_says_a_sentence_and_what_to_do():
    for each in REFUSALS:
        assert each.do.endswith("."), each
        assert each.says.endswith("."), each
        assert each.says != str(APIException.default_detail), f"{each.name} is raised with words: give some as `says`."


def test_an_answer_with_a_code_that_nobody_is_told_of_fails_the_tests():
    answer = SimpleNamespace(
        status_code=409, content=b'{"code": "brand_new"}', get=lambda *_: "application/problem+json"
    )
    with pytest.raises(AssertionError, match=r"brand_new.*REFUSALS"):
        check_code("GET /api/groups", document()["paths"]["/api/groups"]["get"], answer)


def test_the_page_has_the_tables():
    assert as_markdown() in PAGE.read_text(), "`python -m voicechat.api_docs` prints the tables"
