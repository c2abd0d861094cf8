"""The page of clients/captions, as it stands there, in a browser: what is said is shown as text, in its order, and what
is being said until it has been."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from queue import Empty, Queue
from time import monotonic

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.house.starting import ROOT
from tests.live.served import SECONDS
from tests.live.test_clients import BY_FETCH, browser  # noqa: F401  # a fixture
from voice.simulation.api_client import Server
from voice.simulation.telephone import post_signed

pytestmark = pytest.mark.django_db
FILES = {each.name: each.read_text() for each in sorted((ROOT / "clients" / "captions").iterdir())}
KINDS = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
TELLS = """<script type="module">
const words = (list) => [...document.getElementById(list).children].map((each) => [
  each.querySelector(".who bdi").textContent,
  each.querySelector(".words").textContent,
  getComputedStyle(each.querySelector(".words")).direction,
]);
const tell = () => fetch("/shown", { method: "POST", body: JSON.stringify({
  finals: words("finals"), partials: words("partials"), state: document.getElementById("state").textContent,
  strangers: document.querySelectorAll("li script, li img").length, title: document.title,
}) });
new MutationObserver(tell).observe(document.body, { subtree: true, childList: true, characterData: true });
tell();
</script></body>"""
HTML = '<script>document.title = "taken"</script><img src="x" onerror="document.title = \'taken\'">'
HEBREW = "שלום לכולם"


@pytest.fixture
def shown(browser, family, server, tmp_path):  # noqa: F811
    """What Bob's page shows, once something holds of it."""
    told: Queue[dict] = Queue()

    def hear(request: Request) -> Response:
        told.put(json.loads(request.get_data()))
        return Response("{}")

    def until(holds):
        ends, last = monotonic() + SECONDS, None
        while monotonic() < ends:
            try:
                last = told.get(timeout=1)
            except Empty:
                continue
            if holds(last):
                return last
        raise AssertionError(last)

    with HTTPServer("127.0.0.1", 0, threaded=True) as origin:
        for name, text in FILES.items():
            kind = KINDS[name.rpartition(".")[2]]
            origin.expect_request(f"/{name}").respond_with_data(text.replace("</body>", TELLS), content_type=kind)
        origin.expect_request("/shown", method="POST").respond_with_handler(hear)
        where = f"server=http://127.0.0.1:{server.port}&group={family.group}&token={family.bob.token}"
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={tmp_path}"]
        command = [browser, *flags, "--remote-debugging-port=0", f"{origin.url_for('/index.html')}#{where}"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603
            yield until
            process.kill()


@pytest.fixture
def talk(family, server):
    """Alice and Bob are on the call, with captions; what they say, and when, in seconds."""
    app, begun = Server(f"http://127.0.0.1:{server.port}"), datetime.now(UTC) - timedelta(seconds=60)
    sids = {"alice": f"CAa{family.group}", "bob": f"CAb{family.group}"}
    for number, (who, caller) in enumerate((("alice", f"u_{family.alice.pk}"), ("bob", f"u_{family.bob.pk}")), 1):
        call = {"to": str(family.group), "From": f"client:{caller}", "CallSid": sids[who]}
        post_signed(app, "/api/voice/makeCall", call)
        joined = {"ConferenceSid": f"CF{family.group}", "FriendlyName": str(family.group), "CallSid": sids[who]}
        kind = {"StatusCallbackEvent": "participant-join", "SequenceNumber": str(number)}
        post_signed(app, "/api/voice/conferenceEvents", {**joined, **kind})
    assert family.alice.ask("PUT", f"/api/groups/{family.group}/captions", {"on": True}).status == 200

    def talk(who, number, text, *, final=True):
        sid = sids[who]
        told = {"TranscriptionSid": f"GT{sid}", "CallSid": sid, "TranscriptionEvent": "transcription-content"}
        data = {"TranscriptionData": json.dumps({"transcript": text}), "Final": str(final).lower()}
        at = f"{begun + timedelta(seconds=number):%Y-%m-%dT%H:%M:%SZ}"
        post_signed(app, "/api/voice/captionEvents", {**told, **data, "SequenceId": str(number), "Timestamp": at})

    return talk


def words(lines):
    return [(who, text) for who, text, _ in lines]


def test_what_is_said_stands_in_its_order_and_what_is_being_said_until_it_has_been(shown, talk):
    shown(lambda page: page["state"] == "What is said is shown.")
    talk("alice", 4, "How are", final=False)
    shown(lambda page: words(page["partials"]) == [("Al", "How are …")])
    talk("alice", 5, "How are you?")
    page = shown(lambda page: words(page["finals"]) == [("Al", "How are you?")] and not page["partials"])
    talk("bob", 3, "Hello, family.")
    shown(lambda page: words(page["finals"]) == [("Al", "Hello, family."), ("Al", "How are you?")])
    talk("alice", 6, HTML)
    talk("bob", 7, HEBREW)
    talk("alice", 8, HTML, final=False)
    page = shown(lambda page: len(page["finals"]) == 4 and page["partials"])
    assert [text for _, text in words(page["finals"])[2:]] == [HTML, HEBREW]
    assert [direction for *_, direction in page["finals"]] == ["ltr", "ltr", "ltr", "rtl"]
    assert words(page["partials"]) == [("Al", f"{HTML} …")]
    assert (page["strangers"], page["title"]) == (0, "Captions of a call")


def test_who_comes_later_reads_what_was_said_before(talk, request):
    talk("alice", 1, "Before you came.")
    shown = request.getfixturevalue("shown")
    shown(lambda page: words(page["finals"]) == [("Al", "Before you came.")])


def test_it_follows_as_the_paper_says():
    followed = FILES["follow.js"].partition("export ")[2]
    assert followed == BY_FETCH.replace("follow(token", "follow(address, token").replace('"/api/live"', "address")


def test_finals_are_read_out_politely_and_what_is_being_said_is_not():
    assert '<div role="log" aria-live="polite"' in FILES["index.html"]
    assert '<ul id="partials" aria-live="off"' in FILES["index.html"]
    assert "innerHTML" not in FILES["captions.js"]
