"""What a client makes of a stream: its events, and the state that they leave it in."""

import json
from typing import Any, NamedTuple

LISTS = ("callStatus", "callParticipants", "groupOwners", "groupMembers", "groupInvitees", "group")


class Event(NamedTuple):
    id: str
    name: str
    data: Any


def events_of(stream: bytes) -> list[Event]:
    """Whole ones alone: what follows on the last empty line is the beginning of one that did not come."""
    return [each for block in stream.decode().split("\n\n")[:-1] if (each := event_of(block))]


def event_of(block: str) -> Event | None:
    fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
    return Event(fields["id"], fields["event"], json.loads(fields["data"])) if "event" in fields else None


class Page:
    """Reads everything once, and then goes by events alone."""

    def __init__(self, get: Any, user_id: int) -> None:
        self.get, self.user_id, self.place = get, user_id, ""
        self.groups: dict[int, dict[str, Any]] = {}
        self.person: dict[str, Any] = {}
        self.activities: dict[int, list[int]] = {}
        self.captions: dict[int, list[int]] = {}
        self.resets = 0

    def read_all(self) -> None:
        self.person = self.person_now()
        lists = ("groupsOwned", "groupsBelongedTo", "groupsInvitedTo")
        ids = {ref["groupId"] for name in lists for ref in self.person["groups"][name]}
        self.groups = {group: self.group_now(group) for group in ids}

    def person_now(self) -> dict[str, Any]:
        base = f"/api/users/{self.user_id}"
        lists = ("groupsOwned", "groupsBelongedTo", "groupsInvitedTo")
        groups = {name: self.get(f"{base}/{name}").json() for name in lists}
        return {"groups": groups, "accountBalance": self.get(f"{base}/accountBalance").json()}

    def group_now(self, group: int) -> dict[str, Any]:
        base = f"/api/groups/{group}"
        now = {name: self.get(f"{base}/{name}").json() for name in LISTS[1:-1]}
        return {**now, **self.get(f"{base}/callStatus").json(), "group": self.get(base).json()}

    def apply(self, events: list[Event]) -> None:
        for each in events:
            self.place = each.id
            if each.name == "reset":
                self.resets += 1
                self.read_all()
            elif each.name == "activity":
                self.activities.setdefault(each.data["groupId"], []).append(each.data["activity"]["id"])
            elif each.name == "caption" and each.data["final"]:
                self.captions.setdefault(each.data["groupId"], []).append(each.data["caption"]["id"])
            elif each.name in self.person:
                self.person[each.name] = each.data
            elif each.name == "group" and each.data["group"] is None:
                self.groups.pop(each.data["groupId"], None)
            elif each.name in LISTS:
                self.groups.setdefault(each.data["groupId"], {})[each.name] = each.data[each.name]
