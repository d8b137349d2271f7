"""The run folder: what is saved comes back, a crash leaves the old or the new, every broken folder has its sentence."""

import errno
import json
import math
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch

from s2s import files as safefiles
from s2s.errors import RunError
from s2s.files import atomic_write
from s2s.runs.checkpoint import pack_tree, read_tensors, unpack_tree, write_tensors
from s2s.runs.run import RUN_FORMAT, Run

WEIGHTS = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor([True, False])}
STATE = {"step": 7, "rng": torch.arange(5, dtype=torch.uint8), "inner": {"x": (1, None, torch.ones(2))}}


@pytest.fixture
def run(tmp_path):
    made = Run.create(tmp_path / "runs" / "x", "name: x\n", {"seed": 1})
    made.save_weights("best", WEIGHTS)
    made.save_checkpoint(WEIGHTS, STATE)
    return made


def equal(a, b):
    """The same nest: types, keys and their order, bits."""
    if type(a) is not type(b):
        return False
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b)
    if isinstance(a, dict):
        return list(a) == list(b) and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b or (a != a and b != b)


def names(folder):
    return sorted(p.name for p in folder.rglob("*"))


# -- pack and unpack --------------------------------------------------------------------------------

TREES = [
    {},
    {"a": 1, "b": 2.5, "c": True, "d": None, "e": "text", "f": False, "g": 0, "h": 1.0},
    {"nested": {"deep": [1, (2, 3), [], (), {}]}},
    {0: {"step": torch.tensor(3.0), 1: torch.ones(2, 2)}, 7: {}},
    {None: 1, True: 2, 1.5: 3, (1, "x"): 4},
    {"$tensor": "not one", "$tuple": [1]},
    {"$odd": {"$items": 3}},
    [0.1, 1e-320, -0.0, 2**70, -1, 1e300, float("inf"), float("-inf"), float("nan")],
    (torch.randn(3), [torch.randn(1), (torch.tensor(5),)]),
    torch.randn(2),
    {"a.b": torch.ones(1), "a": {"b": torch.zeros(1)}, "a.b'": torch.full((1,), 2.0)},
    {1: torch.ones(1), "1": torch.zeros(1)},
    {
        "types": [
            torch.zeros(2, dtype=t) for t in (torch.bfloat16, torch.float16, torch.float64, torch.int8, torch.bool)
        ]
    },
    {"empty": torch.zeros(0, 3), "scalar": torch.tensor(1)},
    {"text": 'quotes " \\ \n \u2028 ü 漢 \ud800'},
]


@pytest.mark.parametrize("tree", TREES, ids=range(len(TREES)))  # the same names in every worker
def test_packing_comes_back_exactly(tree, tmp_path):
    tensors, values = pack_tree(tree)
    assert all(isinstance(tensor, torch.Tensor) for tensor in tensors.values())
    json.dumps(values, allow_nan=False)
    assert equal(unpack_tree(tensors, values), tree)
    write_tensors(tmp_path / "x", tensors, values)
    assert equal(unpack_tree(*read_tensors(tmp_path / "x")), tree)


def test_minus_zero_and_whole_floats_stay():
    values = unpack_tree(*pack_tree([-0.0, 1.0, True]))
    assert math.copysign(1, values[0]) == -1
    assert [type(value) for value in values] == [float, float, bool]


def test_names_can_be_read():
    tensors, _ = pack_tree({"optimizer": {"state": {"encoder.weight": {"exp_avg": torch.ones(1)}}}})
    assert list(tensors) == ["optimizer.state.encoder.weight.exp_avg"]


@pytest.mark.parametrize("thing", [object(), {1, 2}, b"bytes", lambda: 0, torch.nn.Linear(1, 1)], ids=range(5))
def test_what_cannot_be_packed_is_named(thing):
    with pytest.raises(TypeError, match=rf"^state\.1: a {type(thing).__name__} cannot be saved"):
        pack_tree({"state": [1, thing]})


def test_an_optimizers_own_state_comes_back():
    net = torch.nn.Linear(2, 2)
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    assert equal(unpack_tree(*pack_tree(optimizer.state_dict())), optimizer.state_dict())


# -- weights ----------------------------------------------------------------------------------------


def test_weights_come_back(run):
    assert equal(run.load_weights("best"), WEIGHTS)
    assert equal(run.load_weights("last"), WEIGHTS)


def test_tied_weights_are_stored_once_and_come_back_tied(run):
    shared = torch.randn(50, 10)
    run.save_weights("best", {"embedding": shared, "output": shared, "other": shared.clone()})
    back = run.load_weights("best")
    assert back["embedding"].data_ptr() == back["output"].data_ptr() != back["other"].data_ptr()
    assert torch.equal(back["output"], shared)
    stored = safetensors.torch.load_file(run.path / "best.safetensors")
    assert len(stored) == 2


def test_views_of_one_memory_are_not_mixed_up(run):
    whole = torch.arange(12.0).reshape(3, 4)
    views = {"whole": whole, "row": whole[1], "turned": whole.t(), "first": whole[:1], "flat": whole.view(-1)}
    run.save_weights("best", views)
    back = run.load_weights("best")
    assert all(torch.equal(back[name], views[name]) for name in views)


def test_a_row_does_not_bring_its_whole_matrix(run):
    run.save_weights("best", {"row": torch.zeros(10000, 10)[3]})
    assert (run.path / "best.safetensors").stat().st_size < 1000


def test_weights_need_no_gradient_and_no_file(run):
    run.save_weights("best", {"w": torch.nn.Parameter(torch.ones(2))})
    back = run.load_weights("best")["w"]
    run.save_weights("best", {"w": torch.zeros(2)})
    assert torch.equal(back, torch.ones(2)), "what was loaded must not change with the file"
    assert not back.requires_grad


# -- checkpoints: a crash leaves the old pair or the new pair ------------------------------------------


def test_a_checkpoint_comes_back(run):
    weights, state = run.load_checkpoint()
    assert equal(weights, WEIGHTS)
    assert equal(state, STATE)


NEW = {"a": torch.full((2, 3), 9.0), "b": torch.tensor([True, True])}


@pytest.mark.parametrize("call", ["replace", "fsync", "open"])
def test_killed_at_any_moment_of_saving(run, call):
    """A child process saves and dies before the n-th call of the system; what it leaves is always a whole pair."""
    old, seen = STATE["step"], set()
    for n in range(40):
        fresh = old + 1
        if (child := os.fork()) == 0:
            counter = iter(range(1000))
            real = getattr(os, call)

            def dies(*args, real=real, counter=counter, n=n):
                if next(counter) == n:
                    os._exit(3)
                return real(*args)

            setattr(os, call, dies)
            run.save_checkpoint({**NEW, "step": torch.tensor(fresh)}, {"step": fresh})
            os._exit(0)
        finished = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        weights, state = Run.open(run.path).load_checkpoint()
        assert state["step"] in (old, fresh)
        assert int(weights.get("step", STATE["step"])) == state["step"], f"mixed, killed at {call} number {n}"
        seen.add(state["step"] == fresh)
        old = state["step"]
        if finished:
            break
    assert finished
    assert n >= 2
    assert seen == {True, False}
    with run.lock():
        pass
    assert not [name for name in names(run.path) if name.endswith((".tmp", ".next"))]


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_one(run, monkeypatch):
    before = {p: p.read_bytes() for p in run.path.iterdir() if p.is_file()}
    real, calls = os.fsync, []

    def full(handle):
        calls.append(handle)
        if len(calls) > broken:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(handle)

    monkeypatch.setattr(os, "fsync", full)
    for broken in (0, 2):  # noqa: B007  the weights, then the state (a folder's fsync may fail without harm)
        calls.clear()
        with pytest.raises(RunError, match="the disk is full\n  make room and run the same command again"):
            run.save_checkpoint(NEW, {"step": 8})
        assert {p: p.read_bytes() for p in run.path.iterdir() if p.is_file()} == before
    assert run.load_checkpoint()[1]["step"] == 7


def test_files_of_different_moments_are_noticed(run, tmp_path):
    old = (run.path / "last.safetensors").read_bytes()
    run.save_checkpoint(NEW, {"step": 8})
    (run.path / "last.safetensors").write_bytes(old)
    with pytest.raises(RunError, match=r"last\.safetensors and last\.state are of different moments"):
        run.load_checkpoint()


# -- atomic_write -----------------------------------------------------------------------------------

TROUBLES = [
    (errno.ENOSPC, "the disk is full\n  make room"),
    (errno.EDQUOT, "the disk quota is used up\n  make room"),
    (errno.EACCES, "this user may not read or write here\n  change its permissions"),
    (errno.EPERM, "this user may not read or write here"),
    (errno.EROFS, "the disk is read-only\n  choose another folder; for a training: --out DIR"),
    (errno.ENAMETOOLONG, "the name is too long"),
    (errno.ENOTDIR, "a part of this path is a file"),
    (errno.EIO, "cannot be used: Input/output error\n  check the disk"),
]


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize(
    ("code", "sentence"), TROUBLES, ids=lambda x: errno.errorcode.get(x, "") if isinstance(x, int) else ""
)
def test_trouble_while_writing(tmp_path, monkeypatch, code, sentence, call):
    path = tmp_path / "file"
    atomic_write(path, b"old")

    def fails(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, call, fails)
    with pytest.raises(RunError, match=f"^{re.escape(str(path))}: {sentence}"):
        atomic_write(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_interrupted_while_writing(tmp_path, monkeypatch):
    def interrupts(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupts)
    with pytest.raises(KeyboardInterrupt):
        atomic_write(tmp_path / "file", b"new")
    assert names(tmp_path) == []


def test_writing_syncs_the_file_before_it_renames_it(tmp_path, monkeypatch):
    order = []
    real_fsync, real_replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (order.append("fsync"), real_fsync(handle)))
    monkeypatch.setattr(os, "replace", lambda a, b: (order.append("replace"), real_replace(a, b)))
    atomic_write(tmp_path / "deep" / "file", b"x")
    assert order == ["fsync", "replace", "fsync"]
    assert (tmp_path / "deep" / "file").read_bytes() == b"x"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_one_may_not_write_in(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(RunError, match="may not read or write"):
        Run.create(tmp_path / "x", "")


# -- create and open --------------------------------------------------------------------------------


def test_a_new_run(tmp_path):
    run = Run.create(tmp_path / "a" / "b", "name: ü\n", {"seed": 3})
    assert names(run.path) == ["manifest.json", "recipe.yaml"]
    again = Run.open(str(run.path))
    assert again.recipe_text() == "name: ü\n"
    assert again.manifest() == {"format": RUN_FORMAT, "seed": 3}
    assert not again.has_checkpoint


def test_a_run_that_never_had_weights_is_begun_again(tmp_path):
    first = Run.create(tmp_path / "x", "old")
    first.log({"event": "start"})
    first.fields.mkdir()
    second = Run.create(tmp_path / "x", "new")
    assert second.recipe_text() == "new"
    assert list(second.events()) == []


def a_file(path):
    path.parent.mkdir()
    path.write_text("")


def a_strangers_folder(path):
    path.mkdir(parents=True)
    (path / "thesis.tex").write_text("")


def a_trained_run(path):
    Run.create(path, "").save_weights("best", WEIGHTS)


def below_a_file(path):
    path.parent.write_text("")


@pytest.mark.parametrize(
    ("prepare", "sentence"),
    [
        (a_file, "is a file, and a run is a folder\n  choose another folder"),
        (a_strangers_folder, r"is not empty: it has 'thesis\.tex'\n  choose another folder"),
        (a_trained_run, "already holds a trained run\n  carry on with it, or choose another folder"),
        (below_a_file, "a part of this path is a file, not a folder"),
    ],
)
def test_where_no_run_can_be_created(tmp_path, prepare, sentence):
    path = tmp_path / "runs" / "x"
    prepare(path)
    before = names(tmp_path)
    with pytest.raises(RunError, match=sentence):
        Run.create(path, "new")
    assert names(tmp_path) == before


def remove(name):
    return lambda run: (run.path / name).unlink()


def write(name, data):
    return lambda run: (run.path / name).write_bytes(data)


def cut(name, keep):
    return lambda run: write(name, (run.path / name).read_bytes()[:keep])(run)


def empty(run):
    for path in run.path.iterdir():
        path.unlink()


def rename(run):
    run.path.rename(run.path.parent / "other")


def foreign(name):
    return lambda run: safetensors.torch.save_file(WEIGHTS, run.path / name)


def swap_state(run):
    run.save_weights("last", WEIGHTS)
    (run.path / "last.state").write_bytes((run.path / "last.safetensors").read_bytes())


def open_run(run):
    Run.open(run.path)


def best(run):
    Run.open(run.path).load_weights("best")


def last(run):
    Run.open(run.path).load_weights("last")


def resume(run):
    Run.open(run.path).load_checkpoint()


def recipe(run):
    Run.open(run.path).recipe_text()


NEWER = json.dumps({"format": RUN_FORMAT + 1}).encode()
BROKEN = [
    ("gone", rename, open_run, "there is no such folder\n  the runs in .* are: other"),
    (
        "a file",
        lambda run: (empty(run), run.path.rmdir(), run.path.touch()),
        open_run,
        "is a file, and a run is a folder",
    ),
    ("empty", empty, open_run, r"is not a run: it has no recipe\.yaml and no manifest\.json"),
    ("no recipe", remove("recipe.yaml"), open_run, r"is cut short: it has no recipe\.yaml\n  copy the whole folder"),
    ("no manifest", remove("manifest.json"), open_run, r"is cut short: it has no manifest\.json"),
    ("manifest cut", cut("manifest.json", 9), open_run, r"manifest\.json: cannot be read"),
    ("manifest no object", write("manifest.json", b"[]"), open_run, r"manifest\.json: is not a JSON object"),
    ("manifest no text", write("manifest.json", b"\xff\xfe\x00"), open_run, r"manifest\.json: cannot be read"),
    ("no format", write("manifest.json", b"{}"), open_run, "does not say which format the run has"),
    (
        "newer",
        write("manifest.json", NEWER),
        open_run,
        "made by a newer s2s: its format is 2.*\n  upgrade: pip install",
    ),
    ("recipe binary", write("recipe.yaml", b"a: \xff"), recipe, r"recipe\.yaml: is not text: byte 3 is not UTF-8"),
    ("no best", remove("best.safetensors"), best, r"has no best\.safetensors\n  it has: last"),
    ("best empty", write("best.safetensors", b""), best, r"best\.safetensors: is empty\n  copy it again"),
    ("best cut in header", cut("best.safetensors", 20), best, r"best\.safetensors: is damaged or cut short: "),
    ("best cut in data", cut("best.safetensors", -3), best, r"best\.safetensors: is damaged or cut short: "),
    ("best is junk", write("best.safetensors", bytes(range(256))), best, "is damaged or cut short"),
    (
        "best is a pickle",
        lambda run: torch.save(WEIGHTS, run.path / "best.safetensors"),
        best,
        "is damaged or cut short",
    ),
    ("best is foreign", foreign("best.safetensors"), best, "was not written by s2s"),
    ("last cut", cut("last.safetensors", -1), last, r"last\.safetensors: is damaged or cut short"),
    ("no state", remove("last.state"), resume, r"has no last\.state to carry on from\n  train into a new folder"),
    ("no last", remove("last.safetensors"), resume, r"last\.safetensors: there is no such file"),
    ("state cut", cut("last.state", -1), resume, r"last\.state: is damaged or cut short"),
    ("state cut in header", cut("last.state", 100), resume, r"last\.state: is damaged or cut short"),
    ("state is weights", swap_state, resume, r"last\.state: is not the state of a training"),
    ("other last", lambda run: run.save_weights("last", WEIGHTS), resume, "are of different moments"),
]


@pytest.mark.parametrize(("breaks", "uses", "sentence"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
def test_a_broken_run(run, breaks, uses, sentence):
    breaks(run)
    with pytest.raises(RunError, match=sentence) as caught:
        uses(run)
    (problem,) = caught.value.problems
    assert str(run.path) in problem.where
    assert problem.hint
    assert "\n" not in problem.what


@pytest.mark.parametrize("edit", [{"values": 1}, {"aliases": {"c": "nowhere"}, "values": 1}, [], "x"], ids=str)
def test_a_file_whose_description_was_edited(tmp_path, edit):
    about = edit if isinstance(edit, str) else json.dumps(edit)
    safetensors.torch.save_file(WEIGHTS, tmp_path / "x", metadata={"s2s": about})
    with pytest.raises(RunError, match="is damaged: "):
        read_tensors(tmp_path / "x")


def test_a_mistyped_name_is_guessed(run):
    Run.create(run.path.parent / "multi30k", "")
    with pytest.raises(RunError, match=r"did you mean '.*multi30k'\? the runs in '.*' are: multi30k, x"):
        Run.open(run.path.parent / "multi3k")
    with pytest.raises(
        RunError, match=f"is a file, and a run is a folder\n  name its folder: {re.escape(str(run.path))}"
    ):
        Run.open(run.path / "best.safetensors")


def test_no_weights_yet(tmp_path):
    with pytest.raises(RunError, match=r"has no best\.safetensors\n  train it first"):
        Run.create(tmp_path / "x", "").load_weights("best")


def test_nothing_in_a_run_is_a_pickle(run):
    run.log({"event": "x"})
    for path in run.path.iterdir():
        data = path.read_bytes()
        assert not data.startswith((b"\x80", b"PK")), path


def test_a_moved_run_is_whole(run, tmp_path):
    moved = run.path.rename(tmp_path / "elsewhere")
    assert equal(Run.open(moved).load_checkpoint()[1], STATE)


# -- the log ----------------------------------------------------------------------------------------


def test_events_come_back(run):
    events = [{"event": "train", "step": i, "loss": i / 3, "text": "ü\n"} for i in range(4)]
    for event in events:
        run.log(event)
    assert list(run.events()) == list(Run.open(run.path).events()) == events


def test_a_cut_last_line_is_passed_over_and_not_glued_to_the_next(run):
    run.log({"step": 1})
    run.log({"step": 2})
    log = run.path / "log.jsonl"
    log.write_bytes(log.read_bytes()[:-5])
    assert list(run.events()) == [{"step": 1}]
    again = Run.open(run.path)
    again.log({"step": 3})
    again.log({"step": 4})
    assert list(again.events()) == [{"step": 1}, {"step": 3}, {"step": 4}]


def test_a_log_is_strict_json(run):
    run.log({"loss": float("nan"), "norms": [float("inf"), 1.0], "path": Path("x")})

    def refuse(word):
        raise AssertionError(word)

    (line,) = (run.path / "log.jsonl").read_text().splitlines()
    assert json.loads(line, parse_constant=refuse) == {"loss": "nan", "norms": ["inf", 1.0], "path": "x"}


def test_rewinding_forgets_what_came_after(run):
    for event in ({"event": "start"}, {"step": 5}, {"step": 10}, {"step": 11}, {"event": "message", "text": "é"}):
        run.log(event)
    run.rewind_log(10)
    run.log({"step": 11})
    expected = [{"event": "start"}, {"step": 5}, {"step": 10}, {"event": "message", "text": "é"}, {"step": 11}]
    assert list(run.events()) == expected


def test_a_log_on_a_full_disk(run, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("builtins.open", full)
    with pytest.raises(RunError, match=r"log\.jsonl: the disk is full"):
        run.log({"step": 1})


# -- the lock ---------------------------------------------------------------------------------------

HOLDER = """
import pathlib, sys, time
from s2s.runs.lock import locked
with locked(pathlib.Path(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(60)
"""


def test_two_trainings_in_one_folder(run):
    with (
        run.lock(),
        pytest.raises(RunError, match=rf"process {os.getpid()} on .* is training in it\n  wait for it"),
        run.lock(),
    ):
        pass
    with run.lock():
        pass
    assert not (run.path / ".lock").exists()


def test_a_dead_process_holds_nothing(run):
    command = [sys.executable, "-c", HOLDER, str(run.path)]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        try:
            with pytest.raises(RunError, match=f"process {other.pid} on"), run.lock():
                pass
        finally:
            other.send_signal(signal.SIGKILL)
    (run.path / ".best.safetensors.1.tmp").write_bytes(b"half")
    assert (run.path / ".lock").exists(), "killed: it could not clean up"
    with run.lock():
        assert f"process {os.getpid()} " in (run.path / ".lock").read_text()
        assert not (run.path / ".best.safetensors.1.tmp").exists()
    assert not (run.path / ".lock").exists()


def test_a_run_in_preparation_is_not_begun_again(tmp_path):
    first = Run.create(tmp_path / "x", "first")
    with first.lock(), pytest.raises(RunError, match="is training in it"):
        Run.create(tmp_path / "x", "second")
    assert first.recipe_text() == "first"


def test_a_lock_is_let_go_after_an_error(run):
    with pytest.raises(ZeroDivisionError), run.lock():
        raise ZeroDivisionError
    with run.lock():
        pass


def test_a_file_system_without_locks(run, monkeypatch):
    def unsupported(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", unsupported)
    with run.lock():
        pass


def test_leftovers_are_only_removed_under_the_lock(run):
    half = run.path / ".best.safetensors.1.tmp"
    half.write_bytes(b"half")
    Run.open(run.path).load_checkpoint()
    assert half.exists()
    safefiles.remove_leftovers(run.path)
    assert not half.exists()
