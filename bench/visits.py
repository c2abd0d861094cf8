"""The operators' pages that `bench/volume.py` times, asked for inside Django."""

import time

from django.conf import settings
from django.test import Client

from users.models import User

PATHS = (
    *("users/user/", "users/user/?q=person777", "groups/group/", "groups/group/?q=person777"),
    *("groups/activity/", "billing/account/", "billing/account/?q=person777", "billing/account/?q=cus_50"),
    *("billing/account/?person=refund", "billing/account/1/change/", "billing/ledgerentry/"),
    *("billing/ledgerentry/?q=person777", "billing/ledgerentry/?q=twilio:CA777", "billing/topup/?q=pi_500"),
    *("voice/call/", "voice/call/?q=CA777", "voice/call/?q=person777", "voice/call/?q=Group"),
)


def visit() -> None:
    """Prints what each page takes, as an operator's browser asks for it."""
    settings.ALLOWED_HOSTS = ["testserver"]
    browser = Client()
    browser.force_login(User.objects.create_superuser(email="operator@example.com"))
    browser.get("/admin/")
    for path in PATHS:
        begun = time.monotonic()
        status = browser.get(f"/admin/{path}").status_code
        print(f"{path:<40}{time.monotonic() - begun:>8.2f} s   {status}", flush=True)
