"""A telephone at Twilio: it does what TwiML asks for, as Twilio does, and what a person does with the keys."""

from itertools import count
from xml.etree import ElementTree

from django.conf import settings

DIAL_IN = "/api/voice/dialIn"
ATTESTED = "TN-Validation-Passed-A"
numbers = count(1)


class Phone:
    """`post(path, **params)` posts a signed webhook."""

    def __init__(self, post, caller, dialled="+12025550100", stir=None):
        self.post = post
        self.params = {"From": caller, "To": dialled, "CallSid": f"CA{next(numbers):032x}", "Direction": "inbound"}
        self.first = {"StirVerstat": stir} if stir else {}
        self.is_over, self.conference, self.gather, self.onward = False, None, None, None
        self.action, self.time_limit = None, None
        self.heard, self.languages = [], set()

    def dial(self, path=DIAL_IN):
        return self.ask(path, **self.first)  # Twilio says this once, and perhaps never again

    def press(self, keys):
        """Keys in answer to a question; more than it takes are cut off."""
        assert self.gather is not None, f"nothing is asked: {self.heard}"
        taken = keys[: int(self.gather.get("numDigits", "99"))].rstrip("#")
        return self.ask(self.gather.get("action"), Digits=taken)

    def wait(self):
        """No key: the verb behind the question."""
        assert self.onward is not None, f"nothing goes on: {self.heard}"
        return self.ask(self.onward)

    def star(self, **more):
        """Leaves its conference by *, or by what `more` says of it: Twilio asks the action."""
        assert self.action, "* does nothing here"
        return self.ask(self.action, **{"CallStatus": "in-progress", "DialCallStatus": "answered", **more})

    def hang_up(self):
        self.is_over = True
        return self.post("/api/voice/callEvents", **self.params, CallStatus="completed", CallDuration="7")

    def ask(self, address, **more):
        assert not self.is_over
        answer = self.post(address.removeprefix(settings.PUBLIC_URL), **self.params, **more)
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml"), answer.content
        self.follow(ElementTree.fromstring(answer.content))
        return self

    def follow(self, response):
        self.heard = [say.text for say in response.iter("Say")]
        self.languages = {say.get("language") for say in response.iter("Say")}
        self.conference, self.gather = response.find("Dial/Conference"), response.find("Gather")
        dial, redirect = response.find("Dial"), response.find("Redirect")
        self.action = dial.get("action") if dial is not None and dial.get("hangupOnStar") == "true" else None
        self.time_limit = dial is not None and int(dial.get("timeLimit"))
        self.onward = None if redirect is None else redirect.text
        self.is_over = self.gather is None and self.conference is None
        assert self.is_over == (response.find("Hangup") is not None)

    @property
    def words(self):
        return " ".join(self.heard)

    @property
    def sid(self):
        return self.params["CallSid"]

    @property
    def group_id(self):
        return None if self.conference is None else int(self.conference.text)
