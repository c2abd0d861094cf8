"""What a person's whole story tells of their telephones, their sign-in, what they asked for, and what operators did."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin.models import LogEntry
from django.urls import reverse

from users.models import Erasure, Export, PendingVerification, StreamTicket, User, VendorDeletion, VerifiedNumber
from users.operators import person_link
from users.operators.story import Part, bdi, in_story, linked, listed, newest


@in_story("Telephones and sign-in", VerifiedNumber)
def verified_number(person_id: int) -> Part:
    columns = {"number": lambda row: row.number, "since": lambda row: row.verified_at}
    return newest("Verified number", VerifiedNumber.objects.filter(user=person_id), columns)


@in_story("Telephones and sign-in", PendingVerification)
def waited_for(person_id: int) -> Part:
    columns = {
        "number": lambda row: row.number,
        "sent": lambda row: row.get_channel_display(),
        "tries": lambda row: row.tries,
        "until": lambda row: row.expires_at,
    }
    return newest("Code that is waited for", PendingVerification.objects.filter(user=person_id), columns)


@in_story("Telephones and sign-in", User)
def sign_in(person_id: int) -> Part:
    """When somebody last came by it is kept nowhere: tokens are verified, and not counted."""
    columns = {
        "issuer": lambda row: bdi(row.oidc_issuer) or "none yet",
        "sign-in": lambda row: bdi(row.oidc_subject),
        "active": lambda row: "yes" if row.is_active else "no",
        "last in the admin": lambda row: row.last_login,
    }
    return newest("Sign-in", User.objects.filter(pk=person_id), columns)


@in_story("Telephones and sign-in", StreamTicket)
def tickets(person_id: int) -> Part:
    columns = {"good until": lambda row: row.until, "signed in until": lambda row: row.signed_in_until}
    return newest("Tickets for a stream, not used", StreamTicket.objects.filter(user=person_id), columns, by="-until")


@in_story("Exports and deletions", Export)
def exports(person_id: int) -> Part:
    columns = {"asked for": lambda row: row.ordered_at, "made": lambda row: row.made_at or "not yet"}
    rows = Export.objects.filter(user=person_id).only("ordered_at", "made_at")
    return newest("Exports that are kept", rows, columns, by="-ordered_at")


@in_story("Exports and deletions", Erasure)
def erasures(person_id: int) -> Part:
    columns = {"deleted": lambda row: linked(row, f"#{row.person_id}"), "at": lambda row: row.erased_at}
    return newest("Deleted here", Erasure.objects.filter(person_id=person_id), columns)


@in_story("Exports and deletions", VendorDeletion)
def left_at_vendors(person_id: int) -> Part:
    columns = {
        "asked": lambda row: row.asked_at,
        "what": lambda row: row.get_kind_display(),
        "name": lambda row: bdi(row.name),
        "tries": lambda row: row.tries,
        "last fault": lambda row: row.fault,
    }
    rows = VendorDeletion.objects.filter(person_id=person_id)
    return newest("Vendors have yet to delete", rows, columns, listed(VendorDeletion, f"q={person_id}"))


@in_story("Done", User)
def done_to(person_id: int) -> Part:
    rows = LogEntry.objects.filter(
        content_type__app_label="users", content_type__model="user", object_id=str(person_id)
    )
    history = reverse("admin:users_user_history", args=[person_id])
    return newest("By operators, on their page", rows.select_related("user"), DONE, history)


@in_story("Done", LogEntry)
def done_by(person_id: int) -> Part:
    of_what = {"what": lambda row: bdi(row.object_repr), "done": DONE["done"]}
    rows = LogEntry.objects.filter(user=person_id)
    return newest("By this person, as an operator", rows, {"at": DONE["at"], **of_what})


DONE: dict[str, Callable[[Any], Any]] = {
    "at": lambda row: row.action_time,
    "by": lambda row: person_link(row.user_id, row.user.display_name, row.user.email),
    "done": lambda row: bdi(row.get_change_message()) or row.get_action_flag_display().lower(),
}
