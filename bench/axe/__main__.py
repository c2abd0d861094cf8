"""Looks at each of the admin's pages as its operators see it, and at the example of captions: by axe-core in Chromium,
on a desktop and on a phone, light and dark. https://github.com/dequelabs/axe-core

    python -m bench.axe [--pictures FOLDER] [the pages to look at]

The server stands on a free loopback port with a filled SQLite database. axe-core and what drives the browser are
fetched into `.axe`, by version and hash; the browser is the machine's own. Ends with 1 where anything critical or
serious is found, or anything is wider than its place.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.axe.captions import caption_page
from bench.database import ROOT, manage, temporary_file
from bench.server import gunicorn

HERE = Path(__file__).parent
MODULES = ROOT / ".axe"
FOUND = MODULES / "found.json"
PINNED = ("package.json", "package-lock.json")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
GRAVE = ("critical", "serious")
MOST_SECONDS = 3600


def main() -> int:
    options = asked()
    chromium = needed()
    fetch()
    with filled() as (environment, told):
        if told.pop("empty"):
            sys.exit("bench/axe/fill.py leaves a page without a row.")
        with (
            gunicorn("voicechat.wsgi", ["--workers", "1"], environment, probe="/healthz") as server,
            caption_page(
                url := f"http://127.0.0.1:{server.port}", environment["DATABASE_URL"], told.pop("group")
            ) as page,
        ):
            every = [page, *told["pages"]]
            pages = [page for page in every if any(word in page["name"] for word in options.pages or [""])]
            task = {**told, "pages": pages, "url": url, "chromium": chromium}
            found = look({**task, "modules": str(MODULES), "pictures": options.pictures})
    return tell(found, len(pages))


def asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.axe")
    parser.add_argument("--pictures", default="", help="a folder for a picture of each page")
    parser.add_argument("pages", nargs="*", help="words of the names of pages; all of them without any")
    return parser.parse_args()


def needed() -> str:
    """The browser. Ends where something is missing, and says what."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        sys.exit("Node.js with npm is needed (Debian's package `npm`).")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None or not os.access(found, os.X_OK):
        sys.exit("Chromium is needed (Debian's package `chromium`); CHROMIUM names one that stands elsewhere.")
    return found


def fetch() -> None:
    lock = MODULES / "package-lock.json"
    if lock.exists() and lock.read_bytes() == (HERE / lock.name).read_bytes():
        return
    print("Fetching axe-core, once ...", flush=True)
    shutil.rmtree(MODULES, ignore_errors=True)
    MODULES.mkdir()
    for name in PINNED:
        shutil.copy(HERE / name, MODULES)
    done = subprocess.run(
        ["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=MODULES, check=False
    )
    if done.returncode:
        shutil.rmtree(MODULES)
        sys.exit("npm could not fetch axe-core: it needs its registry.")


@contextmanager
def filled() -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    with temporary_file() as url:
        environment = {**os.environ, "DATABASE_URL": url, "DB_ENV": "testing", "SECRET_KEY": "only here " * 6}
        manage(environment, "migrate", "--noinput", "--verbosity", "0")
        told = manage(environment, "shell", "--no-imports", "-c", "from bench.axe.fill import fill; fill()")
        yield environment, json.loads(told)


def look(task: dict[str, Any]) -> list[dict[str, Any]]:
    """What was found, a page and a view each; it stays in `.axe/found.json`."""
    FOUND.unlink(missing_ok=True)
    with TemporaryDirectory() as folder:
        written = Path(folder) / "task.json"
        written.write_text(json.dumps(task))
        subprocess.run(["node", str(HERE / "check.mjs"), str(written), str(FOUND)], timeout=MOST_SECONDS, check=True)
    found: list[dict[str, Any]] = json.loads(FOUND.read_text())
    return found


def tell(found: list[dict[str, Any]], pages: int) -> int:
    counts: Counter[str] = Counter()
    rules: dict[tuple[str, str], list[str]] = {}
    faults = [f"{each['page']}, {each['view']}: {each['fault']}" for each in found if "fault" in each]
    wide = [f"{each['page']}, {each['view']}: {one}" for each in found for one in each.get("wide", ())]
    for each in found:
        for violation in each.get("violations", ()):
            counts[violation["impact"]] += len(violation["where"])
            places = [f"{each['page']}, {each['view']}: {where}" for where in violation["where"]]
            rules.setdefault((violation["impact"], violation["id"]), []).extend(places)
    for (impact, rule), places in sorted(rules.items()):
        print(f"{impact} {rule}: {len(places)}, such as\n  " + "\n  ".join(places[:5]))
    for title, lines in (("wider than its place", wide), ("not reached", faults)):
        if lines:
            print(f"{title}: {len(lines)}, such as\n  " + "\n  ".join(lines[:20]))
    told = ", ".join(f"{counts[impact]} {impact}" for impact in (*GRAVE, "moderate", "minor"))
    print(f"{pages} pages in {len(found)} views: {told}; {len(wide)} wider than its place, {len(faults)} not reached")
    return 1 if any(counts[impact] for impact in GRAVE) or wide or faults else 0


if __name__ == "__main__":
    sys.exit(main())
