"""A form knows what it has shown: only what its operator changed is written, and nobody's change is undone unseen."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms.models import model_to_dict
from django.http import Http404, QueryDict
from django.utils.datastructures import MultiValueDict

from core.legible import legible

MEANWHILE = (
    "This was changed to {now} since the page was opened; it was {was}. To put {yours} in its place, save again."
)


class AsShown:
    """Mixed into a model's form. Each field's value goes along as it was shown, in a hidden field beside it.

    What the operator has left alone is not written. What they have changed, and somebody else too, is told with both
    values before anything is saved; the next time it counts as seen.
    https://docs.djangoproject.com/en/stable/ref/forms/fields/#show-hidden-initial
    """

    fields: dict[str, forms.Field]
    cleaned_data: dict[str, Any]
    changed_data: list[str]
    data: Any
    instance: Model
    moved: list[str]
    """In words: what somebody else has changed, and this operator has not."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.moved = []
        is_bound: bool = self.is_bound  # type: ignore[attr-defined]  # a form's
        knows = not is_bound or any(name.startswith("initial-") for name in self.data)
        for field in self.fields.values():
            field.show_hidden_initial = knows and not field.disabled

    def clean(self) -> Any:
        cleaned = super().clean()  # type: ignore[misc]  # a form's
        self.compare()
        return cleaned

    def compare(self) -> None:
        """With the row as it is now, which is locked: it stays so until it is saved."""
        rows = type(self.instance)._base_manager.select_for_update(no_key=True)
        now = rows.filter(pk=self.instance.pk).first()
        if now is None:
            raise Http404
        current = model_to_dict(now, fields=self.fields)
        for name, field in self.fields.items():
            if field.show_hidden_initial and name in current:
                self.compare_field(name, field, now, current[name])

    def compare_field(self, name: str, field: forms.Field, now: Model, current: Any) -> None:
        bound: Any = self[name]  # type: ignore[index]  # a form's
        shown = field.hidden_widget().value_from_datadict(self.data, MultiValueDict(), bound.html_initial_name)
        has_moved, is_changed = field.has_changed(current, shown), name in self.changed_data
        if has_moved and is_changed and field.has_changed(current, bound.data):
            words = {"was": in_words(field, shown), "now": in_words(field, current)}
            told = MEANWHILE.format(**words, yours=in_words(field, bound.data))
            self.add_error(name, ValidationError(told, code="changed_meanwhile"))  # type: ignore[attr-defined]
            self.data = with_value(self.data, bound.html_initial_name, field.prepare_value(current))
        elif has_moved and not is_changed:
            self.moved.append(f"{bound.label}: {in_words(field, shown)}, now {in_words(field, current)}")
        if not is_changed:
            self.cleaned_data.pop(name, None)  # nor are the rows behind it, such as permissions, written
            column = getattr(now._meta.get_field(name), "attname", name)
            if column in now.__dict__:
                setattr(self.instance, column, getattr(now, column))


def with_value(data: Any, name: str, value: Any) -> QueryDict:
    copy: QueryDict = data.copy()
    values = value if isinstance(value, list | tuple) else [value]
    copy.setlist(name, ["" if each is None else str(each) for each in values])
    return copy


def in_words(field: forms.Field, value: Any) -> str:
    try:
        found = field.to_python(field.prepare_value(value))
    except ValidationError:
        found = value
    if isinstance(found, bool):
        return "yes" if found else "no"
    if isinstance(found, str | int | Model) and found != "":
        return f"“{legible(str(found))}”"
    several = [f"“{legible(str(each))}”" for each in found or ()]
    return ", ".join(several) or "nothing"
