"""What follows the end of a group or a person: their calls end at Twilio, after the commit.

Where Twilio does not answer then, `manage.py reconcile_calls` ends them later.
"""

import logging
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, pre_delete
from rest_framework.exceptions import APIException

from groups.models import Group
from users.models import User
from voice.models import Call
from voice.telephony import telephony

logger = logging.getLogger(__name__)


def end_group_call(sender: type[Group], instance: Group, **kwargs: Any) -> None:
    if instance.call_status or Call.objects.filter(group_id=instance.pk, is_on=True).exists():
        transaction.on_commit(partial(end_conference, instance.pk), robust=True)


def end_persons_legs(sender: type[User], instance: User, **kwargs: Any) -> None:
    for sid in Call.objects.filter(user_id=instance.pk, end_time=None).values_list("sid", flat=True):
        transaction.on_commit(partial(end_leg, sid), robust=True)


def end_conference(group_id: int) -> None:
    try:
        telephony().end_conference(group_id=group_id)
    except APIException as error:
        logger.warning("The call of the deleted group %s was not ended: %s", group_id, error)


def end_leg(sid: str) -> None:
    try:
        telephony().end_call(call_sid=sid)
    except APIException as error:
        logger.warning("Call %s of a deleted person was not ended: %s", sid, error)


def connect() -> None:
    post_delete.connect(end_group_call, sender=Group, dispatch_uid="voice.end_group_call")
    pre_delete.connect(end_persons_legs, sender=User, dispatch_uid="voice.end_persons_legs")
