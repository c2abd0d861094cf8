"""`manage.py export_person` writes the same, for an operator who is asked for it."""

import stat

import pytest
from django.core.management import CommandError, call_command

from tests.export.conftest import unpacked

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *words: call_command("export_person", *words)


@pytest.mark.parametrize("whom", ["id", "email"])
def test_it_writes_what_the_door_answers_for_its_reader_alone(run, tmp_path, bob, export, capsys, whom):
    run({"id": str(bob.pk), "email": "BOB@example.com"}[whom])
    path = tmp_path / f"voice-chatroom-{bob.pk}.zip"
    assert unpacked(path.read_bytes()) == export(bob)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert capsys.readouterr().out == f"Wrote {path.name}: {path.stat().st_size:,} bytes.\n"


def test_it_writes_over_nothing(run, tmp_path, bob):
    (tmp_path / "it.zip").write_text("mine")
    with pytest.raises(CommandError, match=r"it\.zip is there already: name another file by --output"):
        run("bob@example.com", "--output", "it.zip")
    assert (tmp_path / "it.zip").read_text() == "mine"


@pytest.mark.parametrize("whom", ["nobody@example.com", "999", "9" * 30])
def test_it_says_that_nobody_is_that(run, bob, tmp_path, whom):
    with pytest.raises(CommandError, match=f"Nobody here has the (id|email) {whom}"):
        run(whom)
    assert list(tmp_path.iterdir()) == []


def test_it_says_where_it_cannot_write(run, bob):
    with pytest.raises(CommandError, match=r"no/such/folder\.zip cannot be written: No such file or directory"):
        run("bob@example.com", "--output", "no/such/folder.zip")
