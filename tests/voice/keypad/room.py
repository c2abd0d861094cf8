"""Twilio's side of a conference that telephones leave and come back to."""

from email.utils import format_datetime

from django.utils import timezone


class Room:
    """A group's conference at Twilio: it ends with the last one, and the next one is another. Each label is let in
    once."""

    def __init__(self, tell):
        self.tell, self.number, self.times, self.on, self.labels = tell, 0, 0, set(), set()

    @property
    def sid(self):
        return f"CF{self.times}"

    def event(self, kind, sid="", **more):
        self.number += 1
        stamp = format_datetime(timezone.now())
        return self.number, kind, sid, self.sid, {"Timestamp": stamp, **more}

    def send(self, event):
        number, kind, sid, conference, more = event
        self.tell(number, kind, sid, conference=conference, **more)

    def joins(self, phone):
        """The event; of the phone's present TwiML."""
        if not self.on:
            self.times, self.number = self.times + 1, 0
        label = phone.conference.get("participantLabel")
        assert label not in self.labels
        self.labels.add(label)
        self.on.add(phone.sid)
        muted = phone.conference.get("muted", "false")
        return self.event("participant-join", phone.sid, ParticipantLabel=label, Muted=muted)

    def leaves(self, phone, status="in-progress"):
        """The events."""
        self.on.discard(phone.sid)
        more = {"ParticipantCallStatus": status, "ReasonParticipantLeft": "participant_hung_up"} if status else {}
        told = [self.event("participant-leave", phone.sid, **more)]
        return told if self.on else [*told, self.event("conference-end", phone.sid)]

    def join(self, phone):
        self.send(self.joins(phone))
        return phone

    def leave(self, phone, status="in-progress"):
        for event in self.leaves(phone, status):
            self.send(event)
