"""Proves that no payment is lost and none is made twice, whatever breaks.

    python -m bench.chaos [--minutes 3] [--seed 1] [--clients 16] [--workers 3]

People pay through gunicorn and a PostgreSQL of this run's own, by a Stripe that drops, delays and fails requests before
and after charging, and whose webhooks come late, twice or never. Meanwhile workers are killed, and PostgreSQL crashes,
restarts and stays away. In the end the ledger must be what Stripe has charged, and what clients were told. Exits with 1
where it is not. It needs PostgreSQL's programs (Debian package `postgresql`), no running server.
"""

import argparse
import signal
import sys
import time

from bench.chaos.cluster import MissingError, temporary_cluster
from bench.chaos.outcome import Outcome
from bench.chaos.run import Plan, Run


def arguments() -> Plan:
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=3.0, help="how long everything breaks (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clients", type=int, default=16, help="so many pay at once (%(default)s)")
    parser.add_argument("--workers", type=int, default=3)
    given = parser.parse_args()
    if given.minutes <= 0 or given.clients < 1 or given.workers < 1:
        parser.error("it takes some time, one client and one worker at least")
    return Plan(**vars(given))


def report(outcome: Outcome, seconds: float) -> int:
    print(f"\n{'in all, s':<28}{seconds:>10,.0f}")
    for name, figure in outcome.figures().items():
        print(f"{name:<28}{figure:>10,}")
    faults = outcome.faults()
    if faults:
        print("\nFAILED:", *faults, "\nThe server's last words:", outcome.log[-3000:], sep="\n  ")
    else:
        print("\nNothing was lost, and nothing was charged or recorded twice.")
    return 1 if faults else 0


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # unwinds: the server and PostgreSQL are stopped
    plan, begun = arguments(), time.monotonic()
    try:
        with temporary_cluster() as cluster:
            print(f"{plan.clients} clients pay for {plan.minutes:g} minutes, seed {plan.seed} ...", flush=True)
            outcome = Run(plan, cluster).go()
    except MissingError as error:
        sys.exit(str(error))
    return report(outcome, time.monotonic() - begun)


if __name__ == "__main__":
    sys.exit(main())
