"""Every page of the operators', and the long reads of the API, asked for inside Django: what `bench/volume.py` times.

The pages are those that the admin has: each list, its last page, each way to sort it, each choice of its filters, what
is searched in it, and one row's page, its history, and what is asked before it is deleted.
"""

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db import connection
from django.db.models import Model
from django.test import Client, RequestFactory

from users.models import User

SEARCHES = (
    *("person777", "person777@example.com", "777", "twilio:CA777", "CA777", "CF777", "pi_500", "cus_50", "Group 777"),
    *("nothing like it", "Person", "started"),
)
"""What one row has, a few have, no row has, and what all rows of some lists have."""
READS = (
    *("/api/users", "/api/users?search=person777", "/api/groups", "/api/groups/2", "/api/groups/2/groupMembers"),
    *("/api/groups/1/groupMembers", "/api/groups/1/groupMembers/detailed", "/api/groups/2/activities"),
    *("/api/groups/1/activities?limit=100", "/api/users/60000/detailed", "/api/users/1/accountBalance"),
    *("/api/users/1/statement", "/api/users/1/statement?limit=100&after=299000", "/api/billing/allTwilioCharges"),
    "/api/billing/allTwilioCharges?limit=100&after=900000",
)
HEAVIEST = 1
"""The id of the person, account and group that most hangs on."""
ROW_PAGES = ("change", "history", "delete")


def visit(only: str = "") -> None:
    """Prints what each page takes, as an operator's browser asks for it; `only` is a part of their addresses."""
    settings.ALLOWED_HOSTS = ["testserver"]
    logging.getLogger("voicechat.requests").setLevel(logging.WARNING)
    operator = User.objects.filter(email="operator@example.com").first()
    operator = operator or User.objects.create_superuser(email="operator@example.com")
    browser = Client()
    browser.force_login(operator)
    alone()
    browser.get("/admin/")
    for path in (*pages(operator), *READS):
        if only in path:
            tell(path, browser, path)
    if only in "/api/users/1/statement":
        tell("/api/users/1/statement, as CSV", browser, "/api/users/1/statement", Accept="text/csv")


def tell(title: str, browser: Client, path: str, **headers: str) -> None:
    """Seconds of the processor's, and then by the clock, which other work on the machine makes longer. Of what is
    streamed both are to the first piece, and in brackets stands the time to the last."""
    begun, before = time.monotonic(), spent()
    answer = browser.get(path, headers=headers)
    pieces = iter(answer) if answer.streaming else iter((answer.content,))
    size = len(next(pieces, b""))
    seconds, by_clock = spent() - before, time.monotonic() - begun
    size += sum(map(len, pieces))
    whole = f"   (all of it: {time.monotonic() - begun:.2f})" if answer.streaming else ""
    print(f"{title:<90}{seconds:>8.2f} s{by_clock:>8.2f} s{size:>12,} bytes   {answer.status_code}{whole}", flush=True)


def spent() -> float:
    """This process' own, and that of PostgreSQL's for its connection, where it is on this machine."""
    if connection.vendor != "postgresql":
        return time.process_time()
    connection.ensure_connection()
    told = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    return time.process_time() + (int(told.read_text().split()[0]) / 1e9 if told.exists() else 0)


def alone() -> None:
    """PostgreSQL answers by one process, whose time can be told."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET max_parallel_workers_per_gather = 0")


def pages(operator: User) -> Iterator[str]:
    for model, page in admin.site._registry.items():
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        changelist = list_of(page, base, operator)
        yield base
        yield from (f"{base}?{urlencode(query)}" for query in queries(changelist))
        yield from (f"{base}{query}" for query in filters(changelist))
        if (pk := row_of(model)) is not None:
            yield from (f"{base}{pk}/{name}/" for name in ROW_PAGES)
    yield from ("/admin/", "/admin/voice/call/running/", "/admin/voice/call/running/rows/")
    yield from (f"/admin/users/user/{person}/story/" for person in (HEAVIEST, 60_000))
    for field in ("user", "group"):
        asked = {"app_label": "groups", "model_name": "activity", "field_name": field, "term": "person777"}
        yield f"/admin/autocomplete/?{urlencode(asked)}"


def list_of(page: Any, path: str, operator: User) -> ChangeList:
    request = RequestFactory().get(path)
    request.user = operator
    found: ChangeList = page.get_changelist_instance(request)
    return found


def queries(changelist: ChangeList) -> Iterator[dict[str, Any]]:
    pages = changelist.paginator.num_pages
    yield from ({"p": page} for page in {pages, pages // 2 + 1} if page > 1)
    for number, name in enumerate(changelist.list_display):
        if name != "action_checkbox" and changelist.get_ordering_field(name):
            yield from ({"o": number}, {"o": f"-{number}"}, {"o": number, "p": pages // 2 + 1})
    if changelist.search_fields:
        yield from ({"q": text} for text in SEARCHES)


def filters(changelist: ChangeList) -> Iterator[str]:
    for each in changelist.filter_specs:
        yield from (choice["query_string"] for choice in each.choices(changelist) if not choice["selected"])


def row_of(model: type[Model]) -> Any:
    rows = model._default_manager.order_by("pk").values_list("pk", flat=True)
    return rows.filter(pk=HEAVIEST).first() if model._meta.model_name in ("user", "account", "group") else rows.first()
