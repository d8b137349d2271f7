"""What a peer is to the bench: how to install it, what it is told, and what its program inside gives back.

peer = PEERS["opennmt"]
found = peer.run(python, job, "train")          # {"tokens": ..., "seconds": ..., "updates": ...}
"""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from s2s.registry import Registrable
from tools.bench.flops import TranslationSizes

INSIDE = Path(__file__).parent / "inside"
LIMIT = 3600  # seconds for one program
RESULT = "RESULT "  # what the line of the answer begins with
# glibc keeps freed memory: worth 4 to 10 % to a peer, and s2s does the same for itself
MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": "8589934592",
    "MALLOC_TRIM_THRESHOLD_": "17179869184",
    "MALLOC_TOP_PAD_": "268435456",
    "MALLOC_ARENA_MAX": "1",
}


@dataclass(frozen=True)
class Job:
    """The same for every peer that translates: data as pieces, sizes, batches."""

    data: Path  # pieces/{train,valid,test}.{src,trg}, vocabulary.txt
    folder: Path  # of this peer, for whatever it writes
    sizes: TranslationSizes
    sentences: int = 128  # a batch in training
    decoded: int = 64  # a batch in decoding
    updates: int = 100
    beam: int = 5
    answer: int = 13  # pieces of every answer
    dropout: float = 0.2
    threads: int = 2

    @property
    def pieces(self) -> Path:
        return self.data / "pieces"


class Peer(Registrable):
    """One toolkit. A member has the three below, and what it is told in config() or files().

    installs  arguments of pip, one call after the other, with torch there already; before: without it
    changed   what must be changed before it runs at all on this Python and this torch: it stands in the report
    program   the file in inside/
    """

    name: ClassVar[str]
    installs: ClassVar[Sequence[Sequence[str]]]
    before: ClassVar[Sequence[Sequence[str]]] = ()
    changed: ClassVar[Sequence[str]] = ()
    program: ClassVar[str]
    environment: ClassVar[Sequence[tuple[str, str]]] = ()
    model: ClassVar[str] = ""  # how its model differs from ours, in a few words

    def files(self, job: Job) -> dict[str, str]:
        """The files that it reads, by name: configuration, vocabulary."""
        return {}

    def prepare(self, job: Job) -> None:
        """Write them, and the job for the program inside."""
        job.folder.mkdir(parents=True, exist_ok=True)
        for name, text in self.files(job).items():
            (job.folder / name).write_text(text, encoding="utf-8")
        values = {key: str(value) if isinstance(value, Path) else value for key, value in asdict(job).items()}
        (job.folder / "job.json").write_text(json.dumps(values), encoding="utf-8")

    def run(self, python: Path, folder: Path, *arguments: str, threads: int) -> dict[str, Any]:
        """What the program inside found. Raises RuntimeError with the end of what it said."""
        environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
        environment |= {
            "OMP_NUM_THREADS": str(threads),
            "MKL_NUM_THREADS": str(threads),
            **MALLOC,
            **dict(self.environment),
        }
        command = [str(python), str(INSIDE / self.program), str(folder), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=LIMIT, cwd=folder)
        answers = [line for line in done.stdout.splitlines() if line.startswith(RESULT)]
        if done.returncode or not answers:
            raise RuntimeError(f"{self.name} {' '.join(arguments)}\n{(done.stdout + done.stderr)[-3000:]}")
        result: dict[str, Any] = json.loads(answers[-1][len(RESULT) :])
        return result
