"""The two clients of docs/live.md, as they stand there, in a browser: what one person writes another's page hears."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from queue import Queue

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.house.starting import ROOT
from tests.live.served import SECONDS

pytestmark = pytest.mark.django_db
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
BY_FETCH, BY_EVENT_SOURCE = re.findall(r"```js\n(.*?)```", (ROOT / "docs" / "live.md").read_text(), re.DOTALL)
NAMES = ["ready", "activity", "group", "callStatus"]
CALLS = {
    BY_FETCH: "follow(async () => TOKEN, apply);",
    BY_EVENT_SOURCE: f"follow(async () => TOKEN, {json.dumps(NAMES)}, apply);",
}
PAGE = """<!doctype html><meta charset="utf-8"><title>A family's page</title><ul aria-live="polite"></ul><script>
const TOKEN = %(token)s;
const apply = (name, data) => fetch("/heard", { method: "POST", body: JSON.stringify([name, data]) });
%(client)s
%(call)s
</script>"""


@pytest.fixture(scope="module")
def browser() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("there is no Chromium on this machine")
    return found


@pytest.fixture
def opened(browser, family, server, tmp_path):
    """Opens Bob's page with a client, on an origin of its own; what it hears comes into a queue."""
    started = []

    def opened(client: str) -> "Queue[tuple[str, dict]]":
        heard: Queue = Queue()

        def hear(request: Request) -> Response:
            heard.put(tuple(json.loads(request.get_data())))
            return Response("{}")

        elsewhere = client.replace("/api/live", f"http://127.0.0.1:{server.port}/api/live")
        page = PAGE % {"token": json.dumps(family.bob.token), "client": elsewhere, "call": CALLS[client]}
        origin.expect_request("/page").respond_with_data(page, content_type="text/html")
        origin.expect_request("/heard", method="POST").respond_with_handler(hear)
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={tmp_path}"]
        command = [browser, *flags, "--remote-debugging-port=0", origin.url_for("/page")]
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))  # noqa: S603
        return heard

    with HTTPServer("127.0.0.1", 0, threaded=True) as origin:
        yield opened
        for process in started:
            process.kill()
            process.wait()


def hears(heard, name):
    """The data of the next such event."""
    while True:
        event, data = heard.get(timeout=SECONDS)
        if event == name:
            return data


@pytest.mark.parametrize("client", [BY_FETCH, BY_EVENT_SOURCE], ids=["fetch", "EventSource"])
def test_what_one_writes_the_others_page_hears(opened, family, client):
    heard = opened(client)
    assert hears(heard, "ready") == {}
    family.alice.writes(family.group, "Größe 👋")
    told = hears(heard, "activity")
    assert (told["groupId"], told["activity"]["activity"]) == (family.group, "Größe 👋")
    assert family.alice.ask("PUT", f"/api/groups/{family.group}", {"name": "Kin"}).status == 200
    assert hears(heard, "group")["group"]["name"] == "Kin"


def test_the_client_by_fetch_is_forty_lines_at_most():
    assert len(BY_FETCH.splitlines()) <= 40
    assert Path(ROOT / "docs" / "live.md").read_text().count("```js") == 2
