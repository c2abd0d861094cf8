"""The pages of the admin, each with what a browser does to come there."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from billing.ledger import account_of
from groups.models import Group
from users.models import User
from voice.models import Call

SUBMIT = '#content-main input[type="submit"].default, #login-form input[type="submit"]'
SAVE, GO = '.submit-row input[name="_save"]', '.actions button[name="index"]'
TOGETHER = ['select[name="action"]', "delete_selected"]
WRONG = ".errornote, .errorlist"
"""What a page has where something is to be corrected."""


def pages(root: User, *, long: User, other: User) -> list[dict[str, Any]]:
    """`path`, then `fill` (selectors and values), then `press` (a selector). With `session` it is another one than the
    operator's, with `lose` there is none when it is pressed. `then` goes on from there."""
    request = HttpRequest()
    request.user = root
    found = [*people(root, long), *money(long)]  # first: the operator's password was given ten minutes ago at most
    found += [page("index", "admin:index"), page("password", "admin:password_change")]
    found += [page(f"app {app['app_label']}", app["app_url"]) for app in admin.site.get_app_list(request)]
    for model, options in admin.site._registry.items():
        found += [*of_model(model, options, request)]
    return [*found, *sessions(other), *without_a_session()]


def page(name: str, where: str, *arguments: Any, query: str = "", **steps: Any) -> dict[str, Any]:
    path = where if where.startswith("/") else reverse(where, args=arguments)
    return {"name": name, "path": path + query, **steps}


def of_model(model: Any, options: Any, request: HttpRequest) -> list[dict[str, Any]]:
    label, kind = model._meta.app_label, model._meta.model_name
    place, name, row = f"admin:{label}_{kind}", f"{label} {model._meta.verbose_name}", shown(model)
    rest = {User: "?p=3"}.get(model, "")  # shorter than a full page, and the longest name is there
    members = {Group: "?memberships-page=2"}.get(model, "")
    found = [
        page(f"list of {name}", f"{place}_changelist", query=rest),
        page(f"a {name}", f"{place}_change", row.pk, query=members),
        page(f"history of a {name}", f"{place}_history", row.pk),
    ]
    if options.search_fields:
        found.append(page(f"search of {name}", f"{place}_changelist", query="?q=nothing-of-this"))
    if options.has_add_permission(request):
        found.append(page(f"add a {name}", f"{place}_add"))
        found.append(page(f"add a {name}, wrong", f"{place}_add", press=SAVE, has=WRONG))
    if options.has_delete_permission(request):
        chosen = [["input.action-select", True], TOGETHER]
        found.append(page(f"delete a {name}", f"{place}_delete", row.pk))
        found.append(page(f"delete {name} together", f"{place}_changelist", query=rest, fill=chosen, press=GO))
    return found


def shown(model: Any) -> Any:
    """The row with the longest words: the newest, but of calls and groups."""
    rows = model._default_manager.order_by("pk")
    if model is Call:
        return rows.get(sid="CA1")
    return rows.first() if model is Group else rows.last()


def people(root: User, long: User) -> list[dict[str, Any]]:
    changelist, change = "admin:users_user_changelist", "admin:users_user_change"
    every = {"fill": [["#action-toggle", True], TOGETHER], "also": ".actions .question a", "press": GO}
    wrong = [["#id_email", root.email], ["#id_phone_number", "1"]]
    return [
        page("people, filtered and sorted", changelist, query="?is_staff__exact=0&o=-3.4&p=2"),
        page("a person's whole story", "admin:users_user_story", long.pk),
        page("a person's password", "admin:auth_user_password_change", long.pk),
        page("a person, wrong", change, long.pk, fill=wrong, press=SAVE, has=WRONG),
        page("a person, saved", change, long.pk, press='[name="_continue"]', has=".messagelist .success"),
        page("delete, why", "admin:users_user_delete", long.pk, press='#content input[type="submit"]', has="#id_why"),
        page("delete an operator", "admin:users_user_delete", root.pk),
        page("delete very many people", changelist, query="?is_staff__exact=0", **every, has="#go-on"),
    ]


def money(long: User) -> list[dict[str, Any]]:
    account, call = account_of(long).pk, Call.objects.get(sid="CA2").pk
    adjust, refund = "admin:billing_account_adjust", "admin:billing_account_refund"
    settle, running = "admin:voice_call_settle", "admin:voice_running_calls"
    again = [["#id_amount", "0.50"], ["#id_reason", "Sorry"]]
    return [
        page("running calls", running),
        page("adjust", adjust, account),
        page("adjust, wrong", adjust, account, press=SUBMIT, has=WRONG),
        page("adjust, once more", adjust, account, fill=again, press=SUBMIT, has="#id_once_more"),
        page("refund", refund, account),
        page("refund, wrong", refund, account, press=SUBMIT, has=WRONG),
        page("settle", settle, call),
        page("settle, wrong", settle, call, press=SUBMIT, has=WRONG),
    ]


def sessions(other: User) -> list[dict[str, Any]]:
    """One in which the password was given long ago."""
    field = "#id_password_once_more"
    delete = {"session": "long ago", "press": '#content input[type="submit"]', "has": field}
    wrong = {"fill": [[field, "no"]], "press": SUBMIT, "has": WRONG}
    return [
        page("the password once more", "admin:users_user_delete", other.pk, **delete),
        page("the password once more, wrong", "admin:users_user_delete", other.pk, **delete, then=wrong),
    ]


def without_a_session() -> list[dict[str, Any]]:
    wrong = [["#id_username", "nobody@example.com"], ["#id_password", "x"]]
    lost = {"fill": [["#id_activity", "what was written"]], "lose": True, "press": SAVE, "has": "[name=kept_form]"}
    go_on = {"log_in": True, "press": SUBMIT, "has": '[value="Send it"]'}
    return [
        page("log in", "admin:login", session=None),
        page("log in, wrong", "admin:login", session=None, fill=wrong, press=SUBMIT, has=WRONG),
        page("a form without a session", "admin:groups_activity_add", **lost),
        page("a form that goes on", "admin:groups_activity_add", **lost, then=go_on),
        page("log out", "admin:index", session="to be ended", press="#logout-form button"),
        page("nothing here", "/admin/nothing/", status=404),
        page("no such person", "admin:users_user_change", 10**9),
    ]
