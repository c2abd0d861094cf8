"""What is asked before a deletion: all that goes. Where very much hangs on a row, its beginning and how much it is."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.utils import NestedObjects, quote
from django.db import router
from django.db.models import CASCADE, Model, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.text import capfirst

SHOWN = 100
"""So many rows of one kind that hang on another one: a group may have a hundred thousand members."""


class Shortened(NestedObjects):
    """Collects for the page, as Django does, but no more than that of what hangs on a row. The others are counted."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.left_out: Counter[type[Model]] = Counter()

    def related_objects(self, related_model: type[Model], related_fields: Any, objs: Any) -> QuerySet[Any]:
        rows = super().related_objects(related_model, related_fields, objs)
        if any(field.remote_field.on_delete is not CASCADE for field in related_fields):
            return rows  # these stay
        shown = rows[: SHOWN + 1]
        if len(shown) <= SHOWN:
            return shown
        self.left_out[related_model] += rows.count() - SHOWN
        return rows[:SHOWN]


def what_goes(objs: Sequence[Model] | QuerySet[Any], request: HttpRequest, site: AdminSite) -> Any:
    """As Django's `get_deleted_objects`: a nested list for the template, counts, refused kinds, and protected rows.

    https://docs.djangoproject.com/en/stable/ref/contrib/admin/#django.contrib.admin.ModelAdmin.get_deleted_objects
    """
    if not objs:
        return [], {}, set(), []
    collector = Shortened(using=router.db_for_write(type(objs[0])), origin=objs)
    collector.collect(objs)
    found: dict[type[Model], set[Any]] = collector.model_objs  # type: ignore[assignment]  # the stubs say text
    refused = {
        str(model._meta.verbose_name)
        for model, rows in found.items()
        if site.is_registered(model)
        for row in rows
        if not site.get_model_admin(model).has_delete_permission(request, row)
    }
    rows = collector.nested(lambda row: told(row, site))
    rows += [f"And {count:,} more {model._meta.verbose_name_plural}" for model, count in collector.left_out.items()]
    counts = {model._meta.verbose_name_plural: len(shown) + collector.left_out[model] for model, shown in found.items()}
    return rows, counts, refused, [told(row, site) for row in collector.protected]


def told(row: Model, site: AdminSite) -> str:
    """With a link to its page, where it has one."""
    opts = row._meta
    kind = capfirst(opts.verbose_name)
    try:
        page = reverse(f"{site.name}:{opts.app_label}_{opts.model_name}_change", args=(quote(row.pk),))
    except NoReverseMatch:
        return f"{kind}: {row}"
    return format_html('{}: <a href="{}">{}</a>', kind, page, row)
