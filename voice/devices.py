"""Registering the devices that are notified."""

from collections.abc import Iterable
from uuid import uuid4

from django.db import transaction

from groups.models import Group
from voice.identity import person_of
from voice.models import Device
from voice.telephony import telephony


def register_device(
    *, identity: str, address: str, binding_type: str, endpoint: str | None, tags: Iterable[int]
) -> Device:
    """Makes Twilio's binding, then our own row. The address belongs to whoever registered it last."""
    groups = list(Group.objects.filter(pk__in=tags).order_by("pk"))
    binding = telephony().register_binding(
        identity=identity,
        address=address,
        binding_type=binding_type,
        endpoint=endpoint or f"{identity}:{uuid4().hex}",
        tags=[str(group.pk) for group in groups],
    )
    with transaction.atomic():
        device, _ = Device.objects.update_or_create(
            address=address,
            defaults={
                "user": person_of(identity),
                "identity": identity,
                "binding_type": binding_type,
                "sid": binding.sid,
                "endpoint": binding.endpoint,
            },
        )
        device.tags.set(groups)
    return device
