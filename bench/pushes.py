"""How long it takes to tell very many phones of one group, and what storing that costs.

    python -m bench.pushes [--phones 10000]

A temporary SQLite file, FCM played in this process, and one `manage.py work` of four threads. Exits with 1 where a
phone was not told, or was told twice.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter

from bench.database import ROOT, manage, temporary_file
from tests.doubles.fcm import FCMDouble

PATIENCE = 600.0
FILL = (
    "from groups.models import Device, Group; group = Group.objects.create(name='Many'); "
    "Device.objects.bulk_create(Device(identity=f'n{{n}}', address=f'device-{{n}}', binding_type='fcm', endpoint='e', "
    "sid=f'BS{{n}}') for n in range({phones})); group.devices.set(Device.objects.all())"
)
PUSH = (
    "import json, time; from groups.models import Device, Group; from groups.notifications.pushes import push; "
    "group = Group.objects.get(); begun = time.monotonic(); "
    "push(Device.objects.of_group(group), cause='bench:1', body='A call has started.', group_id=group.pk); "
    "print(json.dumps(time.monotonic() - begun))"
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.pushes", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--phones", type=int, default=10_000)
    phones = parser.parse_args().phones
    with temporary_file() as url, FCMDouble() as double:
        ours = {"DATABASE_URL": url, "FCM_CREDENTIALS": double.credentials(), "FCM_API_BASE": double.url}
        variables = {**os.environ, "DB_ENV": "development", "no_proxy": "127.0.0.1", **ours}
        manage(variables, "migrate", "--noinput", "--verbosity", "0")
        manage(variables, "shell", "--no-imports", "-c", FILL.format(phones=phones))
        stored = json.loads(manage(variables, "shell", "--no-imports", "-c", PUSH).splitlines()[-1])
        work = [sys.executable, "manage.py", "work"]
        worker = subprocess.Popen(work, cwd=ROOT, env=variables, stderr=subprocess.DEVNULL)
        begun = time.monotonic()
        try:
            while len(double.told) < phones and time.monotonic() - begun < PATIENCE:
                time.sleep(0.1)
            seconds = time.monotonic() - begun
        finally:
            worker.terminate()
            worker.wait()
        told = Counter(token for token, _ in double.told)
    print(f"{phones:,} phones: stored in {stored:.2f} s, all told {seconds:.0f} s after the worker was started")
    print(f"told {len(told):,}, twice {sum(count > 1 for count in told.values())}")
    return 0 if len(told) == phones == told.total() else 1


if __name__ == "__main__":
    sys.exit(main())
