"""The two clients of docs/live.md, as they stand there, in a browser: one page writes, and a page that follows shows
what a page that polls shows."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from queue import Queue
from threading import Condition
from types import SimpleNamespace

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
PAGES = ("writes", "polls", "follows")
BESIDE_EACH_OTHER = "".join(f'<iframe src="/{name}" title="The page that {name}"></iframe>' for name in PAGES)
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>A family's page</title>
<h1></h1><ul aria-live="polite"></ul><script>
const TOKEN = %(token)s, GROUP = %(group)s, ORIGIN = %(origin)s;
const ask = async (path, method = "GET", body = null) => {
  const headers = { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json" };
  return (await fetch(ORIGIN + path, { method, headers, body: body && JSON.stringify(body) })).json();
};
const heading = document.querySelector("h1"), list = document.querySelector("ul");
const item = ({ id, activity }) => Object.assign(document.createElement("li"), { id, textContent: activity });
const read = async () => {
  const [group, activities] = await Promise.all([ask(GROUP), ask(`${GROUP}/activities`)]);
  heading.textContent = group.name;
  list.replaceChildren(...activities.map(item));
};
const tell = (page) => {
  const shown = [heading, ...list.children].map((each) => each.textContent);
  return fetch(`/shown/${page}`, { method: "POST", body: JSON.stringify(shown) });
};
%(script)s
</script></html>"""
SCRIPTS = {
    "writes": """(async () => {
  for (;;) {
    const order = await (await fetch("/order")).json();
    if (!order) break;
    await ask(...order);
  }
})();""",
    "polls": "setInterval(() => read().then(() => tell('polls')), 1000);",
    "follows": """const apply = async (name, data) => {
  if (name === "ready" || name === "reset") await read();
  if (name === "activity" && !document.getElementById(data.activity.id)) list.prepend(item(data.activity));
  if (name === "group") heading.textContent = data.group.name;
  await tell("follows");
};
""",
}


class Shown:
    """What the pages show: a heading, and items, the newest first."""

    def __init__(self) -> None:
        self.by_page: dict[str, list[str]] = {}
        self.changed = Condition()

    def hear(self, request: Request) -> Response:
        with self.changed:
            self.by_page[request.path.rpartition("/")[2]] = json.loads(request.get_data())
            self.changed.notify_all()
        return Response("{}")

    def until(self, *beginning: str) -> None:
        """Both pages show the same, and this first."""

        def is_so() -> bool:
            polls, follows = (self.by_page.get(page) for page in PAGES[1:])
            return polls is not None and polls == follows and tuple(polls[: len(beginning)]) == beginning

        with self.changed:
            assert self.changed.wait_for(is_so, SECONDS), self.by_page


@pytest.fixture(scope="module")
def browser() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("there is no Chromium on this machine")
    return found


@pytest.fixture
def opened(browser, family, server, tmp_path):
    """Opens Alice's page, that writes what it is ordered to, and Bob's two: one with this client, one that polls."""
    started, orders, shown = [], Queue(), Shown()

    def opened(client: str) -> SimpleNamespace:
        api = f"http://127.0.0.1:{server.port}"
        follow = f"{client.replace('/api/live', f'{api}/api/live')}\n{CALLS[client]}"
        for name in PAGES:
            token = (family.alice if name == "writes" else family.bob).token
            group = f"/api/groups/{family.group}"
            script = SCRIPTS[name] + (follow if name == "follows" else "")
            words = {
                "token": json.dumps(token),
                "group": json.dumps(group),
                "origin": json.dumps(api),
                "script": script,
            }
            origin.expect_request(f"/{name}").respond_with_data(PAGE % words, content_type="text/html")
            origin.expect_request(f"/shown/{name}", method="POST").respond_with_handler(shown.hear)
        origin.expect_request("/page").respond_with_data(BESIDE_EACH_OTHER, content_type="text/html")
        origin.expect_request("/order").respond_with_handler(lambda _: Response(json.dumps(orders.get())))
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={tmp_path}"]
        command = [browser, *flags, "--remote-debugging-port=0", origin.url_for("/page")]
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))  # noqa: S603
        return SimpleNamespace(orders=orders, shown=shown)

    with HTTPServer("127.0.0.1", 0, threaded=True) as origin:
        yield opened
        orders.put(None)
        for process in started:
            process.kill()
            process.wait()


@pytest.mark.parametrize("client", [BY_FETCH, BY_EVENT_SOURCE], ids=["fetch", "EventSource"])
def test_a_page_that_follows_shows_what_another_page_writes_and_a_polling_page_shows(opened, family, client):
    pages, group = opened(client), f"/api/groups/{family.group}"
    pages.shown.until("Family")
    pages.orders.put([f"{group}/activities", "POST", {"userId": family.alice.pk, "activity": "Größe 👋"}])
    pages.shown.until("Family", "Größe 👋")
    pages.orders.put([group, "PUT", {"name": "Kin"}])
    pages.shown.until("Kin")


def test_the_client_by_fetch_is_forty_lines_at_most():
    assert len(BY_FETCH.splitlines()) <= 40
    assert Path(ROOT / "docs" / "live.md").read_text().count("```js") == 2
