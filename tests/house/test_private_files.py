"""Files that hold people's rows or pictures are their owner's alone."""

import os
import subprocess
import sys

from tests.house.starting import ROOT

WRITE = """
import django, os
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("CREATE TABLE rows (x)")
    cursor.execute("INSERT INTO rows VALUES (1)")
    print(*(f"{each.name} {each.stat().st_mode & 0o777:o}" for each in sorted(os.scandir("."), key=lambda e: e.name)))
"""


def write(folder):
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", f"import os; os.umask(0o022); {'exec(' + repr(WRITE) + ')'}"],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "voicechat.settings",
            "DB_ENV": "development",
            "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_sqlites_files_are(tmp_path):
    assert write(tmp_path) == ["db.sqlite3", "600", "db.sqlite3-shm", "600", "db.sqlite3-wal", "600"]


def test_one_of_before_that_others_could_read_is_closed_to_them(tmp_path):
    path = tmp_path / "db.sqlite3"
    path.touch(0o644)
    path.chmod(0o644)
    assert write(tmp_path)[:2] == ["db.sqlite3", "600"]


def test_the_sandboxs_images_are(sandbox_storage, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    sandbox_storage.save(b"x", extension="png")
    (image,) = settings.MEDIA_ROOT.iterdir()
    assert [path.stat().st_mode & 0o777 for path in (settings.MEDIA_ROOT, image)] == [0o700, 0o600]
