"""Before a person goes, whoever deletes them: the API, the admin, a command. Permission is asked once more, and what
Django's own tables keep of them is forgotten."""

import json
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet
from django.db.models.signals import pre_delete
from django.utils import timezone

from users.erasing import DELETED, goers, marks_of, names_of, redact, saying, without
from users.models import Erasure, User
from users.services import HasHistory, ask_again_before_it_goes, with_history


def lock_and_ask_again(sender: type[User], instance: User, **kwargs: Any) -> None:
    """This app is set up last, so that the apps above have locked the person's groups by now."""
    User.objects.select_for_update(no_key=True).filter(pk=instance.pk).first()
    ask_again_before_it_goes(instance)


def keep_history(sender: type[User], instance: User, **kwargs: Any) -> None:
    """Raises HasHistory for an operator's account: it would take along what they did."""
    if with_history({instance.pk}):
        raise HasHistory


def forget_in_history(sender: type[User], instance: User, origin: User | QuerySet[User], **kwargs: Any) -> None:
    """What operators did in the admin stays, and of whom only the id.

    In their own words an email or a number goes, and in why something was done to the person a name; in a list of what
    they changed (JSON), names of rows go, too.
    """
    about = Q(content_type__app_label="users", content_type__model="user", object_id=str(instance.pk))
    LogEntry.objects.filter(about).update(object_repr=f"{DELETED} {instance.pk}")
    marks = marks_of(instance)
    redact(LogEntry.objects.all(), "object_repr", marks)
    redact(LogEntry.objects.exclude(change_message__startswith="["), "change_message", marks)
    names = names_of(instance, goers(instance, origin))
    redact(LogEntry.objects.filter(about).exclude(change_message__startswith="["), "change_message", names)
    lists = LogEntry.objects.filter(saying("change_message", names), change_message__startswith="[")
    for entry in lists:
        message = json.dumps(renamed(json.loads(entry.change_message), names))
        LogEntry.objects.filter(pk=entry.pk).update(change_message=message)


def renamed(changes: Any, names: list[str]) -> Any:
    """The changes without these names in the "object" of each, which is how the changed row calls itself."""
    nameless = without(names)
    if isinstance(changes, list):
        return [renamed(each, names) for each in changes]
    if not isinstance(changes, dict):
        return changes
    return {
        key: nameless(value) if key == "object" and isinstance(value, str) else renamed(value, names)
        for key, value in changes.items()
    }


def end_sessions(sender: type[User], instance: User, **kwargs: Any) -> None:
    """Those of the admin, if they ever signed in there. A session says only inside whose it is."""
    if instance.last_login is None:
        return
    for session in Session.objects.iterator():
        if session.get_decoded().get(SESSION_KEY) == str(instance.pk):
            session.delete()


def record(sender: type[User], instance: User, **kwargs: Any) -> None:
    """No row of before may stand in the way of an end: somebody may have been given an id of old by hand."""
    Erasure.objects.bulk_create([Erasure(person_id=instance.pk, erased_at=timezone.now())], ignore_conflicts=True)


def connect() -> None:
    pre_delete.connect(lock_and_ask_again, sender=User, dispatch_uid="users.lock_and_ask_again")
    pre_delete.connect(keep_history, sender=User, dispatch_uid="users.keep_history")
    pre_delete.connect(forget_in_history, sender=User, dispatch_uid="users.forget_in_history")
    pre_delete.connect(end_sessions, sender=User, dispatch_uid="users.end_sessions")
    pre_delete.connect(record, sender=User, dispatch_uid="users.record")
