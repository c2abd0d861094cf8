"""In which language a caller is spoken to."""

from collections.abc import Iterable

from voice.models import GroupCall
from voice.sentences import ENGLISH, language_at, language_for


def language_of(group_ids: Iterable[int | None] = (), *, dialled: str = "") -> str:
    """That of these groups, where they all have the same; else that of the number that was dialled. Where nobody knows
    yet to which group a call leads, its own number tells."""
    groups = {group_id or 0 for group_id in group_ids}
    rows = GroupCall.objects.exclude(language="")
    if not groups:
        chosen = rows.filter(group__dial_in_numbers__number=dialled).first()
        return language_for(chosen.language) if chosen else language_at(dialled)
    known = dict(rows.filter(group__in=groups).values_list("group", "language"))
    languages = {language_for(known.get(group_id, ENGLISH)) for group_id in groups}
    return languages.pop() if len(languages) == 1 else language_at(dialled)
