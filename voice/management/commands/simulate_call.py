"""Plays a group call against a running server, through the webhooks that Twilio would post, truly signed."""

import time
from argparse import ArgumentTypeError
from random import Random
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from users.client_identity import client_identity
from voice.simulation.api_client import Server
from voice.simulation.captioned import TALKERS, Conversation
from voice.simulation.script import Caller, Webhook, disturb, script
from voice.simulation.telephone import Telephones
from voice.telephony.interface import telephony
from voice.telephony.sandbox_telephony import SandboxTelephony

MOST_MINUTES = 240


def percent(text: str) -> float:
    """ "5%" or "5" as 0.05"""
    try:
        share = float(text.removesuffix("%")) / 100
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise ArgumentTypeError(f"{text!r} is no share: use 0% to 100%.")
    return share


def length(text: str) -> float:
    """Minutes."""
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 < value <= MOST_MINUTES:
        raise ArgumentTypeError(f"{text!r} is no length: use minutes, up to {MOST_MINUTES}.")
    return value


class Command(BaseCommand):
    help = "Plays people joining, talking and leaving. For a server whose calls are sandboxed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("group", type=int, help="the group's id")
        parser.add_argument("--people", type=int, default=4, help="how many call; members first (%(default)s)")
        parser.add_argument("--minutes", type=length, default=3, help="how long the call lasts (%(default)s)")
        parser.add_argument(
            "--landlines", type=int, default=0, help="how many of the members dial in by telephone, with their PIN"
        )
        parser.add_argument(
            "--known", type=int, default=0, help="how many more of them dial in by the number that they have verified"
        )
        parser.add_argument("--shuffle", action="store_true", help="deliver the events in any order")
        parser.add_argument("--lose", type=percent, default=0.0, metavar="5%", help="lose a share of the events")
        parser.add_argument("--repeat", type=int, default=1, help="deliver each event so many times (%(default)s)")
        parser.add_argument(
            "--captions",
            action="store_true",
            help="instead a conversation of two minutes, as the stream tells it: of two members and somebody unknown, "
            "or, where sign-in is on, a member at a telephone",
        )
        parser.add_argument("--fast", action="store_true", help="do not wait between the events")
        parser.add_argument("--seed", type=int, help="for the same call again")
        parser.add_argument(
            "--as", default="", dest="email", metavar="EMAIL", help="whose eyes see it, where sign-in is on"
        )
        parser.add_argument("--url", default="", help="where the server listens (http://localhost:PORT)")

    def handle(self, *args: Any, **options: Any) -> None:
        if not isinstance(telephony(), SandboxTelephony):
            raise CommandError("Calls are real here: Twilio itself tells about them.")
        server, random = Server(options["url"], email=options["email"]), Random(options["seed"])  # noqa: S311  # repeatable, not secret
        if options["captions"]:
            self.converse(server, options["group"], random, is_fast=options["fast"])
            return
        telephones = options["landlines"], options["known"]
        callers = self.callers(server, options["group"], max(1, options["people"]), *telephones)
        webhooks = script(options["group"], callers, options["minutes"], random)
        told = disturb(
            webhooks, shuffle=options["shuffle"], lose=options["lose"], repeat=max(1, options["repeat"]), random=random
        )
        self.play(server, options["group"], told, pause=not options["fast"])

    def converse(self, server: Server, group_id: int, random: Random, *, is_fast: bool) -> None:
        """Raises CommandError where fewer than two people are in the group."""
        members = server("GET", f"/api/groups/{group_id}/groupMembers/detailed")[:TALKERS]
        if len(members) < TALKERS - 1:
            raise CommandError("A conversation needs two members of the group.")
        callers = [Caller(each["displayName"], client_identity(each["id"])) for each in members[: TALKERS - 1]]
        neighbour = Caller("the neighbour", "guest_1")  # whom nobody knows, and who is let in only without sign-in
        callers.append(self.by_telephone(server, group_id, members[-1]) if server.email else neighbour)
        writer = server.as_person(members[1]["email"])
        Conversation(server, group_id, callers, writer, self.stdout.write, is_fast, random).play()

    def callers(self, server: Server, group_id: int, count: int, landlines: int, known: int) -> list[Caller]:
        """The group's members, the last of them by telephone, and guests where they are too few."""
        members = server("GET", f"/api/groups/{group_id}/groupMembers/detailed")[:count]
        by_number = [self.by_number(server, member) for member in members[max(0, len(members) - known) :]]
        members = members[: len(members) - len(by_number)]
        by_app = max(0, len(members) - landlines)
        callers = [Caller(member["displayName"], client_identity(member["id"])) for member in members[:by_app]]
        callers += [self.by_telephone(server, group_id, member) for member in members[by_app:]]
        callers += by_number
        return callers + [Caller(f"Guest {number}", f"guest_{number}") for number in range(len(callers) + 1, count + 1)]

    def by_telephone(self, server: Server, group_id: int, member: dict[str, Any]) -> Caller:
        """Their own app shows them their PIN."""
        app = server.as_person(member["email"])
        told = app("GET", f"/api/groups/{group_id}/dialIn?userId={member['id']}")
        return Caller(member["displayName"], client_identity(member["id"]), told["pin"])

    def by_number(self, server: Server, member: dict[str, Any]) -> Caller:
        """Raises CommandError where they have verified none."""
        app = server.as_person(member["email"])
        number = app("GET", f"/api/users/{member['id']}/phoneVerification")["phoneNumber"]
        if not number:
            raise CommandError(f"{member['displayName']} has verified no telephone number.")
        return Caller(member["displayName"], client_identity(member["id"]), number=number)

    def play(self, server: Server, group_id: int, webhooks: list[Webhook], *, pause: bool) -> None:
        begun, telephones = time.monotonic(), Telephones(server)
        for number, webhook in enumerate(webhooks, 1):
            if pause:
                time.sleep(max(0.0, webhook.second - (time.monotonic() - begun)))
            telephones.post(webhook)
            on = [each["displayName"] for each in server("GET", f"/api/groups/{group_id}/callParticipants")]
            clock = f"{webhook.second // 60:02}:{webhook.second % 60:02}"
            self.stdout.write(
                f"{number:>3}/{len(webhooks)} {clock}  {webhook.told:<32} on the call: {', '.join(on) or 'nobody'}"
            )
