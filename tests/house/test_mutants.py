"""`make mutants`: what it plants, what it finds, and what it keeps."""

import json
import sys
from functools import partial
from pathlib import Path

import pytest

from bench.database import ROOT
from bench.mutants import equivalent, paper, results, swap
from bench.mutants.copies import Copy, Process
from bench.mutants.mapping import Mapping
from bench.mutants.modules import AT_IMPORT
from bench.mutants.nearest import SELDOM, Map, moved, varied
from bench.mutants.operators import mutants
from bench.mutants.results import Result, Results
from bench.mutants.rounds import rounds

GUARD = """
def withdraw(balance, amount):
    \"\"\"Never more than is there.\"\"\"
    logger.info("asked for", 3)
    if amount > balance and amount:
        raise ValueError("There is not enough.")
    return balance - amount
"""


def faults(text: str) -> set[str]:
    return {mutant.change for mutant in mutants("some.py", text)}


def test_a_guard_is_removed_a_bound_moved_and_a_condition_dropped():
    assert {
        "amount > balance and amount -> False",
        "> -> >=",
        "amount > balance and amount -> ((amount))",
        "amount > balance and amount -> ((amount > balance))",
        "balance - amount -> None",
        "- -> +",
    } <= faults(GUARD)


def test_words_for_people_and_logs_are_left_alone():
    assert not [fault for fault in faults(GUARD) if "enough" in fault or "asked" in fault or "3" in fault]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("rows = Row.objects.filter(at__gte=now)", "at__gte -> at__gt"),
        ("rows = Row.objects.filter(at__gte=now)", "filter -> exclude"),
        ("rows = Row.objects.select_for_update().get(pk=1)", "Row.objects.select_for_update() -> Row.objects"),
        ("check(person)", "check(person) -> pass"),
        ("person.name = name", "person.name = name -> pass"),
        ("send(to, now=True)", ", now=True -> nothing"),
        ("most = max(one, other)", "max -> min"),
        ("wait = timedelta(minutes=5)", "5 -> 6"),
        ("known = name in names", "in -> not in"),
        ("known = not name", "not name -> (name)"),
        ("known = name in (FIRST, SECOND)", "(FIRST, SECOND) -> (SECOND,)"),
        ("known = name in (FIRST, SECOND, THIRD)", ", THIRD -> nothing"),
        ("total += price", "+ -> -"),
        ("names = [name for name in names if name]", "name -> True"),
        ("@atomic\ndef pay(): pass", "@atomic -> nothing"),
        ("try:\n    go()\nexcept (KeyError, ValueError):\n    go()", ", ValueError -> nothing"),
        ("for each in all_of_them:\n    continue", "continue -> break"),
        ("with transaction.atomic():\n    go()", "transaction.atomic() -> __import__('contextlib').nullcontext()"),
        ("rights = {'put': OWNERS, 'get': ALL}", "'put': OWNERS, -> nothing"),
    ],
)
def test_each_kind_of_fault_is_planted(line, fault):
    assert fault in faults(line)


def test_every_fault_is_a_module_that_compiles_and_means_something_else():
    text = Path("voicechat/parsing.py").read_text()
    planted = mutants("voicechat/parsing.py", text)
    assert len({mutant.source for mutant in planted}) == len(planted) > 40
    for mutant in planted:
        compile(mutant.source, "fault", "exec")


def test_a_faults_function_and_line_say_where_it_is():
    found = next(each for each in mutants("some.py", GUARD) if each.change == "- -> +")
    assert (found.function, found.line, found.first_line) == ("withdraw", "return balance - amount", 7)


# Into a living process

ONE = """
from enum import Enum

MOST = 3


class Kind(Enum):
    PHONE = "phone"


def fits(number):
    return number < MOST


def refused(work):
    def tried(number):
        return None if number > 7 else work(number)

    return tried


@refused
def doubled(number):
    return 2 * number
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module that has been imported, and one that has imported from it."""
    (tmp_path / "planted_one.py").write_text(ONE)
    (tmp_path / "planted_other.py").write_text("from planted_one import MOST, fits\n")
    monkeypatch.syspath_prepend(tmp_path)
    import planted_one
    import planted_other

    yield planted_one, planted_other
    for name in ("planted_one", "planted_other"):
        sys.modules.pop(name)


def planted(module, change: str) -> bool:
    path = module.__file__
    text = Path(path).read_text()
    mutant = next(each for each in mutants(path, text) if each.change == change)
    return swap.swap(swap.living(str(Path(path).parent)), path, text, mutant.source)


def test_a_function_is_exchanged_where_it_was_imported_to(module):
    one, other = module
    assert planted(one, "< -> <=")
    assert one.fits(3)
    assert other.fits(3)


def test_what_a_decorator_has_put_around_a_function_is_exchanged(module):
    one, _ = module
    assert planted(one, "> -> >=")
    assert (one.doubled(6), one.doubled(7)) == (12, None)


def test_a_constant_is_exchanged_where_it_was_imported_to_but_that_is_not_the_whole(module):
    one, other = module
    assert not planted(one, "3 -> 4")
    assert other.MOST == 4
    assert other.fits(3)


def test_a_member_of_an_enumeration_needs_a_new_import(module):
    one, _ = module
    with pytest.raises(swap.NeedsNewImportError):
        planted(one, "\"phone\" -> 'phone_'")
    assert one.Kind.PHONE.value == "phone"


def test_what_runs_at_import_needs_a_new_one(module):
    one, _ = module
    text = Path(one.__file__).read_text()
    with pytest.raises(swap.NeedsNewImportError):
        swap.swap({}, one.__file__, text, text.replace("def fits(number)", "def fits(number=2)"))


# Equivalent ones

ENTRY = """
[[mutant]]
file = "billing/ledger.py"
function = "post_entry"
line = "return posted"
change = "posted -> None"
reason = "An example."
"""


def listed(tmp_path, text):
    (tmp_path / "equivalent.toml").write_text(text)
    return equivalent.read(tmp_path / "equivalent.toml")


def test_an_entry_fits_its_fault_wherever_the_line_has_moved_to(tmp_path):
    [entry] = listed(tmp_path, ENTRY)
    text = "# One line more.\n" + Path("billing/ledger.py").read_text()
    assert len([mutant for mutant in mutants("billing/ledger.py", text) if entry.fits(mutant)]) == 1


@pytest.mark.parametrize("gone", ['line = "return posted"', 'file = "billing/ledger.py"', 'change = "posted -> None"'])
def test_an_entry_about_nothing_is_stale(tmp_path, gone):
    [entry] = listed(tmp_path, ENTRY.replace(gone, f'{gone[:-1]}er"'))
    path = "billing/ledger.py"
    assert equivalent.stale([entry], mutants(path, Path(path).read_text()), [path]) == [entry]


def test_an_entry_needs_a_reason(tmp_path):
    with pytest.raises(equivalent.ListError):
        listed(tmp_path, ENTRY.replace("An example.", " "))


def test_no_entry_of_the_list_is_stale():
    entries = equivalent.read()
    paths = {entry.file for entry in entries}
    is_listed = partial(equivalent.is_listed, entries)
    every = [mutant for path in paths for mutant in mutants(path, Path(path).read_text(), is_listed)]
    assert not equivalent.stale(entries, every, paths)


def test_a_stale_entry_fails_the_run(tmp_path, monkeypatch, capsys):
    from bench.mutants import __main__ as tool

    stale = listed(tmp_path, ENTRY.replace("posted -> None", "posted -> 7"))
    monkeypatch.setattr(equivalent, "read", lambda: stale)
    monkeypatch.setattr(sys, "argv", ["mutants", "billing/ledger.py"])
    assert tool.main() == 1
    assert "posted -> 7" in capsys.readouterr().out


# What is kept


def result(**fields):
    usual = dict.fromkeys(("key", "file", "function", "line", "change", "operator", "by"), "x")
    counts = {"line_number": 1, "ran": 2, "reaching": 2, "seconds": 0.1}
    return Result(**{**usual, **counts, "status": "killed", "database": "SQLite", "tests": "old", **fields})


def test_what_is_known_is_not_asked_again_and_a_survivor_only_of_other_tests(tmp_path):
    first, *_ = mutants("some.py", GUARD)
    kept = Results(tmp_path / "results.jsonl")
    kept.keep(result(key=first.key, status="survived"))
    again = Results(tmp_path / "results.jsonl")
    assert again.settled(first, ["old"], "SQLite", whole=True)
    assert not again.settled(first, ["new"], "SQLite", whole=True)
    again.keep(result(key=first.key))
    assert Results(tmp_path / "results.jsonl").settled(first, ["new"], "SQLite", whole=True)


def test_who_has_survived_a_later_round_is_not_tried_in_an_earlier_one_again(tmp_path):
    first, *_ = mutants("some.py", GUARD)
    kept = Results(tmp_path / "results.jsonl")
    kept.keep(result(key=first.key, status="survived", tests="all"))
    assert kept.settled(first, ["near", "all"], "SQLite", whole=True)
    assert not kept.settled(first, ["near", "others"], "SQLite", whole=True)


def test_the_nearest_tests_come_in_the_first_round_and_all_in_the_last():
    tests = Mapping(ROOT, "").tests()
    near, of_app, every = rounds(["users/sign_in/tokens.py"], tests)
    assert "tests/users/sign_in/test_forged_tokens.py" in near
    assert "tests/users/test_limits.py" in of_app - near
    assert every == set(tests)
    assert near < of_app < every
    assert max(map(len, (near, of_app - near))) < len(every) / 4


@pytest.mark.parametrize(
    ("module", "test"),
    [
        ("groups/api/permissions.py", "tests/access/test_matrix.py"),
        ("users/operators/sessions.py", "tests/admin/test_sessions.py"),
        ("voice/api/signatures.py", "tests/hostile/test_webhooks.py"),
    ],
)
def test_what_stands_elsewhere_is_in_the_first_round_too(module, test):
    near, *_ = rounds([module], Mapping(ROOT, "").tests())
    assert test in near


def test_whoever_imports_a_module_has_their_tests_in_the_second_round():
    near, wider, _ = rounds(["users/sign_in/tickets.py"], Mapping(ROOT, "").tests())
    assert "tests/live/test_doors.py" in wider - near


def test_half_a_line_of_a_run_that_was_ended_is_passed_over(tmp_path):
    (tmp_path / "results.jsonl").write_text('{"key": "a')
    assert results.Results(tmp_path / "results.jsonl").known == {}


def test_the_paper_keeps_the_rows_of_other_modules(tmp_path):
    row = partial(paper.row, rules=False, nearest=False)
    page = tmp_path / "mutants.md"
    page.write_text(f"Before.\n{paper.BEGIN}\n{paper.END}\nAfter.\n")
    paper.write(page, {"b.py": row("b.py", [result(), result(status="survived")], 1, "2026-01-02", rules=True)})
    paper.write(page, {"a.py": row("a.py", [result()], 0, "2026-01-03", nearest=True)})
    text = page.read_text()
    first, second = (
        "| `a.py` | 1 | all | 1 | 0 | 0 | nearest | ",
        "| `b.py` | 3 | rules | 1 | 1 | 1 | all | SQLite | 2026-01-02 |",
    )
    assert text.index(first) < text.index(second)
    assert text.startswith("Before.")
    assert text.endswith("After.\n")


def test_one_case_of_each_test_comes_before_the_next_and_what_is_slow_last():
    names = ["t/test_money.py::slow", "t/test_money.py::a[1]", "t/test_money.py::a[2]", "t/test_other.py::b"]
    names += [f"t/test_other.py::c{number}" for number in range(3)] + ["t/test_third.py::d"]
    assert varied(names, lambda name: name.endswith("slow"), lambda file: "money" in file) == [
        "t/test_money.py::a[1]",
        "t/test_other.py::b",
        "t/test_other.py::c0",
        "t/test_other.py::c1",
        "t/test_third.py::d",
        "t/test_other.py::c2",
        "t/test_money.py::a[2]",
        "t/test_money.py::slow",
    ]


@pytest.fixture
def asked(tmp_path):
    """The order in which tests are asked of a fault, of which each has executed some lines of its module."""

    def asked(fault, lines, files=None):
        (tmp_path / "reach").mkdir()
        (tmp_path / "sources" / fault.path).parent.mkdir(parents=True)
        (tmp_path / "sources" / fault.path).write_text(fault.text)
        noted = {name: {"outcome": "passed", "seconds": 0.01, "lines": {fault.path: of}} for name, of in lines.items()}
        (tmp_path / "reach" / "noted.json").write_text(json.dumps(noted))
        return [name for name, _ in Map(tmp_path).tests_for(fault, files)]

    return asked


def test_whom_a_guard_holds_up_comes_before_whoever_passes_it_and_then_the_tests_beside(asked):
    path = "groups/services.py"
    guard = next(each for each in mutants(path, (ROOT / path).read_text()) if each.operator == "guard removed")
    noted = {f"tests/groups/test_services.py::test_{number}": [guard.first_line] for number in range(50)}
    noted["tests/wire/test_far.py::test_it"] = [guard.first_line, guard.last_line + 1]
    noted["tests/wire/test_far.py::test_just_not"] = [guard.first_line]
    first, *others = asked(guard, noted)
    assert (first, len(others)) == ("tests/wire/test_far.py::test_it", 51)
    assert others.index("tests/wire/test_far.py::test_just_not") < SELDOM


def test_a_file_that_is_called_as_the_function_is_comes_first_where_everybody_executes_it(asked):
    path = "core/wire.py"
    fault = next(each for each in mutants(path, (ROOT / path).read_text()) if each.function == "whole_number")
    names = [
        *(f"tests/core/test_wire.py::test_{number}" for number in range(50)),
        "tests/wire/test_whole_numbers.py::test_it",
    ]
    assert asked(fault, {name: [fault.first_line] for name in names})[0] == names[-1]


def test_who_is_about_a_module_comes_before_the_others_wherever_that_stands(asked):
    path = "core/wire.py"
    fault = next(each for each in mutants(path, (ROOT / path).read_text()) if each.operator == "guard removed")
    noted = {f"tests/groups/test_{number}.py::test_it": [fault.first_line] for number in range(1000)}
    about = [f"tests/wire/test_words.py::test_{number}" for number in range(20)]
    noted |= {name: [fault.first_line] for name in about}
    assert set(about) < set(asked(fault, noted)[: SELDOM + len(about)])


def test_where_few_of_the_files_asked_execute_a_line_whoever_executes_its_module_is_asked_too(asked):
    """A query that is prepared once is made by whichever test is the first of its process."""
    path = "groups/services.py"
    fault = next(each for each in mutants(path, (ROOT / path).read_text()) if each.operator == "guard removed")
    noted = {f"tests/voice/test_{number}.py::test_it": [fault.first_line] for number in range(50)}
    noted["tests/groups/test_near.py::test_it"] = [fault.first_line + 1]
    assert asked(fault, noted, {"tests/groups/test_near.py"}) == ["tests/groups/test_near.py::test_it"]


def test_whom_a_constant_holds_up_comes_before_whoever_only_meets_it(asked):
    path, text = "core/wire.py", (ROOT / "core/wire.py").read_text()
    constant = next(each for each in mutants(path, text) if each.line.startswith("LARGEST_ID"))
    meets = text.splitlines().index("        if number > LARGEST_ID:") + 1
    noted = {AT_IMPORT: [constant.first_line]}
    noted |= {f"tests/core/test_wire.py::test_{number}": [meets] for number in range(50)}
    noted["tests/house/test_far.py::test_it"] = [meets, meets + 1]
    first, *others = asked(constant, noted)
    assert (first, len(others)) == ("tests/house/test_far.py::test_it", 50)


def test_what_was_noted_before_a_run_was_ended_is_not_noted_again(tmp_path, monkeypatch):
    files = {"tests/billing/test_a.py": "1", "tests/voice/test_b.py": "2", "tests/house/test_c.py": "3"}
    asked = []

    def note(self, names, folder, url):
        asked.append(list(names))
        if len(asked) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(Mapping, "tests", lambda _: files)
    monkeypatch.setattr(Mapping, "note", note)
    (tmp_path / "sources").mkdir()
    with pytest.raises(KeyboardInterrupt):
        Mapping(tmp_path, "").bring_up_to_date()
    Mapping(tmp_path, "").bring_up_to_date()
    a, b, c = ([name] for name in files)
    assert asked == [a, b, b, c]
    assert Mapping(tmp_path, "").known() == files


def test_a_line_that_has_moved_is_known_by_its_old_place(tmp_path):
    (tmp_path / "old").write_text("one\ntwo\n")
    (tmp_path / "new").write_text("zero\none\ntwo\n")
    places = moved(tmp_path / "old", tmp_path / "new")
    assert places[2] == {1}
    assert places[3] == {2}


def test_what_is_noted_after_a_module_has_changed_is_noted_by_its_old_places_too(tmp_path):
    """Or the tests that are new would be asked of other lines than those that they execute."""
    path = "core/attempts.py"
    (tmp_path / "sources/core").mkdir(parents=True)
    (tmp_path / "sources" / path).write_text("".join(Path(path).read_text().splitlines(keepends=True)[2:]))
    noted = Mapping(tmp_path, "").as_it_was({"a test": {"outcome": "passed", "lines": {path: [10, 12]}}})
    assert noted == {"a test": {"outcome": "passed", "lines": {path: [8, 10]}}}


# The whole way

ATTEMPTS = "tests/core/test_attempts.py"
THREE = f"{ATTEMPTS}::test_three_in_a_row_without_an_answer_are_enough"
OURS = f"{ATTEMPTS}::test_a_fault_of_ours_is_no_reason_to_leave_the_vendor_alone"


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the project in which one test file waits for faults."""
    copy = Copy(tmp_path_factory.mktemp("copy"))
    copy.warm = Process(copy, [ATTEMPTS])
    yield copy
    copy.stop()


def became(copy, change, tests, *, anew=False):
    path = "core/attempts.py"
    text = Path(path).read_text()
    mutant = next(each for each in mutants(path, text) if each.change == change)
    ask = copy.ask_anew if anew else copy.ask
    answer = ask([(test, 0.1) for test in tests], path, text, mutant.source)
    assert (copy.folder / path).read_text() == text
    return answer["status"], answer.get("by")


def test_a_fault_is_killed_by_the_test_that_says_the_rule_and_by_no_other_and_is_gone_after_it(copy):
    assert became(copy, ">= -> >", [OURS, THREE]) == ("killed", THREE)
    assert became(copy, ">= -> >", [OURS]) == ("survived", None)
    assert copy.ask([(THREE, 0.1)])["status"] == "survived"


def test_what_runs_at_import_is_noticed_too_and_survives_only_where_a_new_import_has_shown_it(copy):
    assert became(copy, "3 -> 4", [OURS, THREE]) == ("killed", THREE)
    assert became(copy, "3 -> 4", [THREE], anew=True) == ("killed", THREE)
    assert became(copy, "3 -> 4", [OURS]) == ("import", None)
    assert became(copy, "3 -> 4", [OURS], anew=True) == ("survived", None)
