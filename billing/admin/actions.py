"""The two forms on an account's page: adjust its balance, and give money back to a card."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import AdminForm
from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from rest_framework.exceptions import APIException

from billing.admin.columns import exact_dollars
from billing.admin.forms import AdjustmentForm, MoneyForm, RefundForm
from billing.models import Account

FORM = "admin/billing/account/money_form.html"


class MoneyActions(admin.ModelAdmin[Account]):
    """Lets staff with the permission `billing.change_account` move an account's money, and writes down who did it."""

    def get_urls(self) -> list[Any]:
        return [
            self.form_path("adjust", AdjustmentForm, "Adjust the balance"),
            self.form_path("refund", RefundForm, "Give money back to a card"),
            *super().get_urls(),
        ]

    def form_path(self, name: str, form: type[MoneyForm], title: str) -> URLPattern:
        view = partial(self.move_money, form_class=form, title=title)
        return path(f"<int:account_id>/{name}/", self.admin_site.admin_view(view), name=f"billing_account_{name}")

    def move_money(
        self, request: HttpRequest, account_id: int, *, form_class: type[MoneyForm], title: str
    ) -> HttpResponse:
        if not request.user.has_perm("billing.change_account"):
            raise PermissionDenied
        account = get_object_or_404(Account.objects.select_related("user"), pk=account_id)
        form = form_class(account, request.POST if request.method == "POST" else None)
        if form.is_valid() and self.is_done(request, form):
            return redirect("admin:billing_account_change", account.pk)
        return self.show(request, form, title)

    def is_done(self, request: HttpRequest, form: MoneyForm) -> bool:
        """What the service refuses is shown in the form, with all that was written there."""
        try:
            self.message_user(request, form.save(log=self.log_of(request, form.account)))
        except APIException as error:
            reasons = error.detail if isinstance(error.detail, list) else [error.detail]
            form.add_error(None, [str(reason) for reason in reasons])
        return form.is_valid()

    def log_of(self, request: HttpRequest, account: Account) -> Callable[[str], None]:
        """Writes to the account's history, once in the same words: a form that is sent twice is written down once."""

        def log(words: str) -> None:
            if not LogEntry.objects.filter(object_id=str(account.pk), change_message=words).exists():
                self.log_change(request, account, words)

        return log

    def show(self, request: HttpRequest, form: MoneyForm, title: str) -> HttpResponse:
        user = form.account.user
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "subtitle": user.display_name if user else "deleted person",
            "opts": self.opts,
            "original": form.account,
            "form": form,
            "fieldsets": AdminForm(form, [(None, {"fields": form.shown})], {}),  # type: ignore[arg-type]  # any form will do
            "balance": exact_dollars(form.account.balance_micros()),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, FORM, context)
