"""The forms on an admin's page that move money; on an account's two: adjust its balance, give money back to a card."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import AdminForm
from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from rest_framework.exceptions import APIException

from billing.admin.columns import exact_dollars
from billing.admin.forms import AdjustmentForm, MoneyForm, RefundForm
from billing.models import Account
from core.failpoints import failpoint
from users.operators import password_first
from users.operators.pages import ask_operator_again

FORM = "admin/billing/account/money_form.html"
PERMISSION = "billing.change_account"


class MoneyPages(admin.ModelAdmin[Any]):
    """Lets staff with the permission `billing.change_account` move money from a row's page, and writes down who did."""

    def rows_with_money(self) -> QuerySet[Any]:
        """The rows whose pages have such forms."""
        raise NotImplementedError

    def form_path(self, name: str, form: Callable[..., MoneyForm], title: str) -> URLPattern:
        view = self.admin_site.admin_view(partial(self.move_money, form_class=form, title=title))
        return path(f"<int:row_id>/{name}/", view, name=f"{self.opts.app_label}_{self.opts.model_name}_{name}")

    def move_money(
        self, request: HttpRequest, row_id: int, *, form_class: Callable[..., MoneyForm], title: str
    ) -> HttpResponse:
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        row = get_object_or_404(self.rows_with_money(), pk=row_id)
        if request.method == "POST" and (asked := password_first(request)):
            return asked
        form = form_class(row, request.POST if request.method == "POST" else None)
        if form.is_valid() and self.is_done(request, form):
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", row.pk)
        return self.show(request, form, title)

    def is_done(self, request: HttpRequest, form: MoneyForm) -> bool:
        """What the service refuses is shown in the form, with all that was written there."""
        failpoint("before_money_form")
        try:
            self.message_user(request, form.save(log=self.log_of(request, form.original)))
        except APIException as error:
            form.refuse(error)
        return form.is_valid()

    def log_of(self, request: HttpRequest, row: Model) -> Callable[[str], None]:
        """Writes to the row's history, once in the same words: a form that is sent twice is written down once.

        A form does so when it has its locks; where the operator may no more, all of it is undone.
        """

        def log(words: str) -> None:
            ask_operator_again(request)
            if not request.user.has_perm(PERMISSION):
                raise PermissionDenied
            if not LogEntry.objects.filter(object_id=str(row.pk), change_message=words).exists():
                self.log_change(request, row, words)

        return log

    def show(self, request: HttpRequest, form: MoneyForm, title: str) -> HttpResponse:
        user = form.account.user
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "subtitle": str(user) if user else "deleted person",
            "opts": self.opts,
            "original": form.original,
            "form": form,
            "just_done": form.just_done(),
            "fieldsets": AdminForm(form, [(None, {"fields": form.shown})], {}),  # type: ignore[arg-type]  # any form will do
            "balance": exact_dollars(form.account.balance_micros()),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, FORM, context)


class MoneyActions(MoneyPages):
    def get_urls(self) -> list[Any]:
        return [
            self.form_path("adjust", AdjustmentForm, "Adjust the balance"),
            self.form_path("refund", RefundForm, "Give money back to a card"),
            *super().get_urls(),
        ]

    def rows_with_money(self) -> QuerySet[Account]:
        return Account.objects.select_related("user")
