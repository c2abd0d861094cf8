"""Plays the main job over HTTP against a running server, as two clients would, and prints each step."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core.jobs.standing import standing
from core.jobs.worker import do_all
from users.models import PendingVerification
from users.verification.interface import verification
from voice.models import Call
from voice.ringing.legs import DIALLED
from voice.simulation.api_client import Server
from voice.simulation.script import MAKE_CALL
from voice.simulation.telephone import answer_as_machine
from voice.telephony.sandbox_telephony import SandboxTelephony

CALLERS = 3
CHARGED = CALLERS + 1
"""A machine that answers costs its minute, too."""
PATIENCE = 30.0
"""Seconds: as long as it may take for a job to be begun again whose worker is killed at it, and some."""


class Command(BaseCommand):
    help = "People sign up, meet in a group, pay, ring and call: over HTTP against the running server."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", default="", help="where the server listens (http://localhost:PORT)")

    def handle(self, *args: Any, url: str, **options: Any) -> None:
        play(Server(url), self.stdout.write)


@dataclass(frozen=True)
class Person:
    """Somebody with the app. Where sign-in is on they sign in; in open mode nobody looks at their token."""

    app: Server
    id: int
    email: str

    def __call__(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return self.app(method, path, body)


def play(server: Server, say: Callable[[str], object]) -> None:
    """The whole job, step by step. Raises CommandError at the first answer that is not what it should be."""
    anna, ben, clara = (sign_up(server, name, say) for name in ("Anna", "Ben", "Clara"))
    group = make_group(anna, ben, say)
    join(anna, clara, group)
    verify_number(clara, say)
    pay(anna, say)
    ring(anna, clara, group, say)
    call(anna, group, say)
    look_back(anna, group, say)
    charge(anna, say)


def expect(wish: str, *, holds: bool) -> None:
    if not holds:
        raise CommandError(f"This should be so, and is not: {wish}")


def sign_up(server: Server, name: str, say: Callable[[str], object]) -> Person:
    email = f"{name.lower()}.{uuid4().hex[:8]}@example.com"
    app = server.as_person(email)
    account = app("POST", "/api/users", {"email": email, "nickname": name})
    say(f" 1. {name} signs up: person {account['id']}, balance ${account['accountBalance']}")
    return Person(app, account["id"], email)


def make_group(anna: Person, ben: Person, say: Callable[[str], object]) -> str:
    group = anna("POST", "/api/groups", {"name": "Anna and Ben"})
    path = f"/api/groups/{group['id']}"
    anna("POST", f"{path}/groupOwners", {"userId": anna.id})
    anna("POST", f"{path}/groupMembers", {"userId": anna.id})
    anna("POST", f"{path}/activities", {"userId": anna.id, "activity": "Created the group"})
    say(f" 2. Anna makes group {group['id']} and owns it")
    anna("POST", f"{path}/groupInvitees", {"userId": ben.id})
    refs = ben("GET", f"/api/users/{ben.id}/groupsInvitedTo")
    expect("Ben sees the invitation", holds=[ref["groupId"] for ref in refs] == [group["id"]])
    say(" 3. She invites Ben, who sees the invitation")
    members = ben("POST", f"{path}/groupMembers", {"userId": ben.id})
    ben("DELETE", f"{path}/groupInvitees/{ben.id}")
    ben("POST", f"{path}/activities", {"userId": ben.id, "activity": "Joined the group"})
    say(f" 4. Ben accepts: members are {', '.join(member['displayName'] for member in members)}. So does Clara")
    return path


def join(anna: Person, clara: Person, path: str) -> None:
    anna("POST", f"{path}/groupInvitees", {"userId": clara.id})
    clara("POST", f"{path}/groupMembers", {"userId": clara.id})
    clara("DELETE", f"{path}/groupInvitees/{clara.id}")


def verify_number(clara: Person, say: Callable[[str], object]) -> None:
    """The sandbox sends nothing: it says its code to who asks it."""
    path, number = f"/api/users/{clara.id}/phoneVerification", f"+1202555{uuid4().int % 10_000:04}"
    clara("POST", path, {"phoneNumber": number, "channel": "call"})
    code = verification().code_of(PendingVerification.objects.get(user=clara.id).sid)
    clara("POST", f"{path}/check", {"code": code})
    expect("the number is hers", holds=clara("GET", path)["phoneNumber"] == number)
    say(f"    Clara has no app. The code that a voice reads to her makes {number} hers")


def pay(anna: Person, say: Callable[[str], object]) -> None:
    card = anna("POST", "/api/billing/updateCreditCard", {"userId": anna.id, "sourceId": "tok_visa"})
    say(f" 5. Anna puts a card on file: {card['updatedSource']['brand']} ending in {card['updatedSource']['last4']}")
    paid = anna("POST", "/api/billing/addMoney", {"userId": anna.id, "amountToAdd": 20})
    expect("the balance is $20", holds=paid == {"updatedAccountBalance": 20})
    say(" 6. She adds $20")


def ring(anna: Person, clara: Person, path: str, say: Callable[[str], object]) -> None:
    rung = anna("POST", f"{path}/ring", {"userIds": [clara.id]})["ringing"]
    expect("her telephone rings", holds=rung == [{"userId": clara.id, "by": ["phone"]}])
    answer_as_machine(anna.app, rung_leg(clara))
    newest = anna("GET", f"{path}/activities")[0]["activity"]
    expect("nobody has answered", holds=newest == "has not answered the call")
    say("    Anna has her rung. A machine answers, presses nothing, and is on no call")


def rung_leg(person: Person) -> Call:
    """Once the worker has asked the sandbox to ring it."""
    ends = monotonic() + PATIENCE
    legs = Call.objects.filter(user_id=person.id, ring_id__isnull=False, status=DIALLED)
    while (leg := legs.first()) is None or not leg.is_named:
        expect("the telephone rings", holds=monotonic() < ends)
        do_where_no_worker_runs()
        sleep(0.2)
    return leg


def do_where_no_worker_runs() -> None:
    if not standing(timezone.now()).workers:
        do_all()


def call(anna: Person, path: str, say: Callable[[str], object]) -> None:
    token = anna("GET", f"/api/voice/accessToken?identity=u_{anna.id}")
    say(f" 7. Her phone fetches a Twilio access token of {len(token)} characters")
    group_id = path.rpartition("/")[2]
    params = {"to": group_id, "From": f"client:u_{anna.id}"}
    signature = SandboxTelephony().signature(url=f"{settings.PUBLIC_URL}{MAKE_CALL}", params=params)
    twiml = anna.app.post_form(MAKE_CALL, params, {"X-Twilio-Signature": signature})
    expect("the call is let in", holds=f">{group_id}</Conference>" in twiml)
    say(f" 8. Twilio asks what to do with her call: {twiml}")
    say(" 9. All talk: Ben from a landline where he types his PIN, Clara from hers, which is known. One of them mutes")
    say("    themself by the keypad. Twilio tells about it:")
    played = {"people": CALLERS, "landlines": 1, "known": 1, "fast": True}
    call_command("simulate_call", int(group_id), **played, url=anna.app.base, email=anna.email)
    left = anna("GET", f"{path}/callParticipants")
    expect("nobody is left on the call", holds=left == [])
    expect("the group is on no call", holds=anna("GET", f"{path}/callStatus") == {"callStatus": False})
    say("10. All have hung up")


def look_back(anna: Person, path: str, say: Callable[[str], object]) -> None:
    activities = [entry["activity"] for entry in anna("GET", f"{path}/activities")]
    rung = ["has not answered the call", "is being called to join"]
    expected = [*rung, "Joined the group", "Created the group"]
    expect("the activities are there, newest first", holds=activities == expected)
    say(f"11. The group's activities: {'; '.join(activities)}")


def charge(anna: Person, say: Callable[[str], object]) -> None:
    """Who asks for the price of a call is a worker, and where none runs, the demo itself."""
    if not standing(timezone.now()).workers:
        say("    No worker runs, so the demo does its work: `make run` starts one beside the server.")
        do_all()
    ends = monotonic() + PATIENCE
    while len(charges := [each for each in statement(anna) if each["kind"] == "call"]) < CHARGED:
        expect("the call is charged", holds=monotonic() < ends)
        sleep(0.2)
    say("12. The call is charged, and her statement explains it:")
    for entry in statement(anna):
        say(f"    {entry['amount']:>9}  {entry['memo']}, then ${entry['balanceAfter']}")
    total = sum((Decimal(each["amount"]) for each in charges), Decimal(0))
    account = anna("GET", f"/api/users/{anna.id}/detailed")
    left = (Decimal(20) + total).quantize(Decimal("0.01"))
    expect(f"the balance reads ${left}", holds=abs(Decimal(account["accountBalance"]) - left) <= Decimal("0.01"))
    say(f"13. Her balance reads ${account['accountBalance']}")


def statement(person: Person) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = person("GET", f"/api/users/{person.id}/statement")
    return entries
