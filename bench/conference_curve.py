"""Run by `bench.conference` inside the application: conferences with many events, and what each event took."""

import time
from collections.abc import Iterator

from django.utils import timezone

from groups.models import Group, Membership
from users.models import User
from voice.conferences.events import receive_conference_event
from voice.models import Call

PEOPLE = 4
Event = tuple[str, str]


def curves(events: int) -> None:
    for name, story in (("mutes", mutes), ("calls again", rejoins)):
        group = Group.objects.create(name=name)
        people = [User.objects.create(email=f"{name}{n}@example.com", display_name=str(n)) for n in range(PEOPLE)]
        Membership.objects.bulk_create(Membership(group=group, user=user) for user in people)
        play(f"CF{group.pk}", group, people, list(story(events)))


def mutes(events: int) -> Iterator[Event]:
    yield from (("participant-join", f"CAm{n}") for n in range(PEOPLE))
    yield from (("participant-mute", f"CAm{n % PEOPLE}") for n in range(events - PEOPLE))


def rejoins(events: int) -> Iterator[Event]:
    for n in range(events // 2):
        yield "participant-join", f"CAr{n}"
        yield "participant-leave", f"CAr{max(0, n - PEOPLE)}"


def play(conference: str, group: Group, people: list[User], events: list[Event]) -> None:
    now = timezone.now()
    sids = dict.fromkeys(sid for _, sid in events)
    Call.objects.bulk_create(
        Call(sid=sid, group_id=group.pk, user_id=people[n % PEOPLE].pk) for n, sid in enumerate(sids)
    )
    took: list[float] = []
    for number, (kind, sid) in enumerate(events, 1):
        params = {"ConferenceSid": conference, "FriendlyName": str(group.pk), "SequenceNumber": str(number)}
        begun = time.perf_counter()
        receive_conference_event({**params, "StatusCallbackEvent": kind, "CallSid": sid}, now=now)
        took.append(1000 * (time.perf_counter() - begun))
    print(f"\n{group.name}: milliseconds an event, its lock held\n\n{'events before':>14}{'median':>9}{'p99':>9}")
    step = max(1, len(took) // 10)
    for start in range(0, len(took), step):
        part = sorted(took[start : start + step])
        print(f"{start:>14,}{part[len(part) // 2]:>9.2f}{part[int(len(part) * 0.99)]:>9.2f}", flush=True)
