"""How long one waits: the CPU time of `s2s --help`, and the first answer of the translator's REPL."""

import os
import pty
import resource
import select
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.bench import corpora, ours, recipes
from tools.bench.setting import Setting
from tools.bench.tables import Table

TIMES = 5
PATIENCE = 120.0  # seconds for an answer
PROMPT, BRACKETED_PASTE = "»".encode(), b"\x1b[?2004h"
HELP = {"s2s --help": ("-m", "s2s", "--help"), "s2s train --help": ("-m", "s2s", "train", "--help")}
IMPORTS = {"python": ("-c", ""), "import torch": ("-c", "import torch"), "import s2s": ("-c", "import s2s")}


def measure(setting: Setting) -> Iterator[Table]:
    times = TIMES if setting.scale.name == "full" else 1
    table = Table("Starting up", ("what", "CPU time, s", "time, s"))
    for name, command in (IMPORTS | HELP).items():
        cpu, wall = zip(*(run(command) for _ in range(times)), strict=True)
        table.add(name, statistics.median(cpu), statistics.median(wall))
    table.notes.append(f"Medians of {times} processes.")
    yield table

    folder = corpora.pairs(setting)
    run_folder = ours.run_of(recipes.translation(setting, folder, "fp32", steps=setting.updates), setting)
    line = corpora.read_lines(folder / "pieces" / "test.src")[0]
    answers, imports = [], []
    for _ in range(times):  # in turns: what the machine does meanwhile touches both
        imports.append(run(IMPORTS["import torch"])[1])
        answers.append(first_answer(run_folder, line))
    beyond = [answer - torch for answer, torch in zip(answers, imports, strict=True)]
    table = Table("The first answer of `s2s translate` at a terminal", ("what", "time, s"))
    table.add("from the command to the answer, the text typed ahead", statistics.median(answers))
    table.add("import torch", statistics.median(imports))
    table.add("beyond import torch", statistics.median(beyond))
    table.notes.append(f"Medians of {times}, in turns; beam search, with line editing.")
    yield table


def run(command: Sequence[str]) -> tuple[float, float]:
    """CPU time and time of a Python process."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def first_answer(folder: Path, line: str) -> float:
    """Seconds from the command to the prompt after the first answer; the line is typed before the program is ready."""
    ours_end, its_end = pty.openpty()
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "s2s", "translate", str(folder)],
        stdin=its_end,
        stdout=its_end,
        stderr=its_end,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "200", "LINES": "50"},
    )
    os.close(its_end)
    try:
        os.write(ours_end, line.encode() + b"\r")
        seen = b""
        while prompts(seen) < 2:
            left = PATIENCE - (time.perf_counter() - start)
            if left <= 0 or not select.select([ours_end], [], [], left)[0]:
                raise TimeoutError(f"no answer within {PATIENCE:.0f} s; there was {seen[-300:]!r}")
            seen += os.read(ours_end, 1 << 16)
        return time.perf_counter() - start
    finally:
        process.kill()
        process.wait()
        os.close(ours_end)


def prompts(seen: bytes) -> int:
    """How often the program has been ready to read: prompt_toolkit redraws its prompt, but announces itself once."""
    return seen.count(BRACKETED_PASTE) or seen.count(PROMPT)
