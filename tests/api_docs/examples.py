"""What the stories are answered, as `voicechat/api_docs/examples.json` keeps it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.api_docs.conftest import Told
from tests.api_docs.stories import STORIES
from tests.api_docs.story import Story, read

KEPT = Path(__file__).parents[2] / "voicechat" / "api_docs" / "examples.json"
SECRET = "N7sQ2vXk9LwT4yZbC1dE6gHj3mP8rUa5"
PIN = "48213907"
STANDS_FOR = {"link": SECRET, "code": "164093", "letter": f"1:{SECRET}", "card": "pm_1", "pin": PIN}
"""What the documents show for the words in braces."""
BY_NAME = {
    "expiresAt": "2026-11-29T15:04:05.123Z",
    "ticket": SECRET,
    "token": SECRET,
    "endpoint": "0b5c2f5e7c1d4f0e9a3b2d8e6f1a4c70",
    "pin": PIN,
}
PATTERNS = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "2026-11-22T15:04:05.123Z"),
    (r"\b(cus|pi|pm)_sandbox_\w+", r"\1_1"),
    (r"/join/[\w-]+", f"/join/{SECRET}"),
    (r"(?m)^id: \S+", "id: AQBrDMqeAQKh2qHjTdsBAQED14UZSuGC"),
    (r"eyJ[\w-]+\.[\w-]+\.[\w-]+", "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJTSzEifQ.c2lnbmVk"),
    (r"(step|entry)=[^\"<&]+", r"\1=signed"),
    (r"/export/[0-9a-f-]{36}", "/export/0b5c2f5e-7c1d-4f0e-9a3b-2d8e6f1a4c71"),
    (r"/media/\w+", "/media/7f070426138048729e0a858ec10b8301"),
)
"""What differs each time, and what stands there instead."""


def stories() -> list[Story]:
    return [read(line) for line in STORIES.strip().splitlines() if line]


def told_now(tell: Callable[[Story], Told]) -> dict[str, list[dict[str, Any]]]:
    """What the server answers today, by the operation."""
    told: dict[str, list[dict[str, Any]]] = {}
    for story in stories():
        told.setdefault(story.route, []).append(as_kept(story, tell(story)))
    return told


def as_kept(story: Story, answer: Told) -> dict[str, Any]:
    is_json = answer.kind.endswith("json")
    return {
        "shows": story.shows,
        "parameters": story.parameters(STANDS_FOR),
        "sent": story.body(STANDS_FOR),
        "status": answer.status,
        "kind": answer.kind,
        "answer": steady(json.loads(answer.text) if is_json else answer.text),
    }


def steady(value: Any, name: str = "") -> Any:
    """The same of each run."""
    if isinstance(value, dict):
        return {key: steady(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [steady(each, name) for each in value]
    if not isinstance(value, str):
        return value
    for pattern, instead in PATTERNS:
        value = re.sub(pattern, instead, value)
    return BY_NAME.get(name, value)
