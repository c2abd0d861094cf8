"""What callers hear is written in one place, in both languages."""

import re

import pytest

from voice import sentences
from voice.sentences import GERMAN, language_at, language_for, spoken

SPOKEN = {
    name: text
    for name, text in vars(sentences).items()
    if name.isupper() and isinstance(text, str) and text.endswith((".", "?", ":"))
}


def test_each_sentence_has_its_german_and_nothing_else_has():
    assert set(GERMAN) == set(SPOKEN.values())


@pytest.mark.parametrize("name", SPOKEN)
def test_a_translation_has_the_same_names_in_it(name):
    names = re.compile(r"\{(\w+)\}")
    assert sorted(names.findall(GERMAN[SPOKEN[name]])) == sorted(names.findall(SPOKEN[name]))


@pytest.mark.parametrize("text", [*SPOKEN.values(), *GERMAN.values()])
def test_sentences_are_short(text):
    longest = max(len(sentence.split()) for sentence in re.split(r"[.?!]", text))
    assert longest <= 20


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("de", "de-DE"),
        ("de-AT", "de-DE"),
        ("de-DE", "de-DE"),
        ("en-GB", "en-GB"),
        ("en-AU", "en-AU"),
        ("fr-FR", "en-US"),
        ("dev", "en-US"),
    ],
)
def test_a_language_that_we_have_no_words_for_is_english(asked, given):
    assert language_for(asked) == given


def test_a_number_of_a_german_country_speaks_german():
    assert [language_at(number) for number in ("+4930", "+4312", "+41", "+1202", "sip:x", "")] == [
        *("de-DE", "de-DE", "en-US", "en-US", "en-US", "en-US")
    ]


def test_names_are_said_as_they_are():
    assert spoken(sentences.PRESS, "de-DE", key=1, name="{key}") == "Drücken Sie die 1 für {key}."
    assert spoken("Nobody translated {this}.", "de-DE") == "Nobody translated {this}."
