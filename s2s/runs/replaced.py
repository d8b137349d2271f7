"""A run that another one replaces waits inside the folder until the new one has learned something, and only then goes.

    replaced = Replaced(folder)
    left = replaced.set_aside()          # the old run's files are out of the way; these are not s2s's, and stay
    with replaced.back_on_failure(): ... # train; forget() at the first checkpoint of what was learned

It waits in the folder and not beside it: that is the same disk also where the folder is a mount, a link or the
working folder, the lock stays where it is, and what s2s did not make need not move. A process may be killed at any
moment: whoever locks the folder next calls recover(), which brings the old run back, whole.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path

from s2s.files import explained_errno, sync_folder

# What s2s writes into a run; of predictions, the files that belong to NAME.hyp.txt.
FILES = (
    *("recipe.yaml", "manifest.json", "log.jsonl"),
    *("best.safetensors", "last.safetensors", "last.safetensors.next", "last.state"),
    *("fields/*", "parts/*.py", "parts/__pycache__/*.pyc", "plots/*.png", "tensorboard/events.out.tfevents.*"),
)
PREDICTIONS = (".hyp.txt", ".src.txt", ".ref.txt", ".json", ".confusion.png")


class Replaced:
    """The run in `folder` that a new one replaces, if there is one. All but `pending` is for who holds the lock.

    .replaced         a whole run, which waits; all else in the folder that s2s makes is of the new one
    .replaced.moving  a part of that run, on its way there or back; the rest of it is in the folder
    .replaced.gone    nobody wants it any more
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.waiting = folder / ".replaced"
        self.moving = folder / ".replaced.moving"
        self.gone = folder / ".replaced.gone"

    @property
    def pending(self) -> bool:
        """Whether a process that replaced a run was killed before it knew which of the two is to stay."""
        return self.waiting.exists() or self.moving.exists()

    def set_aside(self) -> list[str]:
        """Move the run out of the way; gives the names of what s2s did not make, which stays where it is."""
        with explained_errno(self.folder):
            own = set(own_files(self.folder))
            left = sorted(
                path.relative_to(self.folder).as_posix() for path in visible_files(self.folder) if path not in own
            )
            self.moving.mkdir()
            for path in sorted(own):
                move_entry(path, self.moving / path.relative_to(self.folder))
            os.rename(self.moving, self.waiting)
            sync_folder(self.folder)
        return left

    def bring_back(self) -> bool:
        """The new run goes, and the old one is where it was; False where none waits."""
        if not self.waiting.exists():
            return False
        with explained_errno(self.folder):
            for path in list(own_files(self.folder)):
                path.unlink()
            os.rename(self.waiting, self.moving)
        self._return()
        return True

    def forget(self) -> None:
        """The new run is worth more: the old one goes."""
        with explained_errno(self.folder):
            if self.waiting.exists():
                os.rename(self.waiting, self.gone)
            if self.gone.exists():
                shutil.rmtree(self.gone)

    def recover(self) -> None:
        """Finish what a process left that was killed."""
        if self.moving.exists():
            self._return()
        self.bring_back()
        self.forget()

    def _return(self) -> None:
        with explained_errno(self.folder):
            for path in sorted(all_files(self.moving)):
                move_entry(path, self.folder / path.relative_to(self.moving))
            shutil.rmtree(self.moving, ignore_errors=True)  # empty folders, if move_entry() left any
            sync_folder(self.folder)

    @contextmanager
    def back_on_failure(self, say: Callable[[str], None]) -> Iterator[None]:
        """An error in the block brings the old run back, unless it was forgotten before."""
        try:
            yield
        except BaseException:
            if self.bring_back():
                say(f"the run that was in {self.folder} before is there again, as it was")
            raise


def own_files(folder: Path) -> Iterator[Path]:
    """What s2s made, file by file; nothing that only has the folder of such a file."""
    predictions = folder / "predictions"
    named = {path.name.removesuffix(".hyp.txt") for path in predictions.glob("*.hyp.txt")}
    answers = {predictions / f"{one}{end}" for one in named for end in PREDICTIONS}
    for path in visible_files(folder):
        name = path.relative_to(folder).as_posix()
        if path in answers or any(fnmatch(name, pattern) for pattern in FILES):
            yield path


def visible_files(folder: Path) -> Iterator[Path]:
    """Every file but the hidden ones at the top, such as the lock; links are not followed."""
    return (path for path in all_files(folder) if not path.relative_to(folder).parts[0].startswith("."))


def all_files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        yield from (Path(parent) / name for name in [*names, *links])


def move_entry(old: Path, new: Path) -> None:
    """Rename a file, onto another if need be; folders are made and left as it takes."""
    new.parent.mkdir(parents=True, exist_ok=True)
    os.replace(old, new)
    with suppress(OSError):  # not empty: others are in it
        old.parent.rmdir()
