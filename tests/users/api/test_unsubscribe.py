"""No more e-mails, by one click in one of them."""

from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest

from tests.neighbours import ours
from users.models import NotificationChoices
from users.notification_choices import choices_of, choose
from users.unsubscribing import unsubscribe_address

ONE_CLICK = "List-Unsubscribe=One-Click"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def address(alice):
    parts = urlsplit(unsubscribe_address(alice.pk))
    return f"{parts.path}?{parts.query}"


def test_a_mail_programs_click_turns_emails_off_and_nothing_else(api, address, alice):
    choose(user_id=alice.pk, sms=True)
    assert api.generic("POST", address, ONE_CLICK, content_type=FORM).status_code == 200
    chosen = choices_of(alice.pk)
    assert (chosen.push, chosen.email, chosen.sms) == (True, False, True)


def test_twice_is_once(api, address, alice):
    assert [api.generic("POST", address, ONE_CLICK, content_type=FORM).status_code for _ in range(2)] == [200, 200]


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_who_only_looks_changes_nothing(api, address, method):
    assert getattr(api, method)(address).status_code == 200
    assert not ours(NotificationChoices).exists()


class Forms(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        if tag in ("form", "button"):
            self.found.append((tag, dict(attributes)))


def test_the_pages_button_does_it(api, address, alice):
    page = Forms()
    page.feed(api.get(address).content.decode())
    (_, form), (_, button) = page.found
    assert (form, button) == ({"method": "post"}, {"name": "List-Unsubscribe", "value": "One-Click"})
    assert b"You get no more e-mails" in api.generic("POST", address, ONE_CLICK, content_type=FORM).content
    assert not choices_of(alice.pk).email


def test_the_page_may_post_to_itself_and_tells_nobody_its_address(api, address):
    answer = api.get(address)
    assert "form-action 'self'" in answer["Content-Security-Policy"]
    assert "script-src" not in answer["Content-Security-Policy"]
    assert (answer["Referrer-Policy"], answer["Cache-Control"]) == ("no-referrer", "no-store")


def test_nobody_signs_in_for_it(api, address, alice, sign_in):
    assert api.post(address, headers={"Authorization": "Bearer forged"}).status_code == 200
    assert not choices_of(alice.pk).email


FORGERIES = [lambda token: token[:3], lambda token: token + "x", lambda token: "9" + token, str.upper]


@pytest.mark.parametrize("forge", FORGERIES)
def test_a_token_that_is_none_of_ours_is_404(api, address, forge):
    token = address.partition("token=")[2]
    for method in ("get", "post"):
        assert getattr(api, method)(address.replace(token, forge(token))).status_code == 404
    assert not ours(NotificationChoices).exists()


def test_without_a_token_or_with_a_long_one_it_is_400(api, db):
    assert api.post("/api/users/unsubscribe").status_code == 400
    assert api.get(f"/api/users/unsubscribe?token={'x' * 129}").status_code == 400


def test_who_is_gone_is_404(api, address, alice):
    alice.delete()
    assert api.post(address).status_code == 404


def test_a_secret_that_goes_out_of_use_still_counts(api, address, settings, alice):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another secret, of now", [settings.SECRET_KEY]
    assert api.post(address).status_code == 200
