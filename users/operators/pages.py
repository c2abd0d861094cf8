"""What holds for every page of the operators', whichever app it is of."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.messages import WARNING
from django.core.exceptions import PermissionDenied
from django.db import DataError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import cached_property

from core.transactions import lock_rows
from users.models import User
from users.operators.changes import AsShown
from users.operators.deleting import what_goes
from users.operators.lists_as_csv import ASKED, list_as_csv, without
from users.operators.one_write import as_one_write
from users.operators.paging import TEMPLATE, KeysFirst, Paged, ShownFormSet
from users.operators.reasons import reason_of


class ReadableList(ChangeList):
    """A filter in the address that no row could ever match, such as the year 99999, is left off, and no fault.

    A column that shows a row of another table is sorted by its id: nothing is joined to rows that are skipped.
    """

    def get_ordering_field(self, field_name: Any) -> Any:
        name = super().get_ordering_field(field_name)
        field = self.fields_by_name.get(name) if isinstance(name, str) else None
        return field.attname if field is not None and field.many_to_one else name

    @cached_property
    def fields_by_name(self) -> dict[str, Any]:
        return {field.name: field for field in self.lookup_opts.concrete_fields}

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().get_queryset(request, *args, **kwargs)
        except (ValueError, OverflowError) as error:
            raise IncorrectLookupParameters(error) from error

    def get_results(self, request: HttpRequest) -> None:
        try:
            super().get_results(request)
            self.result_list = list(self.result_list)  # asked for here, or the page would meet the fault
        except (ValueError, OverflowError, DataError) as error:
            raise IncorrectLookupParameters(error) from error


class SaidFilter(admin.AllValuesFieldListFilter):
    """Every value that there is; the one without a word is named too."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        return ({**each, "display": each["display"] or "none"} for each in super().choices(changelist))


class AskedAgain(admin.ModelAdmin[Any]):
    """What holds for every page. It asks once more whether the operator may, where a write has its lock: `is_active`,
    `is_staff`, and the right. What is refused is undone: all of an operator's writes are one transaction.

    Only what the operator has changed is written, and what changed underneath is told first. Where a reason was asked
    for, it stands in the history.
    """

    paginator = KeysFirst
    show_full_result_count = False  # a second count of everything, beside that of what is found

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001  # Django's
        if change and not lock_rows(type(obj)._base_manager.filter(pk=obj.pk).only("pk")):
            raise Http404
        ask_operator_again(request)
        if not (self.has_change_permission(request, obj) if change else self.has_add_permission(request)):
            raise PermissionDenied
        save_changes(obj, form, change=change)
        if moved := getattr(form, "moved", None):
            self.message_user(request, f"Changed by others meanwhile, and left so: {'; '.join(moved)}.", WARNING)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        reason = reason_of(request)
        return super().log_change(request, obj, f"{message} {reason}" if reason else message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Before they go. What names a person is taken out of it when they do."""
        reason = reason_of(request)
        words = f"Deleted: {reason}" if reason else ""
        return LogEntry.objects.log_actions(request.user.pk or 0, queryset, DELETION, change_message=words)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ReadableList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """As CSV where the address says so, to whoever may look at the list."""
        if request.method != "GET" or ASKED not in request.GET:
            return super().changelist_view(request, extra_context)
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        request.GET = without(request.GET, ASKED)  # type: ignore[assignment]  # a copy of it
        try:
            return list_as_csv(self, request)
        except IncorrectLookupParameters:
            return super().changelist_view(request, extra_context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002  # Django's
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        return type(form)(form.__name__, (AsShown, form), {}) if change else form

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        return what_goes(objs, request, self.admin_site)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Asks afterwards: a deletion takes its locks itself, in the order that all keep."""
        row = obj.pk
        super().delete_model(request, obj)
        self.ask_after_deletion(request, {row})

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        rows = set(queryset.values_list("pk", flat=True))
        super().delete_queryset(request, queryset)
        self.ask_after_deletion(request, rows)

    def ask_after_deletion(self, request: HttpRequest, rows: set[Any]) -> None:
        ask_operator_again(request)
        if not self.has_delete_permission(request):
            raise PermissionDenied

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any) -> Any:
        return as_one_write(request, partial(super().response_action, request, queryset, *args, **kwargs))

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        view = partial(super().changeform_view, request, *args, **kwargs)
        return as_one_write(request, view) if request.method == "POST" else view()

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        view = partial(super().delete_view, request, *args, **kwargs)
        return as_one_write(request, view) if request.method == "POST" else view()


def ask_operator_again(request: HttpRequest) -> None:
    """The request's user is then as they are now, with the rights that they have now. Raises PermissionDenied."""
    now = User.objects.filter(pk=request.user.pk or 0, is_active=True, is_staff=True).first()
    if now is None:
        raise PermissionDenied
    request.user = now


def save_changes(row: Any, form: Any, *, change: bool) -> None:
    """Writes only what the operator has changed: the rest, such as the balance, may have moved since."""
    changed = {*form.changed_data}
    if "call_status" in changed:  # it counts from now on
        row.call_status_at = timezone.now()
        changed.add("call_status_at")
    row.save(update_fields={field.name for field in row._meta.concrete_fields} & changed if change else None)


class ReadOnly:
    """A page or inline that shows rows and refuses every change, to superusers too."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, AskedAgain):
    pass


class ReadOnlyInline(ReadOnly, Paged, admin.TabularInline[Any, Any]):
    extra = 0
    formset = ShownFormSet
    template = TEMPLATE

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields  # Django builds a form even where nobody may write, and a form takes no computed column
