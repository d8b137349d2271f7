"""Times, tables, reports and the documentation that they are written into."""

import itertools
import math
import time

import pytest

from tools.bench import memory
from tools.bench.__main__ import command, main
from tools.bench.report import Report, refresh
from tools.bench.tables import Table, shown
from tools.bench.timing import Timed, interleave, percentile, quartiles

MACHINE = {
    "when": "today",
    "processor": "a processor",
    "cores": 2,
    "instructions": [],
    "memory_gib": 8.0,
    "python": "3.11",
    "versions": {"torch": "2"},
    "threads": 1,
    "allocator": "glibc",
    "load": 0.5,
}


def test_variants_take_turns_and_do_the_same_rounds():
    calls = []

    def variant(name):
        return lambda i: calls.append((name, i)) or 1.0

    clock = itertools.count().__next__
    timed = interleave({"a": variant("a"), "b": variant("b")}, seconds=0, least=4, warm=2, clock=clock)
    assert [i for name, i in calls if name == "a"] == [i for name, i in calls if name == "b"] == list(range(6))
    assert {calls[2 * i][0] for i in range(6)} == {"a", "b"}  # who begins changes
    assert len(timed["a"].seconds) == len(timed["b"].work) == 4


def test_it_stops_when_the_time_is_over():
    clock = itertools.count().__next__
    timed = interleave({"a": lambda i: 1.0}, seconds=20, least=1, warm=0, clock=clock)
    assert 3 < len(timed["a"].seconds) < 12
    assert len(interleave({"a": lambda i: 1.0}, seconds=1e9, most=5)["a"].work) == 5


def test_a_ratio_is_of_rounds_not_of_medians():
    ours = Timed([1.0, 10.0, 2.0], [4.0, 4.0, 4.0])
    other = Timed([2.0, 20.0, 4.0], [4.0, 4.0, 4.0])
    assert ours.ratio(other) == (2.0, 2.0, 2.0)  # the slow round touched both
    assert ours.rate == 2.0
    assert math.isclose(ours.total, 12 / 13)
    assert str(ours.ratio(other)) == "2.00 (2.00 to 2.00)"


def test_percentiles():
    assert percentile(range(1, 101), 99) == 99
    assert percentile([5.0], 50) == 5.0
    assert quartiles([3.0]) == (3.0, 3.0, 3.0)


def test_a_table_as_markdown():
    table = Table("Speed", ("system", "rate"), notes=["A note."])
    table.add("a|b", 1234.5)
    table.add("c", None)
    assert table.markdown().splitlines() == [
        "**Speed**",
        "",
        "| system | rate |",
        "|---|--:|",
        "| a\\|b | 1,234 |",
        "| c |  |",
        "",
        "A note.",
    ]
    assert Table.of(table.to_dict()) == table
    with pytest.raises(ValueError, match="1 values for 2 columns"):
        table.add("too few")


@pytest.mark.parametrize(
    ("value", "text"), [(12, "12"), (1234.5, "1,234"), (12.34, "12.3"), (1.234, "1.23"), (0.0123, "0.012")]
)
def test_three_digits(value, text):
    assert shown(value) == text


def test_parts_are_kept_from_one_call_to_the_next(tmp_path):
    report = Report.read(tmp_path)
    table = Table("T", ("a",), [[1.0]])
    report.put("training", [table], "python -m tools.bench training", MACHINE)
    report.write(tmp_path)
    again = Report.read(tmp_path)
    again.put("floor", [table], "python -m tools.bench floor", MACHINE)
    again.write(tmp_path)
    assert list(Report.read(tmp_path).parts) == ["training", "floor"]
    text = (tmp_path / "bench.md").read_text()
    assert "`python -m tools.bench floor`" in text
    assert "a processor, 2 cores (no vector instructions of note), 8.0 GiB; 1 threads" in text


def test_documentation_is_refreshed_between_its_marks(tmp_path):
    path = tmp_path / "performance.md"
    path.write_text(
        "before\n<!-- bench: floor -->\nold\n<!-- end -->\nbetween\n<!-- bench: other -->\nkept\n<!-- end -->\n"
    )
    report = Report()
    report.put("floor", [Table("New", ("a",), [[1]])], "the command", MACHINE)
    for _ in range(2):  # a second time changes nothing
        assert refresh(path, report) == ["floor"]
        text = path.read_text()
        assert "old" not in text
        assert text.count("**New**") == 1
        assert text.startswith("before\n<!-- bench: floor -->\n`the command`")
        assert "<!-- end -->\nbetween\n<!-- bench: other -->\nkept\n<!-- end -->\n" in text


def test_the_command_of_a_report_names_no_folder_of_this_machine():
    assert command(["training", "--data", "/home/me/data", "--seconds", "5"]) == (
        "python -m tools.bench training --data FOLDER --seconds 5"
    )


def test_the_command(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("MKL_NUM_THREADS", "1")
    words = ["floor", "--tiny", "--seconds", "0", "--threads", "1", "--work", str(tmp_path), "--out", str(tmp_path)]
    assert main(words) == 0
    assert "GFLOP/s" in capsys.readouterr().out
    path = tmp_path / "performance.md"
    path.write_text("<!-- bench: floor -->\n<!-- end -->\n")
    assert main(["--refresh", str(path), "--out", str(tmp_path)]) == 0
    assert "GFLOP/s" in path.read_text()


def test_memory_of_a_child():
    used = memory.in_child(bytes_of, 64)
    assert used.result == 64
    assert used.grown > 50 << 20
    with pytest.raises(RuntimeError, match="ValueError: no"):
        memory.in_child(fail)


def bytes_of(mebibytes: int) -> int:
    held = b"\x01" * (mebibytes << 20)
    time.sleep(0.2)
    return len(held) >> 20


def fail() -> None:
    raise ValueError("no")
