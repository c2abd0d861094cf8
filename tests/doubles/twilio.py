"""Twilio on the loopback: Notify, Verify, Messaging, conferences and calls."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import count
from typing import Any

from tests.doubles.server import Answer, Double, Refusal, Request

Thing = dict[str, Any]

ACCOUNT = f"AC{'0' * 31}1"
AUTH_TOKEN = "made up auth token"
SERVICE = f"IS{'0' * 31}1"
CREDENTIALS = {
    "account_sid": ACCOUNT,
    "auth_token": AUTH_TOKEN,
    "api_key": f"SK{'0' * 31}1",
    "api_key_secret": "a made up secret of a made up API key",
    "app_sid": f"AP{'0' * 31}1",
    "caller_id": "+15005550006",
    "push_credential_sid": f"CR{'0' * 31}1",
}
NOTIFY_CREDENTIALS = {"account_sid": ACCOUNT, "auth_token": AUTH_TOKEN, "service_sid": SERVICE}
VERIFY_SERVICE = f"VA{'0' * 31}1"
VERIFY_CREDENTIALS = {"account_sid": ACCOUNT, "auth_token": AUTH_TOKEN, "verify_service_sid": VERIFY_SERVICE}
MESSAGING_SERVICE = f"MG{'0' * 31}1"
SMS_CREDENTIALS = {
    "account_sid": ACCOUNT,
    "auth_token": AUTH_TOKEN,
    "twilio_messaging_service_sid": MESSAGING_SERVICE,
}
MOST_IDENTITIES = 20  # https://www.twilio.com/docs/notify/api/notification-resource
MOST_SENT = MOST_CHECKED = 5  # within ten minutes, of one number
PAGE = 2  # Twilio's is 50: small, so that a test meets the second page


class TwilioDouble(Double):
    def __init__(self) -> None:
        super().__init__()
        self.bindings: list[Thing] = []
        self.notifications: list[Thing] = []
        self.conferences: dict[str, Thing] = {}
        self.calls: dict[str, Thing] = {}
        self.people: dict[str, list[str]] = {}
        """The CallSids on each conference."""
        self.muted: set[str] = set()
        """Those of them that are muted."""
        self.announced: list[tuple[str, str]] = []
        """The conferences, or the calls, into which something was spoken, and where Twilio asks for the words."""
        self.verifications: dict[str, Thing] = {}
        """By their ids, those that count; with the code, and how often it was sent and compared."""
        self.rings: list[Thing] = []
        """The calls that somebody had made, with what they asked for."""
        self.messages: list[Thing] = []
        self.transcriptions: dict[str, Thing] = {}
        """What is written down of calls, by its id, with what was asked for."""
        self.stopped: set[str] = set()
        """Numbers that have answered STOP."""
        self.numbers = count(1)

    # What tests do at Twilio's side

    def start_conference(self, name: str, status: str = "in-progress") -> Thing:
        sid = self._sid("CF")
        self.conferences[sid] = {
            "sid": sid,
            "account_sid": ACCOUNT,
            "friendly_name": name,
            "status": status,
            "date_created": written(ago(minutes=5)),
            "date_updated": written(ago()),
        }
        self.people[sid] = []
        return self.conferences[sid]

    def running_conferences(self) -> list[Thing]:
        return [each for each in self.conferences.values() if each["status"] in ("init", "in-progress")]

    def call(self, price: str | None = None, status: str = "completed") -> str:
        """A call; one that has ended has lasted 61 seconds, and its price is not known at once."""
        sid = self._sid("CA")
        self.calls[sid] = {
            "sid": sid,
            "account_sid": ACCOUNT,
            "status": status,
            "duration": "61" if status == "completed" else None,
            "price": price,
            "price_unit": "USD",
            "start_time": written(ago(seconds=61)),
            "end_time": written(ago()) if status == "completed" else None,
        }
        return sid

    def end_call(self, sid: str, *, seconds: int, end_time: datetime) -> None:
        """The phone hangs up. With the last one's its conference ends."""
        started = end_time - timedelta(seconds=seconds)
        self.calls[sid].update(status="completed", duration=str(seconds))
        self.calls[sid].update(start_time=written(started), end_time=written(end_time))
        for room in [room for room, people in self.people.items() if sid in people]:
            self.people[room].remove(sid)
            if not self.people[room]:
                self.conferences[room]["status"] = "completed"

    def forget(self, *sids: str) -> list[Thing]:
        """It does not know them any more; what they were, for it to know them again."""
        return [each.pop(sid) for sid in sids for each in (self.calls, self.conferences) if sid in each]

    # The API

    def check(self, request: Request) -> None:
        expected = b64encode(f"{ACCOUNT}:{AUTH_TOKEN}".encode()).decode()
        if request.headers["Authorization"] != f"Basic {expected}":
            raise Refusal(error(401, 20003, "Authenticate"))
        for name in ("Method", "AnnounceMethod", "StatusCallbackMethod"):  # our doors would answer a GET with 405
            if request.get(name, "POST") != "POST":
                raise Refusal(error(400, 11200, f"{name} is {request.get(name)}, and our doors take POST"))

    def not_found(self, request: Request) -> Answer:
        return error(404, 20404, f"The requested resource {request.path} was not found")

    def server_error(self, request: Request) -> Answer:
        return error(500, 20500, "Internal Server Error")

    def create_binding(self, request: Request) -> Answer:
        for name in ("Identity", "BindingType", "Address"):
            if not request.get(name):
                raise Refusal(error(400, 20001, f"Missing required parameter {name} in the post body"))
        if request.get("BindingType") not in ("apn", "fcm", "gcm", "sms", "facebook-messenger"):
            raise Refusal(error(400, 20001, "Invalid parameter: BindingType"))
        binding = {
            "sid": self._sid("BS"),
            "account_sid": ACCOUNT,
            "service_sid": SERVICE,
            "endpoint": request.get("Endpoint"),
            "identity": request.get("Identity"),
            "binding_type": request.get("BindingType"),
            "address": request.get("Address"),
            "tags": request.form.get("Tag", []),
            "date_created": "2026-11-22T15:04:05Z",
        }
        self.bindings.append(binding)
        return Answer(201, binding)

    def get_binding(self, request: Request, sid: str) -> Thing:
        for binding in self.bindings:
            if binding["sid"] == sid:
                return binding
        raise Refusal(self.not_found(request))

    def delete_binding(self, request: Request, sid: str) -> Answer:
        self.bindings.remove(self.get_binding(request, sid))
        return Answer(204, "")

    def create_notification(self, request: Request) -> Answer:
        identities = request.form.get("Identity", [])
        if len(identities) > MOST_IDENTITIES:
            raise Refusal(error(400, 20001, f"Invalid parameter: Identity holds more than {MOST_IDENTITIES} items"))
        notification = {
            "sid": self._sid("NT"),
            "account_sid": ACCOUNT,
            "service_sid": SERVICE,
            "identities": identities,
            "tags": [],
            "body": request.get("Body"),
            "priority": "high",
            "date_created": "2026-11-22T15:04:05Z",
        }
        self.notifications.append(notification)
        return Answer(201, notification)

    def create_verification(self, request: Request) -> Answer:
        """https://www.twilio.com/docs/verify/api/verification#start-new-verification"""
        to, channel = request.get("To"), request.get("Channel")
        if not to or not to.startswith("+") or channel not in ("sms", "call"):
            raise Refusal(error(400, 60200, f"Invalid parameter `To`: {to}"))
        found = next((each for each in self.verifications.values() if each["to"] == to), None)
        if found is None:
            sid = self._sid("VE")
            found = {"sid": sid, "to": to, "code": f"{len(self.verifications) + 123456}", "sent": 0, "checked": 0}
            found |= {"date_created": f"{ago():%Y-%m-%dT%H:%M:%SZ}"}
            self.verifications[sid] = found
        found["sent"] += 1
        if found["sent"] > MOST_SENT:
            raise Refusal(error(429, 60203, "Max send attempts reached"))
        return Answer(201, {**self.shown(found), "channel": channel, "status": "pending", "valid": False})

    def check_verification(self, request: Request) -> Answer:
        """https://www.twilio.com/docs/verify/api/verification-check"""
        found = self.verifications.get(request.get("VerificationSid"))
        if found is None:
            raise Refusal(self.not_found(request))
        found["checked"] += 1
        if found["checked"] > MOST_CHECKED:
            raise Refusal(error(429, 60202, "Max check attempts reached"))
        is_right = request.get("Code") == found["code"]
        if is_right:
            del self.verifications[found["sid"]]
        return Answer(200, {**self.shown(found), "status": "approved" if is_right else "pending", "valid": is_right})

    def shown(self, verification: Thing) -> Thing:
        common = {"account_sid": ACCOUNT, "service_sid": VERIFY_SERVICE}
        return {**common, **{name: verification[name] for name in ("sid", "to", "date_created")}}

    def create_message(self, request: Request) -> Answer:
        """https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource"""
        to, body = request.get("To"), request.get("Body")
        if not body or len(body) > 1600:
            raise Refusal(error(400, 21617, "The concatenated message body exceeds the 1600 character limit"))
        if request.get("MessagingServiceSid") != MESSAGING_SERVICE:
            raise Refusal(error(404, 20404, "The requested resource was not found"))
        if to in self.stopped:
            raise Refusal(error(400, 21610, f"Attempt to send to unsubscribed recipient {to}"))
        if not to.startswith("+1"):
            raise Refusal(error(400, 21211, f"Invalid 'To' Phone Number: {to}"))
        common = {"sid": self._sid("SM"), "account_sid": ACCOUNT, "to": to, "body": body, "from": None}
        self.messages.append({**common, "status": "accepted", "num_segments": "0", "error_code": None})
        return Answer(201, self.messages[-1])

    def update_conference(self, request: Request, sid: str) -> Thing:
        if sid not in self.conferences:
            raise Refusal(self.not_found(request))
        if url := request.get("AnnounceUrl"):
            if self.conferences[sid]["status"] == "completed":
                raise Refusal(error(400, 20001, "Conference is not in-progress"))
            self.announced.append((sid, url))
        if request.get("Status") == "completed":
            self.conferences[sid]["status"] = "completed"
        return self.conferences[sid]

    def get_conference(self, request: Request, sid: str) -> Thing:
        if sid not in self.conferences:
            raise Refusal(self.not_found(request))
        return self.conferences[sid]

    def list_participants(self, request: Request, sid: str) -> Thing:
        self.get_conference(request, sid)
        page = int(request.get("Page", "0"))
        found = [self.participant(sid, call) for call in self.people[sid]]
        start, end = page * PAGE, (page + 1) * PAGE
        onward = f"{request.path}?Page={page + 1}" if end < len(found) else None
        return {"participants": found[start:end], "page": page, "page_size": PAGE, "next_page_uri": onward}

    def participant(self, conference: str, call: str) -> Thing:
        ids = {"call_sid": call, "conference_sid": conference, "account_sid": ACCOUNT}
        return {**ids, "muted": call in self.muted, "hold": False, "status": "connected"}

    def update_participant(self, request: Request, sid: str, call: str) -> Thing:
        if call not in self.people.get(sid, ()) or self.conferences[sid]["status"] == "completed":
            raise Refusal(self.not_found(request))
        if muted := request.get("Muted"):
            (self.muted.add if muted == "true" else self.muted.discard)(call)
        if url := request.get("AnnounceUrl"):
            self.announced.append((call, url))
        return self.participant(sid, call)

    def create_call(self, request: Request) -> Answer:
        """https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource"""
        to = request.get("To", "")
        if not to.startswith(("+", "client:")) or not request.get("From") or not request.get("Url"):
            raise Refusal(error(400, 21201, "No 'To' number is specified"))
        if to.startswith("+999"):
            raise Refusal(error(400, 21211, f"The phone number you are attempting to call, {to}, is not valid."))
        sid = self.call(status="queued")
        self.rings.append({"sid": sid, **{name: values[0] for name, values in request.form.items()}})
        return Answer(201, self.calls[sid])

    def update_call(self, request: Request, sid: str) -> Thing:
        call = self.get_call(request, sid)
        if call["status"] == "completed":
            raise Refusal(error(400, 21220, "Call is not in-progress. Cannot redirect."))
        self.end_call(sid, seconds=61, end_time=ago())
        return call

    def create_transcription(self, request: Request, call: str) -> Answer:
        """https://www.twilio.com/docs/voice/api/realtime-transcription-resource"""
        if self.get_call(request, call)["status"] != "in-progress":
            raise Refusal(error(400, 21220, "Call is not in-progress. Cannot start transcription."))
        if request.get("LanguageCode") not in ("en-US", "de-DE", "en-GB"):
            raise Refusal(error(400, 32650, "Invalid transcription configuration"))
        sid = self._sid("GT")
        asked = {name: values[0] for name, values in request.form.items()}
        self.transcriptions[sid] = {"sid": sid, "call_sid": call, "status": "in-progress", "asked": asked}
        return Answer(201, self.written(self.transcriptions[sid]))

    def update_transcription(self, request: Request, call: str, sid: str) -> Thing:
        found = self.transcriptions.get(sid)
        if found is None or found["call_sid"] != call or found["status"] == "stopped":
            raise Refusal(self.not_found(request))
        found["status"] = "stopped"
        return self.written(found)

    def written(self, transcription: Thing) -> Thing:
        shown = {name: transcription[name] for name in ("sid", "call_sid", "status")}
        return {**shown, "account_sid": ACCOUNT, "name": None, "date_updated": written(ago())}

    def get_call(self, request: Request, sid: str) -> Thing:
        if sid not in self.calls:
            raise Refusal(self.not_found(request))
        return self.calls[sid]

    routes = (
        ("POST", f"/v1/Services/{SERVICE}/Bindings", create_binding),
        ("GET", f"/v1/Services/{SERVICE}/Bindings/(BS[0-9a-f]+)", get_binding),
        ("DELETE", f"/v1/Services/{SERVICE}/Bindings/(BS[0-9a-f]+)", delete_binding),
        ("POST", f"/v1/Services/{SERVICE}/Notifications", create_notification),
        ("POST", f"/v2/Services/{VERIFY_SERVICE}/Verifications", create_verification),
        ("POST", f"/v2/Services/{VERIFY_SERVICE}/VerificationCheck", check_verification),
        ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", create_message),
        ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Conferences/(CF[0-9a-f]+).json", update_conference),
        ("GET", f"/2010-04-01/Accounts/{ACCOUNT}/Conferences/(CF[0-9a-f]+).json", get_conference),
        ("GET", f"/2010-04-01/Accounts/{ACCOUNT}/Conferences/(CF[0-9a-f]+)/Participants.json", list_participants),
        (
            "POST",
            f"/2010-04-01/Accounts/{ACCOUNT}/Conferences/(CF[0-9a-f]+)/Participants/(CA[0-9a-f]+).json",
            update_participant,
        ),
        ("GET", f"/2010-04-01/Accounts/{ACCOUNT}/Calls/(CA[0-9a-f]+).json", get_call),
        ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json", create_call),
        ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Calls/(CA[0-9a-f]+).json", update_call),
        ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Calls/(CA[0-9a-f]+)/Transcriptions.json", create_transcription),
        (
            "POST",
            f"/2010-04-01/Accounts/{ACCOUNT}/Calls/(CA[0-9a-f]+)/Transcriptions/(GT[0-9a-f]+).json",
            update_transcription,
        ),
    )

    def _sid(self, prefix: str) -> str:
        return f"{prefix}{next(self.numbers):032x}"


def written(time: datetime) -> str:
    """As Twilio writes times: "Sun, 29 Nov 2026 06:00:00 +0000"."""
    return format_datetime(time)


def ago(**passed: float) -> datetime:
    """So long ago, in whole seconds: Twilio writes no fractions."""
    return datetime.now(UTC).replace(microsecond=0) - timedelta(**passed)


def error(status: int, code: int, message: str) -> Answer:
    """https://www.twilio.com/docs/usage/twilios-response"""
    more = f"https://www.twilio.com/docs/errors/{code}"
    return Answer(status, {"code": code, "message": message, "more_info": more, "status": status})
