"""Health, docs, the demo, and the pages around the API."""

import json
import re
from decimal import ROUND_FLOOR, Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.utils import OperationalError

from groups.models import Group
from users import triggers as of_users
from users.models import User
from users.sign_in.local_issuer import local_token
from voicechat.startup import start_lines


def test_the_process_lives(client):
    assert client.get("/healthz").json() == {"status": "ok"}


SANDBOXES = dict.fromkeys(("Twilio", "Stripe", "Cloudinary", "E-mail"), "sandbox")
WHOLE = {"status": "ok", "vendors": SANDBOXES, "redis": "off"}
BRIEF = {"status": "ok"}


def whole(answer):
    """But for how many polls this process has answered, each way, and how the jobs stand."""
    told = answer.json()
    assert told.pop("jobs")["state"] == "no_worker"
    assert told.pop("polls").keys() == {"kept", "made", "passed"}
    return told


def bearer(email):
    return {"Authorization": f"Bearer {local_token(email)}"}


def test_a_migrated_database_is_ready(client, db):
    assert whole(client.get("/readyz/")) == WHOLE


def test_strangers_learn_no_more_than_that(client, alice, sign_in):
    assert client.get("/readyz").json() == BRIEF
    for header in (bearer(alice.email), bearer("nobody@example.com"), {"Authorization": "Bearer x"}):
        assert (client.get("/readyz", headers=header).status_code, client.get("/readyz", headers=header).json()) == (
            200,
            BRIEF,
        )


def test_staff_learn_which_vendor_is_real(client, alice, sign_in):
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    assert whole(client.get("/readyz", headers=bearer(alice.email))) == WHOLE


def test_disabled_staff_are_strangers(client, alice, sign_in):
    User.objects.filter(pk=alice.pk).update(is_staff=True, is_active=False)
    assert client.get("/readyz", headers=bearer(alice.email)).json() == BRIEF


def test_in_production_open_mode_makes_nobody_staff(client, db, settings):
    settings.PRODUCTION = True
    assert client.get("/readyz").json() == BRIEF


def test_without_a_database_it_is_not_ready(client, db, monkeypatch, log):
    def fail(*args, **kwargs):
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", fail)
        answer = client.get("/readyz")
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
    assert answer.json()["code"] == "database_unavailable"
    (line,) = log.named("voicechat.health")
    assert line["message"] == "Not ready: The database does not answer. Try again."


@pytest.mark.parametrize(
    ("is_open", "code", "detail"),
    [(True, "not_migrated", "The database is not migrated"), (False, "not_ready", "Not ready.")],
)
def test_a_database_that_is_behind_is_not_ready(client, db, monkeypatch, settings, log, is_open, code, detail):
    settings.OPEN_MODE = is_open
    monkeypatch.setattr("voicechat.health.MigrationExecutor.migration_plan", lambda *_: ["one"])
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, code)
    assert answer.json()["detail"].startswith(detail)
    assert "not migrated" in log.named("voicechat.health")[0]["message"]


def test_the_openapi_document_describes_every_operation(client, db):
    document = json.loads(client.get("/api/schema").content)
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len(operations) > 55
    assert all(operation["summary"] and "400" in operation["responses"] for operation in operations)
    assert not [path for path in document["paths"] if path.endswith("/")]


def test_no_operation_is_described_by_what_its_view_is_made_of(client, db):
    assert "permissions of their own" not in client.get("/api/schema").content.decode()


def test_the_docs_page_needs_no_outside_host(client, db):
    page = client.get("/api/docs").content.decode()
    assert "swagger-ui-bundle.js" in page
    assert "//cdn" not in page


def test_the_start_lines_say_what_is_real_and_warn_of_open_mode(db):
    lines = "\n".join(start_lines())
    assert all(vendor in lines for vendor in ("Twilio", "Stripe", "Cloudinary", "E-mail", "sandbox"))
    assert "WARNING: open mode" in lines
    assert lines.count("curl") == 3


def test_production_without_a_mail_server_is_told_so(settings, db):
    settings.PRODUCTION, settings.MAIL = True, {}
    lines = "\n".join(start_lines())
    assert "EMAIL_HOST is not set" in lines
    assert "e-mails   off      E-mail" in lines


def test_the_start_lines_say_how_to_sign_in(settings, db):
    settings.OPEN_MODE = False
    lines = "\n".join(start_lines())
    assert "issue_token" in lines
    assert "WARNING: open mode" not in lines


def test_the_start_lines_say_that_nobody_is_told(settings, db):
    settings.TELEPHONY = {"BACKEND": "voice.telephony.twilio_telephony.TwilioTelephony", "OPTIONS": {}}
    assert "SERVICE_SID" not in "\n".join(start_lines())
    settings.NOTIFICATIONS = []
    assert "WARNING: Calls work, and nobody is told when one begins" in "\n".join(start_lines())


def test_the_start_lines_say_that_no_number_can_be_verified(settings, db):
    assert "VERIFY_SERVICE_SID" not in "\n".join(start_lines())
    settings.VERIFICATION = {}
    assert "VERIFY_SERVICE_SID" not in "\n".join(start_lines())  # nor does anybody ring here
    settings.TELEPHONY = {"BACKEND": "voice.telephony.twilio_telephony.TwilioTelephony", "OPTIONS": {}}
    assert "WARNING: VERIFY_SERVICE_SID is not set: nobody can verify" in "\n".join(start_lines())


def test_the_start_lines_and_the_check_name_triggers_that_are_missing(db, capsys):
    assert "lacks triggers" not in "\n".join(start_lines())
    with connection.cursor() as cursor:
        cursor.execute(of_users.TRIGGERS[0].drop_sql(connection.vendor))
    assert "WARNING: The database lacks triggers that raise versions" in (lines := "\n".join(start_lines()))
    assert "may be kept: users_version. Run `manage.py migrate`" in lines
    call_command("check", "--deploy", "--database", "default")
    assert "voicechat.W003" in capsys.readouterr().err


def test_demo_people_are_loaded_once(db):
    call_command("load_demo", verbosity=0)
    people = list(User.objects.values_list("email", "account_balance_micros"))
    call_command("load_demo", verbosity=0)
    assert list(User.objects.values_list("email", "account_balance_micros")) == people
    assert Group.objects.count() == 2


def test_demo_people_never_join_real_ones(alice):
    call_command("load_demo", verbosity=0)
    assert list(User.objects.all()) == [alice]


def test_demo_people_stay_out_of_production(db, settings):
    settings.PRODUCTION = True
    with pytest.raises(CommandError):
        call_command("load_demo")


def test_the_demo_plays_the_main_job_over_http(live_server, capsys):
    call_command("demo", url=live_server.url)
    said = capsys.readouterr().out
    assert "Ben accepts: members are Anna, Ben" in said
    assert "No worker runs, so the demo does its work" in said
    assert "The call is charged, and her statement explains it" in said
    assert re.search(r"-0\.\d+  .*Anna and Ben", said)
    left, read = re.findall(r"then \$([\d.]+)", said)[-1], re.findall(r"Her balance reads \$([\d.]+)", said)
    assert 19 < Decimal(left) < 20  # of the twenty that she has added
    assert read == [str(Decimal(left).quantize(Decimal("0.01"), ROUND_FLOOR))]


def test_the_demo_signs_in_where_that_is_asked(live_server, sign_in, capsys):
    call_command("demo", url=live_server.url)
    assert "The call is charged" in capsys.readouterr().out


def test_the_demo_says_when_no_server_is_there(db):
    with pytest.raises(CommandError, match="make run"):
        call_command("demo", url="http://127.0.0.1:9")
