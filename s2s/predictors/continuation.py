"""Texts that are being written side by side, and the file in which they wait to be gone on with.

texts = generator.begin("ROMEO:", count=2)
save_texts(path, texts, generator.fingerprint)
texts = load_texts(path, generator.begin(), generator.fingerprint)
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from s2s.errors import RunError
from s2s.predictors.generation import GenerationState
from s2s.predictors.transcript import Transcript
from s2s.runs.checkpoint import read_tensors, write_tensors
from s2s.tensors import select, tree_leaves, tree_unflatten

STATE_FORMAT = 1  # of the file: raise it when an older s2s could no longer read one


@dataclass
class ActiveRows:
    """The texts that are still written: one leaves when it has ended."""

    writing: GenerationState
    rows: list[int]
    left: dict[int, GenerationState] = field(default_factory=dict)

    def leave(self, places: Sequence[int]) -> None:
        """Texts at these places of `rows` have ended."""
        device = self.writing.last.device
        for place in places:
            self.left[self.rows[place]] = select(self.writing, torch.tensor([place], device=device))
        staying = [i for i in range(len(self.rows)) if i not in set(places)]
        self.rows = [self.rows[i] for i in staying]
        self.writing = select(self.writing, torch.tensor(staying, dtype=torch.long, device=device))


@dataclass
class GenerationSession:
    """Where some texts stand: state, last piece and random key of each, and the text that was not given out."""

    writing: GenerationState
    transcripts: list[Transcript]

    def expect(self, stop: Sequence[str]) -> None:
        """The strings that end a text from now on; those that had ended go on."""
        for transcript in self.transcripts:
            transcript.stop, transcript.stopped = tuple(s for s in stop if s), False

    @contextmanager
    def taken_apart(self) -> Iterator[ActiveRows]:
        """Texts that may leave one by one, put together again at the end, however it comes."""
        live = ActiveRows(self.writing, list(range(len(self.transcripts))))
        try:
            yield live
        finally:
            live.leave(range(len(live.rows)))
            rows = [tree_leaves(live.left[row]) for row in range(len(self.transcripts))]
            with torch.inference_mode():
                self.writing = tree_unflatten(self.writing, [torch.cat(parts) for parts in zip(*rows, strict=True)])


def save_texts(path: Path, texts: GenerationSession, fingerprint: str) -> None:
    """Write all that is needed to go on: tensors, and plain values beside them. Raises RunError."""
    tensors = {f"{number:03}": part for number, part in enumerate(tree_leaves(texts.writing))}
    values = {"format": STATE_FORMAT, "run": fingerprint, "texts": [t.pack() for t in texts.transcripts]}
    write_tensors(path, tensors, {"texts": values})


def load_texts(path: Path, like: GenerationSession, fingerprint: str) -> GenerationSession:
    """What save_texts() wrote for the same run. Raises RunError where it is missing, damaged, or another run's.

    like  texts of this run, of any number: the state is laid out as theirs
    """
    tensors, about = read_tensors(path)
    values: Any = about.get("texts") if isinstance(about, dict) else None
    if not isinstance(values, dict) or not {"format", "run", "texts"} <= values.keys():
        raise RunError(str(path), "is not the state of a text", "it is made by: s2s generate RUN --state FILE")
    if values["format"] != STATE_FORMAT:
        what = f"was made by another s2s: its format is {values['format']}, and this s2s reads {STATE_FORMAT}"
        raise RunError(str(path), what, "begin again: delete it, or name another file")
    if values["run"] != fingerprint:
        raise RunError(
            str(path),
            "belongs to another run, or to other weights of this one",
            "name the run it was made with (and --weights), or another file to begin again",
        )
    old, new = tree_leaves(like.writing), [tensors[name] for name in sorted(tensors)]
    count = len(values["texts"])
    fits = len(old) == len(new) and count > 0
    # shapes but for the rows, and for how far a repetition penalty looks back
    if not fits or any(a.shape[1:-1] != b.shape[1:-1] or len(b) != count for a, b in zip(old, new, strict=True)):
        raise RunError(str(path), "is damaged: its tensors are not those of this model", "begin again: delete it")
    writing = tree_unflatten(like.writing, [b.to(a.device, a.dtype) for a, b in zip(old, new, strict=True)])
    transcripts = []
    for packed in values["texts"]:
        transcripts.append(Transcript(like.transcripts[0].decode))
        try:
            transcripts[-1].unpack(packed)
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(str(path), f"is damaged: {error!r}", "begin again: delete it") from None
    return GenerationSession(writing, transcripts)
