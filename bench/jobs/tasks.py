"""What is enqueued by the thousand: each job asks a vendor for one thing, by a key."""

import os
import urllib.request

from django_tasks import task

from bench.jobs.vendor import VENDOR


@task(seconds=10)
def ask_vendor(number: int) -> None:
    request = urllib.request.Request(os.environ[VENDOR], method="POST", headers={"Idempotency-Key": str(number)})
    with urllib.request.urlopen(request, timeout=5) as answer:
        answer.read()
