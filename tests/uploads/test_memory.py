"""What a picture may take. Its process is measured as the kernel measures it, whatever the picture is."""

import os
import re
import resource
import struct
import subprocess
import sys
import zlib
from types import SimpleNamespace

import pytest
from django.apps import apps

from tests.hostile.conftest import EXAMPLES
from tests.uploads.files import chunk, picture, png
from uploads import images
from uploads.pictures import limits
from uploads.pictures.memory import free_memory
from uploads.pictures.refusals import RefusedPictureError

MIB = 1024 * 1024
WHOLE = (5000, 5000)
"""25 megapixels."""


MEASURED = """
import pathlib, runpy, sys
runpy.run_module("uploads.pictures", run_name="__main__")
sys.stderr.write(pathlib.Path("/proc/self/status").read_text())
"""


def peak(content):
    """The word that the decoder says, and the most memory that it had, in MiB.

    `ru_maxrss` would count what the tests had when they started it: https://man7.org/linux/man-pages/man2/getrusage.2.html
    """
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    child = subprocess.run(  # noqa: S603  # ours
        [sys.executable, "-c", MEASURED, "60"], input=content, capture_output=True, env=environment, check=True
    )
    (most,) = re.findall(rb"VmHWM:\s+(\d+) kB", child.stderr)
    return child.stdout.partition(b"\n")[0].decode(), int(most) // 1024


def interlaced():
    rows = [(-(-(5000 - x) // dx), -(-(5000 - y) // dy)) for x, y, dx, dy in ADAM7]
    pixels = b"".join(bytes((4 * width + 1) * height) for width, height in rows)
    header = chunk(b"IHDR", struct.pack(">2I5B", *WHOLE, 8, 6, 0, 0, 1))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(pixels, 1)) + chunk(b"IEND", b"")


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
WORST = {
    "a PNG of colours and alpha": (lambda: picture("PNG", WHOLE, "RGBA"), "png", 180),
    "a progressive JPEG of four inks": (lambda: picture("JPEG", WHOLE, "CMYK", progressive=True), "jpg", 270),
    "a WebP without loss": (lambda: picture("WEBP", WHOLE, "RGBA", lossless=True, method=0), "webp", 180),
    "an AVIF whose colours are all there": (
        lambda: picture("AVIF", WHOLE, speed=10, subsampling="4:4:4"),
        "jpg",
        299,
    ),
}
OTHERS = {
    "an AVIF of transparency too": (
        lambda: picture("AVIF", WHOLE, "RGBA", color=(1, 2, 3, 4), speed=10, subsampling="4:4:4"),
        "too_much_memory",
        80,
    ),
    "a progressive JPEG": (lambda: picture("JPEG", WHOLE, progressive=True, subsampling=0), "jpg", 220),
    "a JPEG": (lambda: picture("JPEG", WHOLE), "jpg", 120),
    "a PNG of sixteen bits": (lambda: png(size=WHOLE, depth=16, colour=6, pixels=bytes(40_001 * 5000)), "png", 180),
    "an interlaced PNG": (interlaced, "png", 180),
    "a PNG of a palette": (lambda: picture("PNG", WHOLE, "P"), "png", 120),
    "a PNG of sixteen greys": (lambda: picture("PNG", WHOLE, "I;16"), "png", 140),
    "a GIF": (lambda: picture("GIF", WHOLE, "P"), "gif", 120),
    "a WebP": (lambda: picture("WEBP", WHOLE, "RGBA", color=(1, 2, 3, 4), method=0), "webp", 180),
    "a HEIC": (lambda: picture("HEIF", WHOLE, quality=10), "jpg", 230),
    "a HEIC whose colours are all there": (lambda: picture("HEIF", WHOLE, quality=10, chroma=444), "jpg", 299),
    "a photo of a phone": (lambda: picture("JPEG", (4032, 3024)), "jpg", 80),
}
"""`make fuzz` measures these too."""


@pytest.mark.parametrize("name", WORST | (OTHERS if EXAMPLES else {}))
def test_no_picture_takes_more_than_300_mebibytes(name):
    make, word, most = (WORST | OTHERS)[name]
    said, taken = peak(make())
    assert said == word
    assert taken <= most


def hidden(kind, size):
    """A picture that its container calls 64 pixels wide and high."""
    content = picture(kind, size, "L", speed=10)
    place = content.index(b"ispe") + 8
    return content[:place] + struct.pack(">2I", 64, 64) + content[place + 8 :]


def test_a_picture_that_hides_its_size_takes_no_more_than_it_claims():
    _, taken = peak(hidden("AVIF", (8000, 8000)))
    assert taken <= 120


def machine(root, files):
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return root


V2 = {
    "proc/self/cgroup": "0::/dyno/web\n",
    "sys/fs/cgroup/dyno/web/memory.max": "max\n",
    "sys/fs/cgroup/dyno/web/memory.current": f"{300 * MIB}\n",
    "sys/fs/cgroup/dyno/memory.max": f"{512 * MIB}\n",
    "sys/fs/cgroup/dyno/memory.current": f"{400 * MIB}\n",
    "sys/fs/cgroup/dyno/memory.stat": f"anon 1\ninactive_file {50 * MIB}\n",
}
V1 = {
    "proc/self/cgroup": "9:name=systemd:/\n4:memory:/dyno\n",
    "sys/fs/cgroup/memory/dyno/memory.limit_in_bytes": f"{512 * MIB}\n",
    "sys/fs/cgroup/memory/dyno/memory.usage_in_bytes": f"{400 * MIB}\n",
    "sys/fs/cgroup/memory/dyno/memory.stat": f"inactive_file 7\ntotal_inactive_file {50 * MIB}\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{900 * MIB}\n",
}
INSIDE = {
    "proc/self/cgroup": "0::/a/path/outside\n",
    "sys/fs/cgroup/memory.max": f"{512 * MIB}\n",
    "sys/fs/cgroup/memory.current": f"{350 * MIB}\n",
}
ROOMY = {"proc/meminfo": f"MemTotal: 9999999 kB\nMemAvailable: {2**21} kB\n"}


@pytest.mark.parametrize("files", [V2, V1, INSIDE], ids=["v2", "v1", "in a container"])
def test_what_is_free_is_what_the_tightest_group_has_left(tmp_path, files):
    assert free_memory(machine(tmp_path, files | ROOMY)) == 162 * MIB


def test_without_a_group_the_machine_says_what_is_free(tmp_path):
    assert free_memory(machine(tmp_path, ROOMY)) == 2**31
    assert free_memory(tmp_path / "nothing") is None


@pytest.fixture
def make_room(monkeypatch, tmp_path):
    """As much is free, each time that it is asked, as `found` says."""
    granted = []
    monkeypatch.setattr(limits, "grant", lambda *given: granted.append(given))

    def make_room(need, *found):
        told = iter(found)
        monkeypatch.setattr(limits, "free_memory", lambda: next(told, found[-1]))
        limits.make_room(need, lock=lock, wait=0.1)
        return granted

    with (tmp_path / "lock").open("x") as file:
        lock = file.fileno()
        yield make_room


@pytest.mark.parametrize("found", [99 * MIB, 1 * MIB])
def test_a_picture_for_which_there_is_no_memory_is_refused(make_room, found):
    with pytest.raises(RefusedPictureError, match="too_much_memory"):
        make_room(100 * MIB, found)


@pytest.mark.parametrize("found", [101 * MIB, None])
def test_a_picture_for_which_there_is_memory_is_granted_it(make_room, found):
    assert make_room(100 * MIB, found) == [(resource.RLIMIT_DATA, limits.PYTHON + limits.MOST_NEED)]


def test_a_small_one_is_granted_little(make_room):
    assert make_room(1, None) == [(resource.RLIMIT_DATA, limits.PYTHON + limits.SIDE_BY_SIDE)]


def test_it_waits_for_the_memory_of_those_behind_it(make_room):
    assert make_room(100 * MIB, 60 * MIB, 90 * MIB, 100 * MIB)


def test_it_waits_for_nothing_where_much_is_missing(make_room):
    with pytest.raises(RefusedPictureError, match="too_much_memory"):
        make_room(100 * MIB, 30 * MIB, 100 * MIB)


ON_THIS_HOST = """
import pathlib, runpy, sys
from uploads.pictures import limits, memory
host = pathlib.Path(sys.argv.pop(1))
limits.free_memory = lambda: memory.free_memory(host)
runpy.run_module("uploads.pictures", run_name="__main__")
"""
SMALL_V2 = {
    "proc/self/cgroup": "0::/dyno\n",
    "sys/fs/cgroup/dyno/memory.max": f"{256 * MIB}\n",
    "sys/fs/cgroup/dyno/memory.current": f"{240 * MIB}\n",
}
SMALL_V1 = {
    "proc/self/cgroup": "4:memory:/dyno\n",
    "sys/fs/cgroup/memory/dyno/memory.limit_in_bytes": f"{256 * MIB}\n",
    "sys/fs/cgroup/memory/dyno/memory.usage_in_bytes": f"{240 * MIB}\n",
}


@pytest.mark.parametrize("files", [SMALL_V2, SMALL_V1], ids=["v2", "v1"])
def test_on_a_host_that_is_too_small_for_it_an_upload_is_refused_in_words(upload, monkeypatch, tmp_path, files):
    host = machine(tmp_path / "host", files | ROOMY)
    monkeypatch.setattr(images, "COMMAND", (sys.executable, "-B", "-c", ON_THIS_HOST, str(host)))
    refused = upload(interlaced())
    assert (refused.status_code, refused.json()["code"]) == (413, "image_too_large")
    assert "not enough memory" in refused.json()["detail"]
    assert "Make it smaller" in refused.json()["detail"]
    assert upload(picture()).status_code == 200


AFTER_UPLOADS = """
import pathlib, re, threading
import django

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) // 1024

def uploads():
    for length in range(5):
        body, file = bytearray(5_000_000 + length), bytearray(4_000_000 - length)
        kept.append(bytearray(3_000))
        del body, file
    done.wait()
    finish.wait()

django.setup()
before, kept, done, finish = resident(), [], threading.Barrier(9), threading.Event()
threads = [threading.Thread(target=uploads) for _ in range(8)]
[thread.start() for thread in threads]
done.wait()
print(resident() - before)
finish.set()
"""


LESS = """
import resource
from uploads.pictures.limits import bind
resource.setrlimit(resource.RLIMIT_CPU, (9, 9))
resource.setrlimit(resource.RLIMIT_CORE, resource.getrlimit(resource.RLIMIT_CORE)[1:] * 2)
bind()
print(*resource.getrlimit(resource.RLIMIT_CPU), resource.getrlimit(resource.RLIMIT_CORE)[0])
"""


def test_where_the_operator_grants_less_it_takes_no_more_and_it_leaves_no_picture_in_a_core_file():
    child = subprocess.run([sys.executable, "-c", LESS], capture_output=True, check=True)  # noqa: S603  # ours
    assert child.stdout.split() == [b"9", b"9", b"0"]


def test_what_uploads_took_of_the_server_is_free_again():
    """Each thread of glibc's would keep some ten megabytes."""
    child = subprocess.run([sys.executable, "-c", AFTER_UPLOADS], capture_output=True, check=True)  # noqa: S603  # ours
    assert int(child.stdout) < 20


FAILS = """
import sys
from uploads.pictures import drawing
from uploads.pictures.refusals import RefusedPictureError

def fail(_):
    raise {raised}

drawing.drawn = fail
try:
    drawing.redrawn(sys.stdin.buffer.read(), wait=60)
except RefusedPictureError as refused:
    print(refused.refusal.value)
"""


@pytest.mark.parametrize(("raised", "told"), [("MemoryError", b"too_much_memory\n"), ("ValueError", b"damaged\n")])
def test_what_takes_too_much_while_it_is_drawn_is_not_called_damaged(raised, told):
    command = [sys.executable, "-c", FAILS.format(raised=raised)]
    assert subprocess.run(command, input=picture(), capture_output=True, check=True).stdout == told  # noqa: S603  # ours


@pytest.mark.parametrize("library", [SimpleNamespace(), None], ids=["without mallopt", "none"])
def test_where_the_c_library_has_no_such_switch_the_server_starts_all_the_same(monkeypatch, library):
    def load(name):
        if library is None:
            raise OSError
        return library

    monkeypatch.setattr("uploads.apps.ctypes.CDLL", load)
    apps.get_app_config("uploads").ready()
