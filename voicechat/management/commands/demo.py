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
from voice.simulation.api_client import Server
from voice.simulation.script import MAKE_CALL
from voice.telephony.sandbox_telephony import SandboxTelephony

CALLERS = 2
PATIENCE = 30.0
"""Seconds: as long as it may take for a job to be begun again whose worker is killed at it, and some."""


class Command(BaseCommand):
    help = "Two people sign up, meet in a group, pay, and call: over HTTP against the running server."

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
    anna, ben = (sign_up(server, name, say) for name in ("Anna", "Ben"))
    group = make_group(anna, ben, say)
    pay(anna, say)
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
    say(f" 4. Ben accepts: members are {', '.join(member['displayName'] for member in members)}")
    return path


def pay(anna: Person, say: Callable[[str], object]) -> None:
    card = anna("POST", "/api/billing/updateCreditCard", {"userId": anna.id, "sourceId": "tok_visa"})
    say(f" 5. Anna puts a card on file: {card['updatedSource']['brand']} ending in {card['updatedSource']['last4']}")
    paid = anna("POST", "/api/billing/addMoney", {"userId": anna.id, "amountToAdd": 20})
    expect("the balance is $20", holds=paid == {"updatedAccountBalance": 20})
    say(" 6. She adds $20")


def call(anna: Person, path: str, say: Callable[[str], object]) -> None:
    token = anna("GET", f"/api/voice/accessToken?identity=u_{anna.id}")
    say(f" 7. Her phone fetches a Twilio access token of {len(token)} characters")
    group_id = path.rpartition("/")[2]
    params = {"to": group_id, "From": f"client:u_{anna.id}"}
    signature = SandboxTelephony().signature(url=f"{settings.PUBLIC_URL}{MAKE_CALL}", params=params)
    twiml = anna.app.post_form(MAKE_CALL, params, {"X-Twilio-Signature": signature})
    expect("the call is let in", holds=f">{group_id}</Conference>" in twiml)
    say(f" 8. Twilio asks what to do with her call: {twiml}")
    say(" 9. Both talk, Ben from a landline where he types his PIN, and Twilio tells about it:")
    played = {"people": CALLERS, "landlines": 1, "fast": True}
    call_command("simulate_call", int(group_id), **played, url=anna.app.base, email=anna.email)
    left = anna("GET", f"{path}/callParticipants")
    expect("nobody is left on the call", holds=left == [])
    expect("the group is on no call", holds=anna("GET", f"{path}/callStatus") == {"callStatus": False})
    say("10. Both have hung up")


def look_back(anna: Person, path: str, say: Callable[[str], object]) -> None:
    activities = [entry["activity"] for entry in anna("GET", f"{path}/activities")]
    expect("the activities are there, newest first", holds=activities == ["Joined the group", "Created the group"])
    say(f"11. The group's activities: {'; '.join(activities)}")


def charge(anna: Person, say: Callable[[str], object]) -> None:
    """Who asks for the price of a call is a worker, and where none runs, the demo itself."""
    if not standing(timezone.now()).workers:
        say("    No worker runs, so the demo does its work: `make run` starts one beside the server.")
        do_all()
    ends = monotonic() + PATIENCE
    while len(charges := [each for each in statement(anna) if each["kind"] == "call"]) < CALLERS:
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
