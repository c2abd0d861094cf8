"""A conversation with captions: told by the webhooks as badly as Twilio may, and shown by the stream as it was said."""

import re

import pytest
from django.core.management import CommandError, call_command

from groups.models import Caption, Group, PartialCaption
from tests.conftest import person
from tests.neighbours import ours
from voice.models import GroupCall, Transcription
from voice.simulation.conversation import SECONDS, TALK, TYPED, conversation


def is_behind_its_final(told, before):
    return any(each.is_final and each.who == told.who and each.number == told.number + 1 for each in before)


def test_its_callbacks_come_late_twice_and_in_another_order():
    told = conversation()
    assert len(told) == 3 * len(TALK) + 5
    assert 110 < max(each.second for each in told) < SECONDS
    finals = [(each.who, each.number) for each in told if each.is_final]
    assert len(finals) - len(set(finals)) == 3
    of_the_first = [number for who, number in finals if who == 0]
    assert of_the_first != sorted(of_the_first)
    stale = [each.text for at, each in enumerate(told) if not each.is_final and is_behind_its_final(each, told[:at])]
    assert stale == ["Then I shall bring", "We come on Sunday, all"]


@pytest.fixture
def simulate(live_server, capsys):
    group = Group.objects.create(name="Family")
    for name in ("Anna", "Ben"):
        group.memberships.create(user=person(name))

    def simulate(**options):
        call_command("simulate_call", group.pk, captions=True, fast=True, seed=1, url=live_server.url, **options)
        return capsys.readouterr().out

    return simulate


def test_the_stream_tells_each_sentence_once_with_who_has_said_it(simulate):
    said = simulate()
    assert said.splitlines()[-1] == "21 sentences, and the stream has told each of them once."
    shown = re.findall(r"^ +\| (.+?): (.+)(?<!…)$", said, re.MULTILINE)
    names = ("Anna", "Ben", "Caller 1")
    assert set(shown) >= {(names[who], text) for _, who, text in TALK}
    assert any(text == TYPED[1] and who.endswith("(spoken)") for who, text in shown)


@pytest.mark.alone
def test_what_is_kept_stands_in_the_order_in_which_each_has_said_it(simulate):
    simulate()
    rows = Caption.objects.filter(typed=False).order_by("created_at", "pk")
    for who, name in enumerate(("Anna", "Ben", "Caller 1")):
        own = [row.text for row in rows if row.display_name == name]
        assert own == [text for _, each, text in TALK if each == who]
    assert not PartialCaption.objects.exclude(text="").exists()
    assert not ours(GroupCall).get().captions


def test_the_first_was_asked_for_and_the_others_are_named_by_their_first_event(simulate):
    simulate()
    rows = Transcription.objects.order_by("pk")
    assert [row.sid == f"GT{row.call.sid[2:]}" for row in rows] == [False, True, True]
    assert not rows.exclude(fault="").exists()


def test_so_it_is_where_sign_in_is_on(simulate, sign_in):
    simulate(email="anna@example.com")
    assert Caption.objects.get(typed=True).display_name == "Ben"
    said_by_telephone = Caption.objects.filter(text="Good night, everybody.").values_list("display_name", flat=True)
    assert [*said_by_telephone] == ["Ben"]


def test_one_person_alone_has_no_conversation(live_server):
    group = Group.objects.create(name="Alone")
    with pytest.raises(CommandError, match="two members"):
        call_command("simulate_call", group.pk, captions=True, url=live_server.url)
