"""What Prometheus is told: of all processes together, about the work and never about people."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import contextmanager
from http.client import HTTPConnection
from os import kill
from shutil import rmtree

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from rest_framework.exceptions import APIException

from bench.server import free_port
from billing.gateway.interface import payments
from billing.ledger import account_of
from core.jobs.models import Job, ScheduledCommand
from core.jobs.schedule import note
from core.metrics import files
from core.metrics.counted import Counted, Totals, counted
from core.metrics.families import FAMILIES, HISTOGRAM, PROCESSES, REQUESTS
from core.metrics.files import Files, folder_of
from core.metrics.server import Publisher
from core.metrics.text import text
from tests.doubles.server import Fault
from tests.house.starting import ROOT
from tests.served import Door, served
from users.models import User
from voice.models import Call
from voicechat import gauges

MANY_SECONDS = 30


@pytest.fixture
def counting(monkeypatch):
    """What is counted in this process from now on."""
    monkeypatch.setattr(counted, "counts", {})
    monkeypatch.setattr(counted, "times", {})
    monkeypatch.setattr(counted, "is_on", True)
    return counted


def told(written):
    """{(the metric, its labels): its number}, as Prometheus' own library reads it."""
    found = {}
    for family in text_string_to_metric_families(written):
        for sample in family.samples:
            found[sample.name, *sample.labels.values()] = sample.value
    return found


def sum_of(*processes):
    totals = Totals()
    for each in processes:
        totals.add(each.written(), is_alive=True)
    return told(text(totals))


def test_nothing_is_counted_where_nobody_asked_for_it(api, alice):
    assert django_settings.METRICS_PORT == 0
    api.get(f"/api/users/{alice.pk}")
    assert (counted.counts, counted.times) == ({}, {})


def test_requests_are_counted_by_the_routes_pattern_and_timed(api, alice, counting):
    for path in (f"/api/users/{alice.pk}", f"/api/users/{alice.pk}/", "/api/users/999", "/api/nowhere/sesame"):
        api.get(path)
    api.generic("SESAME", "/api/users")
    written = sum_of(counting)
    assert written[REQUESTS, "GET", "api/users/<id:user_id>", "200"] == 2
    assert written[REQUESTS, "GET", "api/users/<id:user_id>", "404"] == 1
    assert written[REQUESTS, "GET", "none", "404"] == 1
    assert written["voicechat_request_seconds_count", "api/users/<id:user_id>"] == 3
    assert [key[1] for key in written if key[0] == REQUESTS].count("other") == 1
    assert "sesame" not in str(written).lower()


def test_a_histogram_is_whole():
    own = Counted()
    own.is_on = True
    for seconds in (0.005, 0.006, 3, 100):
        own.answered("GET", "r", 200, seconds)
    written = sum_of(own, own)
    bounds = {key[2]: count for key, count in written.items() if key[0] == "voicechat_request_seconds_bucket"}
    assert (bounds["0.005"], bounds["0.01"], bounds["2.5"], bounds["5.0"], bounds["+Inf"]) == (2, 4, 4, 6, 8)
    assert written["voicechat_request_seconds_sum", "r"] == pytest.approx(2 * 103.011)


def test_a_label_may_hold_any_letter():
    own = Counted()
    own.is_on = True
    own.count(REQUESTS, 'a"b', "c\\d\ne", 200)
    assert sum_of(own)[REQUESTS, 'a"b', "c\\d\ne", "200"] == 1


def test_what_a_vendor_answers_refuses_and_fails_is_told_apart(alice, counting, stripe_payments, stripe_double):
    service = payments()
    card = service.attach_card(customer=service.create_customer(email="a@b.c", name="A", key="k"), source="tok_visa")
    assert card.last4 == "4242"
    with pytest.raises(APIException):
        service.attach_card(customer="cus_of_nobody", source="tok_visa")
    stripe_double.fail_next(*[Fault.SERVER_ERROR] * 9)
    with pytest.raises(APIException):
        service.default_card(customer="cus_1")
    calls = {key[2:]: count for key, count in sum_of(counting).items() if key[0] == "voicechat_vendor_calls_total"}
    assert calls["attach_card", "ok"] == calls["create_customer", "ok"] == 1
    assert calls["attach_card", "refused"] == calls["default_card", "failed"] == 1


def test_webhooks_with_a_wrong_signature_are_counted(api, db, counting):
    for path in ("/api/voice/callEvents", "/api/billing/stripeWebhook"):
        api.generic("POST", path, b"{}", headers={"X-Twilio-Signature": "x", "Stripe-Signature": "t=1,v1=x"})
    refused = {key[1] for key in sum_of(counting) if key[0] == "voicechat_webhooks_refused_total"}
    assert "api/voice/callEvents" in refused


def test_the_moment_is_read_from_the_database(db, alice, group, counting, django_assert_max_num_queries):
    now = timezone.now()
    Job.objects.create(task="t", arguments="[]", cause="1", due_at=now - 2 * gauges.LATE)
    Job.objects.create(task="t", arguments="[]", cause="2", state="dead", finished_at=now)
    for number in range(3):
        Call.objects.create(sid=f"CA{number}", group_id=group.pk, is_on=number < 2, payer=account_of(alice))
    words = "x  rows  wrong\nThe ledger is not sound.\nbalances: 1,002 not (1, 2, …)\nholds: 3 not (4, 5, 6)"
    ScheduledCommand.objects.create(name="check_ledger", next_at=now, ran_at=now, is_fault=True, result=words)
    with django_assert_max_num_queries(20):
        read = {key if len(key) > 1 else key[0]: value for key, value in gauges.read().items()}
    assert (
        read["voicechat_jobs", "late"] == read["voicechat_jobs", "waiting"] == read["voicechat_jobs", "given up"] == 1
    )
    assert read["voicechat_job_oldest_due_seconds"] >= 600
    assert (read["voicechat_phones_on"], read["voicechat_calls_on"], read["voicechat_calls_unsettled"]) == (2, 1, 3)
    assert read["voicechat_ledger_differences"] == 1005
    assert read["voicechat_command_failed", "check_ledger"] == 1


def test_what_check_ledger_finds_is_what_the_gauge_says(db, alice):
    User.objects.filter(pk=alice.pk).update(account_balance_micros=1)  # and no entry says so
    ScheduledCommand.objects.create(name="check_ledger", next_at=timezone.now())
    note("check_ledger")
    assert gauges.commands(timezone.now())["voicechat_ledger_differences",] == 1


@pytest.fixture
def port():
    return free_port()


def scrape(port):
    asked = HTTPConnection("127.0.0.1", port, timeout=MANY_SECONDS)
    asked.request("GET", "/metrics")
    answer = asked.getresponse()
    written = answer.read().decode()
    asked.close()
    assert answer.status == 200
    return told(written)


def until(port, is_so):
    ends = time.monotonic() + MANY_SECONDS
    while not is_so(written := scrape(port)) and time.monotonic() < ends:
        time.sleep(0.1)  # another process writes what it has counted each second
    return written


def test_processes_are_counted_together_and_what_one_had_counted_outlives_it(port, tmp_path):
    url = f"sqlite:///{tmp_path}/db.sqlite3"
    own = {"METRICS_PORT": str(port), "HOST": "127.0.0.1"}
    with served(url, ["--workers", "2"], **own) as server, working({**own, "DATABASE_URL": url}):
        door = Door(server.port)
        for _ in range(20):
            door.ask("GET", "/healthz")
        key = (REQUESTS, "GET", "healthz", "200")
        written = until(port, lambda told: told.get(key, 0) >= 21 and told[PROCESSES,] == 3)
        counted_before = written[key]
        assert written["voicechat_database_up",] == 0  # it has no tables
        gone = living(port)
        for each in gone:
            kill(int(each.partition("-")[0]), signal.SIGKILL)
        until_others(port, gone)
        assert until(port, lambda told: told[PROCESSES,] == 2)[key] == counted_before
        assert not gone & living(port)
    rmtree(folder_of(port))


@contextmanager
def working(environment):
    """A worker beside."""
    command = [sys.executable, "manage.py", "work"]
    environment = {**os.environ, **environment}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as worker:  # noqa: S603  # ours
        try:
            yield
        finally:
            worker.kill()


def living(port):
    return {each.name for each in folder_of(port).glob("*-*.lock")}


def until_others(port, gone):
    ends = time.monotonic() + MANY_SECONDS
    while len(living(port) - gone) < 2 and time.monotonic() < ends:
        time.sleep(0.1)


def test_a_process_that_ended_is_counted_once_and_its_files_go(tmp_path, counting):
    counting.count(REQUESTS, "GET", "r", 200)
    for _ in range(3):
        one = Files(tmp_path)
        one.write(counting.written())
        files.os.close(one.held)
    for _ in range(2):
        assert Files(tmp_path).totals().counts[REQUESTS, "GET", "r", 200] == 3
    assert [each.name for each in tmp_path.glob("*.json")] == [files.ENDED]


def test_a_folder_of_somebody_elses_is_not_used(monkeypatch, tmp_path):
    monkeypatch.setattr(files, "MEMORY", tmp_path)
    folder_of(1).chmod(0o755)
    with pytest.raises(PermissionError):
        folder_of(1)


def test_without_the_database_the_rest_is_told_in_time(monkeypatch, tmp_path, port, counting):
    def fail():
        raise OperationalError("connection to alice@example.com failed")

    monkeypatch.setattr("core.metrics.server.folder_of", lambda _: tmp_path)
    publisher = Publisher("127.0.0.1", port, fail)
    publisher.server.server_close()
    counting.count(REQUESTS, "GET", "r", 200)
    written = told(publisher.told())
    assert written["voicechat_database_up",] == 0
    assert written[REQUESTS, "GET", "r", "200"] == 1


def test_the_database_is_asked_once_in_five_seconds(tmp_path, monkeypatch, port, counting):
    asked = []
    monkeypatch.setattr("core.metrics.server.folder_of", lambda _: tmp_path)
    publisher = Publisher("127.0.0.1", port, lambda: asked.append(1) or {})
    publisher.server.server_close()
    publisher.told()
    publisher.told()
    assert len(asked) == 1


def queried():
    document = json.loads((ROOT / "deploy" / "grafana.json").read_text())
    variables = [each["query"]["query"] for each in document["templating"]["list"] if each["type"] == "query"]
    return [target["expr"] for panel in document["panels"] for target in panel["targets"]] + variables


def test_each_metric_of_the_dashboard_exists_with_its_labels_and_none_is_left_out():
    names = defaultdict(set)
    for expression in queried():
        for name, conditions in re.findall(r"(voicechat_\w+)(?:\{([^}]*)\})?", expression):
            names[name] |= set(re.findall(r"(\w+)=", conditions)) - {"instance"}
    published = {}
    for name, family in FAMILIES.items():
        ends = ("_bucket", "_sum", "_count") if family.kind == HISTOGRAM else ("",)
        published |= {f"{name}{end}": set(family.labels) for end in ends}
    assert names.keys() <= published.keys()
    assert all(labels <= published[name] for name, labels in names.items())
    assert {re.sub("_(bucket|sum|count)$", "", name) for name in names} == FAMILIES.keys()


def test_the_paper_names_each_metric():
    paper = (ROOT / "docs" / "operating.md").read_text()
    assert [name for name in FAMILIES if f"`{name}`" not in paper] == []
