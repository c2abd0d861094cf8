"""How Twilio's conferences are named: CONFERENCE_PREFIX, which is this server's own, and the group's id."""

import re

from django.conf import settings

from core.wire import LARGEST_ID

ID = re.compile("0|[1-9][0-9]{0,18}")


def conference_name(group_id: int) -> str:
    return f"{settings.CONFERENCE_PREFIX}{group_id}"


def group_of_conference(name: str) -> int | None:
    """The id of the group whose conference is called so; None for a conference that is not this server's."""
    prefix: str = settings.CONFERENCE_PREFIX
    rest = name.removeprefix(prefix)
    if not name.startswith(prefix) or not ID.fullmatch(rest) or int(rest) > LARGEST_ID:
        return None
    return int(rest)
