"""log.jsonl: one event a line, appended as it happens."""

import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from s2s.files import atomic_write, explained_errno


class EventLog:
    """log = EventLog(path);  log.append({"event": "train", "step": 50, "loss": 3.2});  list(log.events())"""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.whole = False  # do we know that its last line ends?

    def append(self, event: Mapping[str, Any]) -> None:
        """Numbers that JSON has no word for are written as text: "nan". Raises RunError."""
        line = json.dumps(finite(event), ensure_ascii=False, allow_nan=False).encode("utf-8") + b"\n"
        with explained_errno(self.path), open(self.path, "ab+") as file:
            if not self.whole and file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                line = line if file.read(1) == b"\n" else b"\n" + line  # a crash cut the last line short
            self.whole = False
            file.write(line)
        self.whole = True

    def events(self) -> Iterator[dict[str, Any]]:
        """What was appended; a line that a crash cut short is passed over."""
        if not self.path.exists():
            return
        with explained_errno(self.path), open(self.path, encoding="utf-8", errors="replace") as file:
            for line in file:
                with suppress(ValueError):
                    event = json.loads(line)
                    if isinstance(event, dict):
                        yield event

    def rewind(self, step: int) -> None:
        """Forget what happened after `step`."""
        steps = ((event, event.get("step")) for event in self.events())
        kept = [event for event, at in steps if not isinstance(at, int) or at <= step]
        text = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in kept)
        atomic_write(self.path, text.encode("utf-8"))
        self.whole = True


def finite(tree: Any) -> Any:
    """Plain values that strict JSON can say."""
    if isinstance(tree, Mapping):
        return {str(key): finite(item) for key, item in tree.items()}
    if isinstance(tree, list | tuple):
        return [finite(item) for item in tree]
    if isinstance(tree, float) and not math.isfinite(tree):
        return str(float(tree))
    return str(tree) if isinstance(tree, Path) else tree
