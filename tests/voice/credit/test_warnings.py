"""Settings that let real calls run without money are told of, in words, when the server starts and by `check`."""

import pytest
from django.core.checks import run_checks

from voicechat.startup import start_lines


@pytest.fixture
def told(db):
    def told():
        checks = [each.msg for each in run_checks() if each.id.startswith("voice.")]
        lines = "\n".join(start_lines())
        assert all(f"WARNING: {each}" in lines for each in checks)
        return [each.partition(" is 0: ")[0] for each in checks]

    return told


@pytest.mark.parametrize(
    ("free", "names"),
    [
        ({}, []),
        ({"MIN_CALL_BALANCE": 0}, ["MIN_CALL_BALANCE"]),
        ({"CALL_RATE": 0}, ["CALL_RATE"]),
        ({"CALL_RATE": 0, "CONFERENCE_RATE": 0, "MIN_CALL_BALANCE": 0}, ["CALL_RATE", "MIN_CALL_BALANCE"]),
    ],
)
def test_what_switches_the_limits_off_is_told_of(told, twilio_telephony, settings, free, names):
    for name, value in {"MIN_CALL_BALANCE": 500_000, **free}.items():
        setattr(settings, name, value)
    assert told() == names


def test_play_calls_may_be_free(told, sandbox_telephony, settings):
    settings.MIN_CALL_BALANCE = settings.CALL_RATE = 0
    assert told() == []
