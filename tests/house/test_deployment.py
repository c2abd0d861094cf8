"""The files by which this is deployed say the same as each other, as the code, and as the papers."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from itertools import pairwise

import pytest
import yaml
from django.conf import settings

from bench.server import free_port
from tests.house.starting import ROOT
from tests.served import served
from voicechat.loose_settings import is_loopback

VARIABLES = set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
PROCFILE = {
    name: shlex.split(command)
    for name, command in (line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
}
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
OURS = {"migrate": "release", "web": "web", "worker": "worker"}
"""Services, and units of systemd, by the Procfile's names."""
DOCKERFILE = (ROOT / "Dockerfile").read_text()
UNITS = {name: (ROOT / "deploy" / f"voicechat-{name}.service").read_text() for name in OURS}
NGINX = (ROOT / "deploy" / "nginx.conf").read_text()
APP = json.loads((ROOT / "app.json").read_text())
GRACE = "35"
"""Seconds for the server to end, as docs/operating.md asks of the host."""


def instructions(stage=-1):
    """[("FROM", "…"), …] of the image's last stage, or another one."""
    lines = re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE).replace("\\\n", "").splitlines()
    found = [tuple(line.split(" ", 1)) for line in lines if line]
    begins = [number for number, (name, _) in enumerate(found) if name == "FROM"] + [len(found)]
    stages = [found[begin:end] for begin, end in pairwise(begins)]
    return stages[stage]


def value(unit, name):
    return re.findall(rf"^{name}=(.*)$", UNITS[unit], re.MULTILINE)


def test_the_image_has_what_the_lock_pins_and_no_tool_to_build_with():
    (install,) = [words for name, words in instructions(0) if name == "RUN" and "pip install" in words]
    assert {"--require-hashes", "--only-binary", "requirements.lock"} <= set(install.split())
    assert [name for name, _ in instructions() if name == "RUN"] == []
    assert instructions(0)[0][1].removesuffix(" AS build") == instructions()[0][1]
    version = re.match(r"python:3\.(\d+)-slim-", instructions()[0][1])
    assert int(version[1]) >= 11


def test_the_image_runs_as_nobody_in_particular():
    (user,) = [words for name, words in instructions() if name == "USER"]
    assert all(int(each) > 1000 for each in user.split(":"))
    assert not any("chown" in words for _, words in instructions())


def test_the_image_starts_what_the_procfile_does():
    assert json.loads(dict(instructions())["CMD"]) == PROCFILE["web"]
    assert dict(instructions())["EXPOSE"] == str(settings.PORT)


def test_the_image_holds_each_package_and_no_secret():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    packages = {each.parent.name for each in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    assert ignored[1] == "*"
    assert packages <= let_in
    assert not let_in & {".env", ".secret_key", "db.sqlite3", "media", "deploy"}
    assert all((ROOT / name).exists() for name in let_in)


@pytest.mark.parametrize("is_there", [True, False])
def test_what_asks_for_the_images_health_knows_a_server_from_none(is_there, tmp_path):
    words = dict(instructions())["HEALTHCHECK"]
    command = json.loads(words.partition("CMD ")[2])
    assert command[0] == "python"
    with served(f"sqlite:///{tmp_path}/db.sqlite3") as server:
        port = server.port if is_there else free_port()
        environment = {**os.environ, "PORT": str(port)}
        asked = subprocess.run(  # noqa: S603  # our own interpreter
            [sys.executable, *command[1:]], env=environment, capture_output=True, check=False
        )
    assert (asked.returncode == 0) == is_there


@pytest.mark.parametrize(("service", "process"), OURS.items())
def test_each_service_and_unit_does_what_the_procfile_says(service, process):
    assert SERVICES[service]["command"] == PROCFILE[process]
    (command,) = value(service, "ExecStart")
    assert shlex.split(command) == ["/srv/voicechat/.venv/bin/python", *PROCFILE[process][1:]]


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_bounded(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert name not in OURS or "cap_add" not in service
    assert name in {"migrate", "web", "worker"} or service["healthcheck"]["test"]
    assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")


def test_services_come_in_their_order():
    waits = {
        name: {on: how["condition"] for on, how in each.get("depends_on", {}).items()}
        for name, each in SERVICES.items()
    }
    assert waits["migrate"] == {"db": "service_healthy"}
    assert waits["web"]["migrate"] == waits["worker"]["migrate"] == "service_completed_successfully"
    assert waits["web"]["redis"] == waits["web"]["nginx"] == "service_healthy"
    assert all(on in SERVICES for each in waits.values() for on in each)


def test_each_variable_of_the_deployments_is_one_that_the_server_reads():
    for name in OURS:
        assert SERVICES[name]["environment"].keys() <= VARIABLES
        assert SERVICES[name]["env_file"] == ".env"
    assert not re.findall(r"\$\{?\w", (ROOT / "compose.yaml").read_text())
    assert APP["env"].keys() <= VARIABLES
    assert APP["formation"].keys() == PROCFILE.keys() - {"release"}
    assert {"DB_ENV", "SECRET_KEY", "PUBLIC_URL", "OIDC_ISSUER", "OIDC_AUDIENCE"} <= APP["env"].keys()


def test_nginx_finds_the_server_and_is_believed():
    web = SERVICES["web"]
    told = web["environment"]
    assert web["network_mode"] == "service:nginx"
    assert set(re.findall(r"proxy_pass (\S+);", NGINX)) == {f"http://{told['HOST']}:{told['PORT']}"}
    assert is_loopback(f"http://{told['TRUSTED_PROXIES']}")
    assert "ports" not in web
    kept = [volume.split(":") for volume in SERVICES["nginx"]["volumes"]]
    assert all(mode == "ro" for _, _, mode in kept)
    folder = next(inside for outside, inside, _ in kept if outside == "./deploy/certificates")
    assert all(path.startswith(f"{folder}/") for path in re.findall(r"ssl_certificate\w*\s+(\S+);", NGINX))
    for log in re.findall(r"^\s+(?:access|error)_log (/\S+)", NGINX, re.MULTILINE):
        assert log in " ".join(SERVICES["nginx"]["command"])


def test_secrets_that_lie_beside_are_not_committed():
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert COMPOSE["secrets"]["postgres_password"]["file"] in ignored
    assert {".env", "deploy/certificates/"} <= set(ignored)


def test_the_server_has_time_to_end():
    assert "Let the host give the server 35 s to end." in (ROOT / "docs" / "operating.md").read_text()
    assert SERVICES["web"]["stop_grace_period"] == SERVICES["worker"]["stop_grace_period"] == f"{GRACE}s"
    assert value("web", "TimeoutStopSec") == value("worker", "TimeoutStopSec") == [GRACE]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
@pytest.mark.parametrize("name", UNITS)
def test_systemd_reads_each_unit_and_finds_it_bounded(name, tmp_path):
    unit = tmp_path / f"voicechat-{name}.service"
    unit.write_text(UNITS[name].replace("/srv/voicechat/.venv/bin/python", sys.executable))
    for command in (["verify", str(unit)], ["security", "--offline=true", "--threshold=20", "--no-pager", str(unit)]):
        done = subprocess.run(  # noqa: S603  # as above
            [shutil.which("systemd-analyze"), *command], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-500:]
        assert command[0] != "verify" or done.stderr == ""
