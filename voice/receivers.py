"""What follows the end of a group: its call ends at Twilio, after the commit."""

import logging
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete
from rest_framework.exceptions import APIException

from groups.models import Group
from voice.models import Call
from voice.telephony import telephony

logger = logging.getLogger(__name__)


def end_call(sender: type[Group], instance: Group, **kwargs: Any) -> None:
    if instance.call_status or Call.objects.filter(group_id=instance.pk, is_on=True).exists():
        transaction.on_commit(partial(hang_up, instance.pk), robust=True)


def hang_up(group_id: int) -> None:
    try:
        telephony().end_conference(group_id=group_id)
    except APIException as error:
        logger.warning("The call of the deleted group %s was not ended: %s", group_id, error)


def connect() -> None:
    post_delete.connect(end_call, sender=Group, dispatch_uid="voice.end_call")
