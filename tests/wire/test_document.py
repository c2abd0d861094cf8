"""What the OpenAPI document keeps to, so that clients can be made from it. `make clients` tries six generators.

openapi-generator's clients have one name for `Address` and `address`, raise on what two shapes of a `oneOf` match, and
give no name to what has none. docs/clients.md says which of them were tried.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

LARGEST_INT32 = 2**31 - 1
METHODS = ("get", "put", "post", "delete")
BUILT_IN = set(
    """
    any array blob boolean bytes class codable collection configuration data date decimal dict dictionary double enum
    error exception file float func function int integer interface iterable list long map model none null number object
    optional package promise protocol record request response result self set string struct type undefined unit uuid
    void
""".split()  # noqa: SIM905  # a list of words, one a line, would be longer than the tests
)
"""Of TypeScript, Python, Kotlin, Swift, and of what the generators put beside the models."""
RESERVED = set(
    """
    and as assert async await break case catch class const continue debugger def default defer del delete do elif else
    enum except export extends extension fallthrough false finally for from func function global guard if implements
    import in init inout instanceof interface internal is lambda let new nil none nonlocal not null object operator or
    package pass private protected protocol public raise repeat return self static struct subscript super switch this
    throw throws true try typealias typeof val var void when where while with yield
""".split()  # noqa: SIM905  # as above
)
RENAMED = {"from", "From"}
"""The wire's own names: every generator gives them others in the languages where they are words."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return json.loads(json.dumps(SchemaGenerator().get_schema(request=None, public=True), default=str))


@pytest.fixture
def schemas(document) -> dict[str, Any]:
    return document["components"]["schemas"]


@pytest.fixture
def operations(document) -> list[dict[str, Any]]:
    return [each for path in document["paths"].values() for method, each in path.items() if method in METHODS]


def plain(name: str) -> str:
    """What is left of a name in the language that keeps least of it."""
    return re.sub("[^a-z0-9]", "", name.lower())


def twice(names) -> list[str]:
    return [name for name, count in Counter(map(plain, names)).items() if count > 1]


def nodes(value: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        yield place, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from nodes(each, f"{place}/{key}")


def test_no_two_models_or_operations_have_one_name(schemas, operations):
    assert twice(schemas) == []
    assert twice(operation["operationId"] for operation in operations) == []


def test_no_two_fields_of_a_model_have_one_name(schemas):
    assert {name: found for name, model in schemas.items() if (found := twice(model.get("properties", {})))} == {}


def test_no_two_parameters_of_an_operation_have_one_name(operations):
    """With the body's, which many generators call by its model."""
    for operation in operations:
        named = [parameter["name"] for parameter in operation.get("parameters", ())]
        models = {reference(media) for media in operation.get("requestBody", {}).get("content", {}).values()}
        assert twice([*named, *(model for model in models if model)]) == [], operation["operationId"]


def test_nothing_is_one_of_several_shapes(document):
    """Of which two might match; `allOf` only puts a description or a null beside another schema."""
    for place, node in nodes(document):
        assert not {"oneOf", "anyOf", "not"} & node.keys(), place
        assert len(node.get("allOf", [0])) == 1, place


def test_every_model_and_every_choice_has_a_name(document):
    allowed = re.compile("/components/schemas/[A-Za-z0-9]+")
    for place, node in nodes(document):
        if "enum" in node or "properties" in node:
            assert allowed.fullmatch(place), place


def test_every_body_and_answer_is_of_a_named_model_or_plain(operations):
    for operation in operations:
        answers = [answer.get("content", {}) for answer in operation["responses"].values()]
        for content in [*answers, operation.get("requestBody", {}).get("content", {})]:
            for media in content.values():
                inline = media["schema"].get("items", media["schema"])
                assert "$ref" in inline or "properties" not in inline, operation["operationId"]


def test_no_name_is_a_word_of_a_language(schemas):
    assert {plain(name) for name in schemas} & {*BUILT_IN, *RESERVED} == set()
    fields = {name for model in schemas.values() for name in model.get("properties", {})}
    assert {name for name in fields if name.lower() in RESERVED} == RENAMED
    assert all(re.fullmatch("[A-Za-z][A-Za-z0-9]*", name) for name in [*schemas, *fields])


def test_whole_numbers_say_how_large_they_become(document):
    """A phone number in 32 bits is another one."""
    for place, node in nodes(document):
        if node.get("type") == "integer" and node.get("maximum", LARGEST_INT32 + 1) > LARGEST_INT32:
            assert node.get("format") == "int64", place
        if node.get("type") == "number":
            assert node.get("format") == "double", place


def test_an_operation_has_one_shape_of_success(operations):
    """Generators read the first alone."""
    for operation in operations:
        shapes = {
            json.dumps(media["schema"], sort_keys=True)
            for status, answer in operation["responses"].items()
            if status.startswith("2")
            for kind, media in answer.get("content", {}).items()
            if kind == "application/json"
        }
        assert len(shapes) <= 1, operation["operationId"]


def test_a_success_is_json_first_where_it_may_be(operations):
    """A client that is made for the first kind may ask for JSON all the same."""
    for operation in operations:
        for status, answer in operation["responses"].items():
            kinds = list(answer.get("content", {}))
            assert not (status.startswith("2") and "application/json" in kinds[1:]), operation["operationId"]


def test_a_body_is_json_where_it_may_be(operations):
    """Of several kinds generators send the first."""
    for operation in operations:
        kinds = list(operation.get("requestBody", {}).get("content", {}))
        assert "application/json" not in kinds[1:], operation["operationId"]


def test_what_must_be_there_is_described(schemas):
    for name, model in schemas.items():
        assert set(model.get("required", ())) <= model.get("properties", {}).keys(), name


def test_every_reference_leads_somewhere(document):
    for place, node in nodes(document):
        if "$ref" in node:
            _, _, kind, name = node["$ref"].split("/")
            assert name in document["components"][kind], place


def test_patch_does_not_exist(document, schemas):
    assert not [path for path, methods in document["paths"].items() if "patch" in methods]
    assert not [name for name in schemas if "patch" in name.lower()]


def test_a_person_says_what_is_there_of_everybody(schemas):
    """The keys of a Profile; an Account has them all, in the same order."""
    person, user = schemas["Person"], schemas["User"]
    assert set(person["required"]) == {"id", "displayName", "avatar", "callStatus", "createdAt"}
    assert list(person["properties"]) == list(user["properties"])
    assert set(user["required"]) == set(user["properties"])


def reference(media: dict[str, Any]) -> str:
    return str(media["schema"].get("$ref", "")).rpartition("/")[2]
