"""Lists of a million rows, whose last page is as quick as the first; and lists inside a page, a hundred rows at a time:
a group may have thousands of people.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet
from django.forms.formsets import DELETION_FIELD_NAME
from django.http import HttpRequest, QueryDict

from core.legible import legible

PER_PAGE = 100
TEMPLATE = "admin/paged_tabular.html"


class KeysFirst(Paginator[Any]):
    """Finds a page's keys first, counted from the nearer end, and then reads those rows alone.

    Of the rows that are skipped nothing is read but what they are sorted by: no column that is looked up in another
    table, and no row that is joined.
    """

    object_list: QuerySet[Any]

    def page(self, number: int | str) -> Page[Any]:
        number = self.validate_number(number)
        if self.count <= self.per_page:
            return super().page(number)
        first = (number - 1) * self.per_page
        last = min(first + self.per_page, self.count)
        rows = self.object_list.filter(pk__in=self.keys(first, last))
        return Page(rows, number, self)

    def keys(self, first: int, last: int) -> list[Any]:
        keys = self.object_list.prefetch_related(None).values_list("pk", flat=True)
        if first <= self.count - last:
            return list(keys[first:last])
        return list(keys.reverse()[self.count - last : self.count - first])


class Paged:
    """Mixed into an inline whose formset is one of those below."""

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        made: Any = super().get_formset(request, obj, **kwargs)  # type: ignore[misc]  # an inline's; a class of its own
        made.asked = request.GET
        return made


class PagedFormSet(BaseInlineFormSet[Any, Any, Any]):
    """Shows the page that the address asks for, and takes back the rows that were shown, wherever they stand by now.

    A row that is gone meanwhile counts for nothing: whoever would take it off has what they want.
    """

    asked: QueryDict
    model: type[Any]

    @property
    def number(self) -> int:
        asked = self.asked.get(f"{self.prefix}-page", "")
        return max(int(asked), 1) if asked.isdecimal() and len(asked) < 9 else 1

    def add_fields(self, form: Any, index: int | None) -> None:
        """Each with a name of its own: in a table the words stand at the column alone."""
        super().add_fields(form, index)
        for name, field in form.fields.items():
            widget = getattr(field.widget, "widget", field.widget)  # Django wraps those that lead to other rows
            words = f"Delete {form.instance}" if name == DELETION_FIELD_NAME else field.label
            if words and not widget.is_hidden:
                widget.attrs.setdefault("aria-label", legible(str(words)))

    def get_queryset(self) -> QuerySet[Any]:
        if not hasattr(self, "_on_page"):
            rows, first = super().get_queryset(), (self.number - 1) * PER_PAGE
            self._on_page = self.sent_back(rows) if self.is_bound else rows[first : first + PER_PAGE]
        return self._on_page

    def sent_back(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(pk__in=[pk for pk in map(self.key, range(self.sent)) if pk is not None])

    @property
    def sent(self) -> int:
        return min(self.management_form.cleaned_data["INITIAL_FORMS"] or 0, self.absolute_max)

    def key(self, number: int) -> Any:
        pk = self.model._meta.pk
        try:
            return pk.to_python(self.data.get(f"{self.add_prefix(number)}-{pk.name}"))
        except ValidationError:
            return None

    def _existing_object(self, pk: Any) -> Any:
        """One that is gone is stood in for, so that the others keep their places."""
        found = super()._existing_object(pk)  # type: ignore[misc]  # Django's own, without a type
        if found is None:
            found = self.model(pk=pk)
            found._state.adding = False
        return found

    def pager(self) -> dict[str, int] | None:
        """For the template; None where all rows are on one page."""
        if self.number == 1 and not self.is_bound and len(self.get_queryset()) < PER_PAGE:
            return None
        count = super().get_queryset().count()
        last = -(-count // PER_PAGE)
        if last < 2 and self.number == 1:
            return None
        return {"count": count, "number": self.number, "last": last, "back": self.number - 1, "on": self.number + 1}


class ShownFormSet(PagedFormSet):
    """Rows that are shown alone: whatever comes back for them is not looked at."""

    def __init__(self, data: Any = None, files: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(None, None, *args, **kwargs)

    def is_valid(self) -> bool:
        return True

    def save(self, commit: bool = True) -> list[Any]:  # noqa: FBT001, FBT002  # Django's
        self.new_objects: list[Any] = []
        self.changed_objects: list[Any] = []
        self.deleted_objects: list[Any] = []
        return []
