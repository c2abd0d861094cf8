"""Telling devices now, each by its channel, and what became of them."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from rest_framework.exceptions import APIException

from groups.models import Device
from groups.notifications.channels import ChannelRefused, Missed, kinds_by_channel
from groups.notifications.devices import forget

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Outcome:
    """Each device stands in one of these."""

    sids: list[str] = field(default_factory=list)
    """The channels' ids of what they sent."""
    told: list[Device] = field(default_factory=list)
    gone: list[Device] = field(default_factory=list)
    refused: list[Device] = field(default_factory=list)
    """Also those whose kind no channel serves any more."""
    missed: list[Missed] = field(default_factory=list)
    failure: APIException | None = None
    """Of the first channel that could not be asked at all."""


def send(devices: Iterable[Device], *, body: str, group_id: int | None) -> Outcome:
    """Tries each device once, and forgets those that are no more. A channel that fails leaves the others alone.

    Raises NotConfigured where there is no channel.
    """
    outcome, left = Outcome(), list(devices)
    for channel, kinds in kinds_by_channel():
        some = [device for device in left if device.binding_type in kinds]
        left = [device for device in left if device.binding_type not in kinds]
        if not some:
            continue
        try:
            sent = channel.send(devices=some, body=body, group_id=group_id)
        except APIException as error:
            logger.warning("%s could not tell %s devices: %s", channel.name, len(some), type(error).__name__)
            outcome.failure = outcome.failure or error
            if isinstance(error, ChannelRefused):
                outcome.refused += some
            else:
                outcome.missed += map(Missed, some)
        else:
            outcome.sids.append(sent.sid)
            outcome.gone += sent.gone
            outcome.refused += sent.refused
            outcome.missed += sent.missed
            others = {id(each) for each in (*sent.gone, *sent.refused, *(missed.device for missed in sent.missed))}
            outcome.told += [device for device in some if id(device) not in others]
    outcome.refused += left
    for device in outcome.gone:
        forget(device)
    return outcome
