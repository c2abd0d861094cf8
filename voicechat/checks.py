"""What `manage.py check --deploy` says beside Django's own."""

from typing import Any

from django.conf import settings
from django.core.checks import Tags, Warning, register  # noqa: A004  # Django's name

from voicechat.startup import PROXY_WARNING, role_warning, trigger_warning


@register(Tags.security, deploy=True)
def proxies_are_named(**kwargs: Any) -> list[Warning]:
    return [] if settings.TRUSTED_PROXIES else [Warning(PROXY_WARNING, id="voicechat.W001")]


@register(Tags.database, deploy=True)
def the_server_does_not_own_its_tables(databases: Any = None, **kwargs: Any) -> list[Warning]:
    """Asked for by `--database default`."""
    warning = role_warning() if databases else ""
    return [Warning(warning, id="voicechat.W002")] if warning else []


@register(Tags.database, deploy=True)
def versions_are_raised(databases: Any = None, **kwargs: Any) -> list[Warning]:
    """Asked for by `--database default`."""
    warning = trigger_warning() if databases else ""
    return [Warning(warning, id="voicechat.W003")] if warning else []
