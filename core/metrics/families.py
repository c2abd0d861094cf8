"""Every metric: its kind, what it says, and its labels, which are words of ours and never what somebody sent."""

from typing import NamedTuple

COUNTER, GAUGE, HISTOGRAM = "counter", "gauge", "histogram"
REQUESTS, REQUEST_SECONDS = "voicechat_requests_total", "voicechat_request_seconds"
POLLS = "voicechat_polls_total"
STREAMS = "voicechat_open_streams"
VENDOR_CALLS, VENDOR_SECONDS = "voicechat_vendor_calls_total", "voicechat_vendor_seconds"
WEBHOOKS_REFUSED = "voicechat_webhooks_refused_total"
JOBS_DONE = "voicechat_job_runs_total"
DATABASE_UP = "voicechat_database_up"
PROCESSES = "voicechat_processes"
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
"""Seconds, of the histograms."""


class Family(NamedTuple):
    kind: str
    says: str
    labels: tuple[str, ...] = ()


FAMILIES = {
    REQUESTS: Family(COUNTER, "Answered requests, by the route's pattern.", ("method", "route", "status")),
    REQUEST_SECONDS: Family(HISTOGRAM, "From a request to its answer, waiting for a thread apart.", ("route",)),
    POLLS: Family(COUNTER, "Polls: given from what was kept, made anew, or passed to Django.", ("way",)),
    STREAMS: Family(GAUGE, "Streams of /api/live that are open."),
    VENDOR_CALLS: Family(
        COUNTER, "What vendors were asked: ok, refused (ours to mend) or failed.", ("vendor", "operation", "outcome")
    ),
    VENDOR_SECONDS: Family(HISTOGRAM, "What vendors took to answer, with the second try.", ("vendor", "operation")),
    WEBHOOKS_REFUSED: Family(COUNTER, "Webhooks whose signature was wrong or missing.", ("route",)),
    JOBS_DONE: Family(COUNTER, "Runs of jobs: done, or failed and tried again or given up.", ("task", "outcome")),
    PROCESSES: Family(GAUGE, "Processes of this machine that are counted together now."),
    DATABASE_UP: Family(GAUGE, "1 where the database said in time what follows, else 0, and that is missing."),
    "voicechat_jobs": Family(GAUGE, "Jobs: waiting, at work, late (due for five minutes), given up.", ("state",)),
    "voicechat_job_oldest_due_seconds": Family(GAUGE, "For how long the oldest job that is due has waited."),
    "voicechat_workers": Family(GAUGE, "Workers that were seen within a minute."),
    "voicechat_phones_on": Family(GAUGE, "Phones on calls now."),
    "voicechat_calls_on": Family(GAUGE, "Groups' calls with a phone on now."),
    "voicechat_calls_unsettled": Family(GAUGE, "Phones' calls that somebody pays and was not charged for yet."),
    "voicechat_calls_overdue": Family(GAUGE, "Those of them that ended a day ago and have no price."),
    "voicechat_ledger_differences": Family(GAUGE, "What the last check_ledger found wrong."),
    "voicechat_command_failed": Family(GAUGE, "1 where the schedule's last run of it went wrong.", ("command",)),
    "voicechat_command_age_seconds": Family(GAUGE, "How long ago the schedule began it last.", ("command",)),
}
