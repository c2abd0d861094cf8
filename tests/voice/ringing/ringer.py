"""A phone or an app that Twilio rings: it does what TwiML asks for, and tells what Twilio tells."""

from django.conf import settings

from tests.voice.dial_in.phone import Phone


class Ringer(Phone):
    def __init__(self, post, double, made):
        super().__init__(post, made["From"], made["To"])
        self.made, self.double = made, double
        self.params |= {"CallSid": made["sid"], "Direction": "outbound-api"}

    def answer(self):
        return self.dial(self.made["Url"])

    def ends(self, status, seconds=0):
        """Twilio's call status callback."""
        self.is_over = True
        self.double.calls[self.made["sid"]].update(status=status, duration=str(seconds))
        path, _, retries = self.made["StatusCallback"].removeprefix(settings.PUBLIC_URL).partition("#")
        assert "rc=" in retries, "where we are away for a moment, its end is told again"
        more = {"CallStatus": status, "CallDuration": str(seconds)}
        answer = self.post(path, **self.params, **more)
        assert (answer.status_code, answer.content) == (204, b"")
        return self
