"""The OpenAPI document is made once in each process, in both ways of signing in."""

import json

import pytest
from drf_spectacular.generators import SchemaGenerator

from voicechat import schema_view


@pytest.fixture
def made(monkeypatch):
    """How often it was made."""
    schema_view.document.cache_clear()
    made = []

    class Counted(SchemaGenerator):
        def get_schema(self, *args, **kwargs):
            made.append(1)
            return super().get_schema(*args, **kwargs)

    monkeypatch.setattr(schema_view, "SchemaGenerator", Counted)
    return made


def test_it_is_made_once_and_unchanged_is_304(client, made):
    first, second = client.get("/api/schema"), client.get("/api/schema/")
    assert first.content == second.content
    assert len(made) == 1
    unchanged = client.get("/api/schema", headers={"If-None-Match": first["ETag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


def test_it_is_right_in_both_ways_of_signing_in(client, made, settings):
    for settings.OPEN_MODE in (True, False):
        document = json.loads(client.get("/api/schema").content)
        assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert len(made) == 2


def test_it_can_only_be_read(client):
    assert client.post("/api/schema").status_code == 405
