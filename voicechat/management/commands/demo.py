"""Plays the main job over HTTP against a running server, as two clients would, and prints each step."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from voice.api_client import Server


class Command(BaseCommand):
    help = "Two people sign up, meet in a group, pay, and call: over HTTP against the running server."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", default="", help="where the server listens (http://localhost:PORT)")

    def handle(self, *args: Any, url: str, **options: Any) -> None:
        play(Server(url), self.stdout.write)


def play(server: Server, say: Callable[[str], object]) -> None:
    """The whole job, step by step. Raises CommandError at the first answer that is not what it should be."""
    anna, ben = (sign_up(server, name, say) for name in ("Anna", "Ben"))
    group = make_group(server, anna, ben, say)
    pay(server, anna, say)
    call(server, group, anna, say)
    look_back(server, group, anna, say)


def expect(wish: str, *, holds: bool) -> None:
    if not holds:
        raise CommandError(f"This should be so, and is not: {wish}")


def sign_up(server: Server, name: str, say: Callable[[str], object]) -> dict[str, Any]:
    email = f"{name.lower()}.{uuid4().hex[:8]}@example.com"
    person: dict[str, Any] = server("POST", "/api/users", {"email": email, "nickname": name})
    say(f" 1. {name} signs up: person {person['id']}, balance ${person['accountBalance']}")
    return person


def make_group(server: Server, anna: dict[str, Any], ben: dict[str, Any], say: Callable[[str], object]) -> str:
    group = server("POST", "/api/groups", {"name": "Anna and Ben"})
    path = f"/api/groups/{group['id']}"
    server("POST", f"{path}/groupOwners", {"userId": anna["id"]})
    server("POST", f"{path}/groupMembers", {"userId": anna["id"]})
    server("POST", f"{path}/activities", {"userId": anna["id"], "activity": "Created the group"})
    say(f" 2. Anna makes group {group['id']} and owns it")
    server("POST", f"{path}/groupInvitees", {"userId": ben["id"]})
    refs = server("GET", f"/api/users/{ben['id']}/groupsInvitedTo")
    expect("Ben sees the invitation", holds=[ref["groupId"] for ref in refs] == [group["id"]])
    say(" 3. She invites Ben, who sees the invitation")
    members = server("POST", f"{path}/groupMembers", {"userId": ben["id"]})
    server("DELETE", f"{path}/groupInvitees/{ben['id']}")
    server("POST", f"{path}/activities", {"userId": ben["id"], "activity": "Joined the group"})
    say(f" 4. Ben accepts: members are {', '.join(member['displayName'] for member in members)}")
    return path


def pay(server: Server, anna: dict[str, Any], say: Callable[[str], object]) -> None:
    card = server("POST", "/api/billing/updateCreditCard", {"userId": anna["id"], "sourceId": "tok_visa"})
    say(f" 5. Anna puts a card on file: {card['updatedSource']['brand']} ending in {card['updatedSource']['last4']}")
    paid = server("POST", "/api/billing/addMoney", {"userId": anna["id"], "amountToAdd": 20})
    expect("the balance is $20", holds=paid == {"updatedAccountBalance": 20})
    say(" 6. She adds $20")


def call(server: Server, path: str, anna: dict[str, Any], say: Callable[[str], object]) -> None:
    token = server("GET", f"/api/voice/accessToken?identity=u_{anna['id']}")
    say(f" 7. Her phone fetches a Twilio access token of {len(token)} characters")
    group_id = path.rpartition("/")[2]
    twiml = server.post_form("/api/voice/makeCall", {"to": group_id, "From": f"client:u_{anna['id']}"})
    expect("the call is let in", holds=f">{group_id}</Conference>" in twiml)
    say(f" 8. Twilio asks what to do with her call: {twiml}")
    say(" 9. Both talk, and Twilio tells about it:")
    call_command("simulate_call", int(group_id), people=2, fast=True, url=server.base)
    left = server("GET", f"{path}/callParticipants")
    expect("nobody is left on the call", holds=left == [])
    expect("the group is on no call", holds=server("GET", f"{path}/callStatus") == {"callStatus": False})
    say("10. Both have hung up")


def look_back(server: Server, path: str, anna: dict[str, Any], say: Callable[[str], object]) -> None:
    person = server("GET", f"/api/users/{anna['id']}/detailed")
    expect("the balance reads $20.00", holds=person["accountBalance"] == "20.00")
    activities = [entry["activity"] for entry in server("GET", f"{path}/activities")]
    expect("the activities are there, newest first", holds=activities == ["Joined the group", "Created the group"])
    say(f"11. Her balance reads ${person['accountBalance']}, the group's activities: {'; '.join(activities)}")
