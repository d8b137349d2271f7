"""A run is a folder that a person can read; this opens one, writes it atomically, and keeps others out.

recipe.yaml        what was asked, with every change from the command line applied
fields/            tokenizers and label names
best.safetensors  last.safetensors + last.state   weights; all else that training needs to go on
log.jsonl          one line an event; manifest.json: versions, data hashes, device, seed
predictions/  plots/
.replaced/         for a while, the run that --fresh replaces (replaced.py)
"""

import difflib
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from torch import Tensor

from s2s.errors import RunError
from s2s.files import atomic_write, explained_errno, move_over, remove_leftovers
from s2s.runs.checkpoint import DAMAGED, pack_tree, read_tensors, read_values, unpack_tree, write_tensors
from s2s.runs.event_log import EventLog, finite
from s2s.runs.lock import locked
from s2s.runs.replaced import Replaced

RUN_FORMAT = 1  # of the folder: raise it when an older s2s could no longer read a run
OURS = {"recipe.yaml", "fields", "parts", "log.jsonl", "manifest.json", "predictions", "plots", "tensorboard"}
OUT_OPTION_HINT = "choose another folder: --out DIR"


class Run:
    """run = Run.create("runs/x", recipe_text, manifest)  or  run = Run.open("runs/x")

    Run(path) itself looks at nothing. Every method raises RunError where the disk or the folder says no.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.recipe = self.path / "recipe.yaml"
        self.fields = self.path / "fields"
        self._log = EventLog(self.path / "log.jsonl")
        self.predictions = self.path / "predictions"
        self.plots = self.path / "plots"
        self._state = self.path / "last.state"
        self._last = self.path / "last.safetensors"
        self._coming = self.path / "last.safetensors.next"
        self.replaced = Replaced(self.path)

    # -- opening --

    @classmethod
    def create(cls, path: str | Path, recipe_text: str, manifest: Mapping[str, Any] | None = None) -> "Run":
        """A new run folder. One that stopped before it had any weights is begun again; a trained one is not touched."""
        run = cls(path)
        run.check_room()
        run.make_folder()
        with run.lock():
            run.begin(recipe_text, manifest)
        return run

    def make_folder(self) -> None:
        """Where it is not there already."""
        with explained_errno(self.path):
            self.path.mkdir(parents=True, exist_ok=True)

    def check_room(self, *, fresh: bool = False) -> None:
        """Raises RunError where no run can begin.

        fresh  a run that s2s made is no hindrance: begin() sets it aside
        """
        with explained_errno(self.path):
            if self.path.exists() and not self.path.is_dir():
                raise RunError(str(self.path), "is a file, and a run is a folder", OUT_OPTION_HINT)
            names = {p.name for p in self.path.glob("[!.]*")}
        trained = self.has_checkpoint or any(name.endswith(".safetensors") for name in names)
        if fresh and trained and self._is_ours(strict=True):
            return
        if fresh and trained:
            what = "cannot be replaced: its manifest.json does not say that s2s made all this"
            raise RunError(str(self.path), what, f"move away what is in it, or {OUT_OPTION_HINT}")
        if trained:
            raise RunError(str(self.path), "already holds a trained run", f"carry on with it, or {OUT_OPTION_HINT}")
        strange = sorted(names - OURS if self._is_ours() else names)
        if strange:
            what = "is no run that s2s made, and not empty" if fresh else "is not empty"
            raise RunError(str(self.path), f"{what}: it has {strange[0]!r}", OUT_OPTION_HINT)

    def _is_ours(self, strict: bool = False) -> bool:
        """Whether the manifest is one that s2s writes: strictly, with the versions that a training notes there."""
        try:
            values = self.manifest()
        except RunError:  # there is none, or another program's
            return False
        noted = values.get("versions")
        return isinstance(values.get("format"), int) and (not strict or (isinstance(noted, dict) and "s2s" in noted))

    def begin(self, recipe_text: str, manifest: Mapping[str, Any] | None = None, *, fresh: bool = False) -> list[str]:
        """Begin a run, for the one who holds the lock; gives the names of foreign files that were left in the folder.

        fresh  a run that is there waits in `replaced`, until that is told to forget it or to bring it back
        """
        self.check_room(fresh=fresh)
        left = self.replaced.set_aside() if fresh and self._is_ours(strict=True) else []
        with explained_errno(self._log.path):
            self._log.path.unlink(missing_ok=True)
        # First: what comes after it is ours, and may be begun again where the process is killed.
        self.write_manifest(manifest or {})
        self.write("recipe.yaml", recipe_text)
        return left

    @classmethod
    def open(cls, path: str | Path) -> "Run":
        """An existing run folder, trained or not; weights are looked at when they are loaded."""
        run = cls(path)
        with explained_errno(run.path):
            if not run.path.exists():
                raise RunError(str(run.path), "there is no such folder", nearby(run.path))
            if not run.path.is_dir():
                inside = f"name its folder: {run.path.parent}" if (run.path.parent / "manifest.json").exists() else ""
                raise RunError(str(run.path), "is a file, and a run is a folder", inside or nearby(run.path))
            names = {p.name for p in run.path.iterdir()}
        if not names & {"manifest.json", "recipe.yaml", "last.state", "best.safetensors"}:
            raise RunError(str(run.path), "is not a run: it has no recipe.yaml and no manifest.json", nearby(run.path))
        for name in ("manifest.json", "recipe.yaml"):
            if name not in names:
                raise RunError(str(run.path), f"is cut short: it has no {name}", "copy the whole folder again")
        form = run.manifest().get("format")
        if not isinstance(form, int):
            raise RunError(str(run.path / "manifest.json"), "does not say which format the run has", DAMAGED)
        if form > RUN_FORMAT:
            what = f"was made by a newer s2s: its format is {form}, and this s2s reads up to {RUN_FORMAT}"
            raise RunError(str(run.path), what, "upgrade: pip install --upgrade s2s")
        return run

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep a second training out of this folder; a lock whose owner died is taken over."""
        with locked(self.path):
            remove_leftovers(self.path)
            self.replaced.recover()
            yield

    # -- weights --

    @property
    def has_checkpoint(self) -> bool:
        """Is there something to carry on from?"""
        return self._state.exists()

    @property
    def checkpoint_step(self) -> int:
        """How far the last checkpoint came; 0 where there is none."""
        return int(read_values(self._state)["state"]["position"]["step"]) if self.has_checkpoint else 0

    def save_weights(self, name: str, weights: Mapping[str, Tensor]) -> None:
        """Write {name}.safetensors, as `best`. Save it before the checkpoint whose state says that it is the best."""
        write_tensors(self.path / f"{name}.safetensors", weights)

    def load_weights(self, name: str) -> dict[str, Tensor]:
        """The tensors of {name}.safetensors, on the CPU, tied weights under all their names."""
        path = self.path / f"{name}.safetensors"
        if not path.exists():
            there = sorted(p.stem for p in self.path.glob("*.safetensors"))
            hint = f"it has: {', '.join(there)}" if there else "train it first, with the same --out: s2s train"
            raise RunError(str(self.path), f"has no {path.name}", hint)
        return read_tensors(path)[0]

    def save_checkpoint(self, weights: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
        """Write last.safetensors and last.state: a crash at any moment leaves the old pair or the new pair.

        state  all else that training needs to go on: any nest that `pack` takes

        Both files carry one stamp. The weights wait under another name until the state is written; from that
        moment the new pair counts, and whoever goes on with the run finishes the rename.
        """
        self._settle()
        stamp = secrets.token_hex(8)
        tensors, values = pack_tree(dict(state))
        try:
            write_tensors(self._coming, weights, {"stamp": stamp})
            write_tensors(self._state, tensors, {"stamp": stamp, "state": values})
        except BaseException:
            with suppress(RunError):  # the first failure is the one to report
                self._settle()
            raise
        move_over(self._coming, self._last)

    def load_checkpoint(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """weights, state: what save_checkpoint was given, on the CPU. For the one who holds the lock."""
        if not self.has_checkpoint:
            raise RunError(str(self.path), "has no last.state to carry on from", "train into a new folder: --out DIR")
        self._settle()
        tensors, values = read_tensors(self._state)
        if not isinstance(values, dict) or not {"stamp", "state"} <= values.keys():
            raise RunError(str(self._state), "is not the state of a training", DAMAGED)
        weights, about = read_tensors(self._last)
        if stamp_of(about) != values["stamp"]:
            what = "last.safetensors and last.state are of different moments"
            raise RunError(str(self.path), what, "copy both from the same folder again, or train into a new one")
        return weights, unpack_tree(tensors, values["state"])

    def _settle(self) -> None:
        """Finish or forget what a crash interrupted: weights that wait belong to the state, or to nothing."""
        if not self._coming.exists():
            return
        if self._state.exists() and stamp_of(read_values(self._coming)) == stamp_of(read_values(self._state)):
            move_over(self._coming, self._last)
        else:
            with explained_errno(self._coming):
                self._coming.unlink()

    # -- words --

    def write(self, name: str, text: str) -> Path:
        """Write a text file of the run, as `predictions/test.txt`, atomically."""
        atomic_write(self.path / name, text.encode("utf-8"))
        return self.path / name

    def recipe_text(self) -> str:
        """What was asked."""
        with explained_errno(self.recipe):
            try:
                return self.recipe.read_text(encoding="utf-8")
            except UnicodeDecodeError as error:
                raise RunError(str(self.recipe), f"is not text: byte {error.start} is not UTF-8", DAMAGED) from None

    def write_manifest(self, values: Mapping[str, Any]) -> None:
        """What was used: versions, data hashes, device, seed. Replaces what was there."""
        self.write(
            "manifest.json", json.dumps({"format": RUN_FORMAT} | finite(values), indent=2, ensure_ascii=False) + "\n"
        )

    def manifest(self) -> dict[str, Any]:
        """What write_manifest wrote, and `format`."""
        path = self.path / "manifest.json"
        with explained_errno(path):
            text = path.read_bytes()
        try:
            values = json.loads(text)
        except ValueError as error:
            raise RunError(str(path), f"cannot be read: {error}", DAMAGED) from None
        if not isinstance(values, dict):
            raise RunError(str(path), "is not a JSON object", DAMAGED)
        return values

    def log(self, event: Mapping[str, Any]) -> None:
        """Append one line to log.jsonl. Numbers that JSON has no word for are written as text: "nan"."""
        self._log.append(event)

    def events(self) -> Iterator[dict[str, Any]]:
        """The lines of log.jsonl; one that a crash cut short is passed over."""
        return self._log.events()

    def rewind_log(self, step: int) -> None:
        """Forget events after `step`: training goes on from there and will tell them again."""
        self._log.rewind(step)


def stamp_of(values: Any) -> Any:
    return values.get("stamp") if isinstance(values, dict) else None


def nearby(path: Path) -> str:
    """`did you mean 'runs/multi30k'? the runs there are: demo, multi30k`"""
    try:
        runs = sorted(p.parent.name for p in path.parent.glob("*/manifest.json"))
    except OSError:
        runs = []
    if not runs:
        return "train one first: s2s train RECIPE --out DIR"
    close = difflib.get_close_matches(path.name, runs, n=1)
    guess = f"did you mean {str(path.parent / close[0])!r}? " if close else ""
    return f"{guess}the runs in {str(path.parent)!r} are: {', '.join(runs)}"
