"""All that callers hear, in one place, in English and in German.

For ears that hear badly and lines that are bad: short sentences, and one thing in each.
"""

import re
from collections.abc import Mapping

GERMAN_LANGUAGE, ENGLISH = "de-DE", "en-US"
SPOKEN_AS_THEY_ARE = ("en-US", "en-GB", "en-AU", "de-DE")
"""Languages for which Twilio has voices, and we have words. https://www.twilio.com/docs/voice/twiml/say/text-speech"""
GERMAN_COUNTRIES = ("+49", "+43")

COME_AGAIN = "Something went wrong on our side. Please call again in a minute."
NO_GROUP = "No group detected."
NO_SUCH_GROUP = "This group does not exist. Please check your groups and try again."
NO_GROUP_HAS_NUMBER = "No group has this number. Please check it and call again."
NOT_A_GROUP = "This is not a group. Please check the number and try again."
NOT_A_MEMBER = "You are not a member of this group. Please ask its owner to invite you."
NOT_ON_THE_LIST = (
    "Your number is not on the list of this group. Please verify it in the app, or ask the group's owner to invite you."
)
WITHHELD = "Your number is withheld. Please call again with your number shown, or use the app."
NO_PHONE = "We cannot tell who you are. Please use the app, or call from a phone whose number is shown."
WRONG_NUMBER = "Your number did not come through correctly. Please use the app, or call from another phone."
SHARED = "Several people of this group have this telephone, so that we cannot tell who you are. Please use the app."
DISABLED = "Your account is disabled. Please ask the operator."

CHANGED = "The group has changed at this moment. Please call again."
LOCKED = "This call is locked, so that nobody can join it now. Please ask the group's owner to unlock it."
ENDED = "This call has ended. Please call again."
NO_CREDIT = "There is not enough credit for this call. Please ask the group's owner to add money."
MONEY_HELD = (
    "The money that is left is held by calls that are running. "
    "Please call again when one has ended, or ask the group's owner to add money."
)
DISPUTED = "A payment of this group's owner is disputed. Calls can start again when that is settled."
PAYER_GONE = "The owner of this group has just left. Please call again."

WELCOME = "Welcome to the group calls."
TYPE_CODE = "Please type your code on your telephone."
EIGHT_DIGITS = "It has eight digits."
CODE_IS_IN_APP = "You find it in the app, or ask whoever has set it up for you."
CODE_WRONG = "This code is not right."
CODE_NOT_EIGHT = "These were not eight digits."
CODE_WRONG_TOO_OFTEN = "This code is not right either. Please look it up in the app, and call again."
LOCKED_OUT = "There were too many wrong codes from your telephone. Please call again in one hour, or use the app."
NO_CODES_NOW = "We cannot take codes at the moment. Please call again later, or use the app."
NOTHING_PRESSED = "We have heard no key. Please call again, and press a key. Goodbye."
KEY_WRONG = "This key is not one of them."
WHO = "Who is calling?"
WHICH_GROUP = "Which group would you like to join?"
PRESS = "Press {key} for {name}."
PRESS_FOR_MORE = "Press 9 for more."
PRESS_FOR_FIRST = "Press 9 to hear the first ones again."
GROUP_NAME = "{group}."
JOINING = "You are joining the group {group}."

RINGS = "{name} is calling in the group {group}."
SOMEBODY_RINGS = "Somebody is calling in the group {group}."
CALLS_ONESELF = "This is your own call to the group {group}."
PRESS_TO_JOIN = "Press 1 to join."
NOT_JOINED = "You have not joined. Goodbye."
RING_OVER = "This call is over. Goodbye."

STAR_HELPS = "Press star at any time for help."
MENU_MUTE = "Press 1, and nobody hears you."
MENU_HEARD = "Press 1 to be heard again."
MENU_WHO = "Press 2 to hear who is on the call."
MENU_QUIET = "Press 3 to hear no warnings before the end."
MENU_WARN = "Press 3 to be warned before the end."
MENU_LEAVE = "Press 9 to leave the call."
MENU_BACK = "To go back, press star, or wait."
MUTED = "Nobody hears you now."
CHANGE_AGAIN = "To be heard again, press star, and then 1."
HEARD = "You are heard again."
QUIET = "You will hear no warnings before the end."
WARNED = "You will be warned before the end."
WITH_YOU = "With you on the call:"
NAME = "{name}."
ONE_UNKNOWN = "One caller whom we do not know."
UNKNOWN = "{count} callers whom we do not know."
NOBODY_ELSE = "Nobody else is on the call."
BACK = "You are going back."
LEFT = "You have left the call. Goodbye."
WENT_WRONG = "Something went wrong on our side. You are going back."

ALONE = "You are alone on this call."
ENDS_ALONE = "It ends in one minute, unless somebody joins."
CALL_AGAIN = "You can call again at any time."
ENDS_FOR_YOU = "This call ends for you in about two minutes."
CALL_AGAIN_THEN = "You can call again then."
ENDS_FOR_ALL = "This call ends in about two minutes."
MONEY_USED_UP = "The money for it is used up."
ADD_MONEY = "The group's owner can add money in the app."

CAPTIONS_ON = "Captions are on: what is said is written down, so that others can read it."
CAPTIONS_OFF = "Captions are off: nothing is written down any more."
CAPTIONS_END = "The captions of this call end in about one minute."
WRITES = "{name} writes:"
SOMEBODY_WRITES = "Somebody writes:"

GERMAN: Mapping[str, str] = {
    COME_AGAIN: "Bei uns ist etwas schiefgegangen. Bitte rufen Sie in einer Minute noch einmal an.",
    NO_GROUP: "Es wurde keine Gruppe genannt.",
    NO_SUCH_GROUP: "Diese Gruppe gibt es nicht. Bitte sehen Sie in der App nach.",
    NO_GROUP_HAS_NUMBER: "Keine Gruppe hat diese Nummer. Bitte prüfen Sie sie, und rufen Sie noch einmal an.",
    NOT_A_GROUP: "Das ist keine Gruppe. Bitte prüfen Sie die Nummer.",
    NOT_A_MEMBER: "Sie sind nicht in dieser Gruppe. Bitte lassen Sie sich einladen.",
    NOT_ON_THE_LIST: "Ihre Nummer steht nicht auf der Liste dieser Gruppe. "
    "Bitte bestätigen Sie sie in der App, oder lassen Sie sich einladen.",
    WITHHELD: "Ihre Nummer ist unterdrückt. Bitte rufen Sie mit sichtbarer Nummer an, oder benutzen Sie die App.",
    NO_PHONE: "Wir wissen nicht, wer Sie sind. Bitte benutzen Sie die App, oder ein Telefon, das seine Nummer zeigt.",
    WRONG_NUMBER: "Ihre Nummer kam nicht richtig an. Bitte benutzen Sie die App, oder ein anderes Telefon.",
    SHARED: "Mehrere Menschen dieser Gruppe haben dieses Telefon. Bitte benutzen Sie die App.",
    DISABLED: "Ihr Konto ist gesperrt. Bitte fragen Sie den Betreiber.",
    CHANGED: "Die Gruppe hat sich gerade geändert. Bitte rufen Sie noch einmal an.",
    LOCKED: "Dieses Gespräch ist abgeschlossen, so dass jetzt niemand dazukommen kann. "
    "Bitte sagen Sie der Person, der die Gruppe gehört, dass sie es aufschließen soll.",
    ENDED: "Dieses Gespräch ist zu Ende. Bitte rufen Sie noch einmal an.",
    NO_CREDIT: "Das Guthaben reicht für dieses Gespräch nicht aus. "
    "Bitte sagen Sie der Person, der die Gruppe gehört, dass sie Geld einzahlen soll.",
    MONEY_HELD: "Das restliche Guthaben ist für laufende Gespräche vorgemerkt. "
    "Bitte rufen Sie wieder an, wenn eines zu Ende ist.",
    DISPUTED: "Eine Zahlung für diese Gruppe ist strittig. Gespräche gehen wieder, wenn das geklärt ist.",
    PAYER_GONE: "Die Person, der diese Gruppe gehört, ist gerade gegangen. Bitte rufen Sie noch einmal an.",
    WELCOME: "Willkommen bei den Gruppengesprächen.",
    TYPE_CODE: "Bitte tippen Sie Ihren Code auf Ihrem Telefon ein.",
    EIGHT_DIGITS: "Er hat acht Ziffern.",
    CODE_IS_IN_APP: "Sie finden ihn in der App. Oder fragen Sie, wer sie Ihnen eingerichtet hat.",
    CODE_WRONG: "Dieser Code stimmt nicht.",
    CODE_NOT_EIGHT: "Das waren nicht acht Ziffern.",
    CODE_WRONG_TOO_OFTEN: "Auch dieser Code stimmt nicht. "
    "Bitte sehen Sie in der App nach, und rufen Sie noch einmal an.",
    LOCKED_OUT: "Von Ihrem Telefon kamen zu viele falsche Codes. "
    "Bitte rufen Sie in einer Stunde wieder an, oder benutzen Sie die App.",
    NO_CODES_NOW: "Wir können im Moment keine Codes annehmen. "
    "Bitte rufen Sie später wieder an, oder benutzen Sie die App.",
    NOTHING_PRESSED: "Wir haben keine Taste gehört. Bitte rufen Sie noch einmal an, und drücken Sie eine Taste. "
    "Auf Wiederhören.",
    KEY_WRONG: "Diese Taste gehört nicht dazu.",
    WHO: "Wer ruft an?",
    WHICH_GROUP: "Zu welcher Gruppe möchten Sie?",
    PRESS: "Drücken Sie die {key} für {name}.",
    PRESS_FOR_MORE: "Drücken Sie die 9 für weitere.",
    PRESS_FOR_FIRST: "Drücken Sie die 9, um die ersten noch einmal zu hören.",
    GROUP_NAME: "{group}.",
    JOINING: "Sie kommen jetzt zur Gruppe {group}.",
    RINGS: "{name} ruft an, in der Gruppe {group}.",
    SOMEBODY_RINGS: "Jemand ruft an, in der Gruppe {group}.",
    CALLS_ONESELF: "Das ist Ihr eigener Anruf bei der Gruppe {group}.",
    PRESS_TO_JOIN: "Drücken Sie die 1, um dazuzukommen.",
    NOT_JOINED: "Sie sind nicht dazugekommen. Auf Wiederhören.",
    RING_OVER: "Dieser Anruf ist vorbei. Auf Wiederhören.",
    STAR_HELPS: "Drücken Sie jederzeit die Sterntaste, wenn Sie Hilfe brauchen.",
    MENU_MUTE: "Drücken Sie die 1, und niemand hört Sie.",
    MENU_HEARD: "Drücken Sie die 1, damit man Sie wieder hört.",
    MENU_WHO: "Drücken Sie die 2, um zu hören, wer dabei ist.",
    MENU_QUIET: "Drücken Sie die 3, wenn Sie keine Warnungen vor dem Ende hören möchten.",
    MENU_WARN: "Drücken Sie die 3, um vor dem Ende gewarnt zu werden.",
    MENU_LEAVE: "Drücken Sie die 9, um aufzulegen.",
    MENU_BACK: "Drücken Sie die Sterntaste, um zurückzukehren, oder warten Sie.",
    MUTED: "Jetzt hört Sie niemand.",
    CHANGE_AGAIN: "Damit man Sie wieder hört, drücken Sie die Sterntaste, und dann die 1.",
    HEARD: "Man hört Sie wieder.",
    QUIET: "Sie hören keine Warnungen vor dem Ende.",
    WARNED: "Sie werden vor dem Ende gewarnt.",
    WITH_YOU: "Mit Ihnen im Gespräch:",
    NAME: "{name}.",
    ONE_UNKNOWN: "Eine Person, die wir nicht kennen.",
    UNKNOWN: "{count} Personen, die wir nicht kennen.",
    NOBODY_ELSE: "Sonst ist niemand im Gespräch.",
    BACK: "Sie kehren zurück.",
    LEFT: "Sie haben das Gespräch verlassen. Auf Wiederhören.",
    WENT_WRONG: "Bei uns ist etwas schiefgegangen. Sie kehren zurück.",
    ALONE: "Sie sind allein in diesem Gespräch.",
    ENDS_ALONE: "Es endet in einer Minute, wenn niemand dazukommt.",
    CALL_AGAIN: "Sie können jederzeit wieder anrufen.",
    ENDS_FOR_YOU: "Dieses Gespräch endet für Sie in etwa zwei Minuten.",
    CALL_AGAIN_THEN: "Danach können Sie wieder anrufen.",
    ENDS_FOR_ALL: "Dieses Gespräch endet in etwa zwei Minuten.",
    MONEY_USED_UP: "Das Guthaben dafür ist aufgebraucht.",
    ADD_MONEY: "Die Person, der die Gruppe gehört, kann in der App Geld einzahlen.",
    CAPTIONS_ON: "Untertitel sind an: Was gesagt wird, wird mitgeschrieben, damit andere es lesen können.",
    CAPTIONS_OFF: "Untertitel sind aus: Es wird nichts mehr mitgeschrieben.",
    CAPTIONS_END: "Die Untertitel dieses Gesprächs enden in etwa einer Minute.",
    WRITES: "{name} schreibt:",
    SOMEBODY_WRITES: "Jemand schreibt:",
}


def spoken(sentence: str, language: str, **names: str | int) -> str:
    """The sentence in the language, as far as we have words in it; else in English."""
    words = GERMAN.get(sentence, sentence) if language == GERMAN_LANGUAGE else sentence
    return words.format(**names) if names else words


def language_for(language: str) -> str:
    """In which of the languages that we have words for somebody is spoken to who wants this one."""
    if language in SPOKEN_AS_THEY_ARE:
        return language
    return GERMAN_LANGUAGE if language.split("-", maxsplit=1)[0] == "de" else ENGLISH


def is_spoken(language: str) -> bool:
    """Whether we have words for it: for English and German, as any country speaks them."""
    return bool(re.fullmatch("(en|de)(-[A-Za-z0-9]{1,8})*", language))


def language_at(dialled: str) -> str:
    """In which language somebody is spoken to of whom we know no more than the number that they dialled."""
    return GERMAN_LANGUAGE if dialled.startswith(GERMAN_COUNTRIES) else ENGLISH
