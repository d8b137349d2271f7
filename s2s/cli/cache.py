"""s2s cache: what was read and encoded once and kept for the next run; how large it is, and its removal."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from s2s.cli.console import output

if TYPE_CHECKING:
    from s2s.data.cache import Kept

DAY = 24 * 3600


def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Remove all of it.")] = False,
    older_than: Annotated[
        float | None, typer.Option(min=0, metavar="DAYS", help="Remove what was not used for so many days.")
    ] = None,
) -> None:
    """Show how large the cache is, or remove what is old of it.

    Texts that were read, their ids, and tokenizers are kept in $S2S_CACHE, or ~/.cache/s2s, so that a second
    run on the same data begins at once. What is removed is made again when it is needed. Folders that some run
    is reading at this moment are left, and training runs are not in the cache.

    s2s cache
    s2s cache --older-than 30
    """
    from s2s.data.cache import CACHE_KINDS, kept, remove, sweep
    from s2s.files import cache_folder

    folder = cache_folder()
    found = list(kept(folder))
    if not clear and older_than is None:
        show_cache(str(folder), found)
        return
    for kind in CACHE_KINDS:
        sweep(folder / kind)
    unused = (older_than or 0.0) * DAY
    old = [one for one in found if time.time() - one.used >= unused]
    removed = [one for one in old if remove(one.path, unused)]
    output().print(f"removed {readable_size(removed)} from {folder}", markup=False)
    if left := len(old) - len(removed):
        output().print(f"left: {left} in use, or not yours to remove", markup=False)


def show_cache(folder: str, found: "list[Kept]") -> None:
    """A line for each kind, and the sum."""
    from rich.table import Table

    from s2s.data.cache import CACHE_KINDS

    output().print(f"{folder}: {readable_size(found)}", markup=False)
    table = Table.grid(padding=(0, 2, 0, 0))
    for kind, purpose in CACHE_KINDS.items():
        some = [one for one in found if one.kind == kind]
        ages = f"used {ago(some[0].used)} to {ago(some[-1].used)}" if some else ""
        table.add_row(f"  {kind}", purpose, readable_size(some), ages)
    output().print(table)
    if found:
        output().print("remove what is old: s2s cache --older-than DAYS; all of it: s2s cache --clear", style="dim")


def readable_size(found: "list[Kept]") -> str:
    """`3 folders, 12.5 MB`"""
    return f"{len(found)} folder{'' if len(found) == 1 else 's'}, {readable_time(sum(one.size for one in found))}"


def readable_time(size: float) -> str:
    """Bytes as a person reads them."""
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:,.{0 if unit == 'bytes' else 1}f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"


def ago(moment: float) -> str:
    days = int((time.time() - moment) // DAY)
    return "today" if days < 1 else "yesterday" if days == 1 else f"{days} days ago"
