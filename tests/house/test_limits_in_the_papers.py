"""The table of limits in `docs/operating.md` is what the code says."""

import re
from pathlib import Path

import pytest

from groups import services
from groups.invitations import services as invitations
from groups.notifications import devices
from tests.house.starting import start
from tests.house.test_environment import PRODUCTION
from voice.captions import messages
from voice.dial_in import conversation, tries
from voice.ringing import starting
from voicechat import parsing, settings

PAPER = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()
ROWS = re.findall(r"^\| `(THROTTLE_\w+)` \|.*\| `?([^`|]+?)`? \| `?([^`|]+?)`? \|$", PAPER, re.MULTILINE)
AT_MOST = {
    "groups that one person owns": services.MOST_OWNED,
    "invitations that one person has sent and nobody has answered": services.MOST_INVITATIONS,
    "links that lead into one group": invitations.MOST_LINKS,
    "devices of one person": devices.MOST_DEVICES,
    "wrong codes of one telephone number within an hour": tries.OF_A_CALLER,
    "wrong codes of all telephones without a number within an hour": tries.OF_ALL_WITHHELD,
    "wrong codes of all telephones within an hour": tries.OF_ALL,
    "wrong codes in one call": conversation.MOST_TRIES,
    "rings that one person makes within an hour": starting.OF_A_PERSON,
    "people of one group who are rung within an hour": starting.OF_A_GROUP,
    "people who are rung within an hour at one payer's cost": starting.OF_A_PAYER,
    "messages that one person has spoken into calls within a minute": messages.OF_A_PERSON,
    "values in a JSON body": parsing.MOST_VALUES,
    "fields of a form": settings.DATA_UPLOAD_MAX_NUMBER_FIELDS,
}


def rate(text):
    return settings.env.__class__({"RATE": text}).rate("RATE", "off")


@pytest.mark.parametrize(("column", "environment"), [(1, PRODUCTION), (2, {})])
def test_each_throttle_is_what_the_paper_says(column, environment):
    show = "{name: value for name, value in vars(s).items() if name.startswith('THROTTLE_')}"
    accepted, said = start({"SECRET_KEY": "s" * 60, **environment}, show)
    assert accepted, said
    assert said.strip() == str({name: rate(row[column - 1]) for name, *row in sorted(ROWS, key=order)})


def order(row):
    names = [name for name in vars(settings) if name.startswith("THROTTLE_")]
    return names.index(row[0])


@pytest.mark.parametrize("what", AT_MOST)
def test_each_bound_is_what_the_paper_says(what):
    assert f"\n| {what} | {AT_MOST[what]} |" in PAPER
