"""Measure s2s, plain torch and the peers: one command prints, and writes, everything.

    python -m tools.bench                                  # all but the peers, on generated data
    python -m tools.bench training decoding --seconds 60 --data FOLDER --out DIR
    python -m tools.bench peers --peers keras opennmt      # makes their environments the first time
    python -m tools.bench --refresh docs/performance.md --out DIR

FOLDER has multi30k/ and tinyshakespeare/. Measure on a machine that does nothing else.
"""

import argparse
import dataclasses
import importlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.bench.report import Report
    from tools.bench.setting import Setting

PARTS = (
    *("floor", "kernels", "formats", "training", "decoding", "characters"),
    *("classification", "preparation", "startup", "scaling", "peers"),
)
USUAL = PARTS[:-1]
PEERS = ("keras", "opennmt", "joeynmt", "fairseq")


def main(arguments: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = parser().parse_args(words)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):  # read when torch is imported, here and in every child
        os.environ[name] = str(options.threads)
    from tools.bench.report import Report, refresh

    report = Report.read(options.out)
    if options.what or not options.refresh:
        measure(options, report, command(words))
    if options.refresh:
        print(f"{options.refresh}: {', '.join(refresh(options.refresh, report)) or 'nothing to write'}")
    return 0


def measure(options: argparse.Namespace, report: "Report", said: str) -> None:
    """Every part that is asked for: printed, and written as soon as there is a table of it."""
    import torch

    from tools.bench.machine import describe

    torch.set_num_threads(options.threads)
    setting = setting_of(options)
    setting.work.mkdir(parents=True, exist_ok=True)
    for part in options.what or USUAL:
        began, machine, tables = time.perf_counter(), describe(options.threads), []
        print(f"## {part}\n", flush=True)
        for table in importlib.import_module(f"tools.bench.measure.{part}").measure(setting):
            tables.append(table)
            print(table.markdown(), flush=True)
            report.put(part, tables, said, machine)
            report.write(options.out)
        print(f"{part} took {time.perf_counter() - began:.0f} s\n", flush=True)


def setting_of(options: argparse.Namespace) -> "Setting":
    from tools.bench.machine import native_bf16
    from tools.bench.setting import TINY, Scale, Setting

    precisions = options.precision or ["fp32", *(["bf16"] if native_bf16() else [])]
    scale = TINY if options.tiny else Scale()
    return Setting(
        work=options.work,
        data=options.data,
        seconds=options.seconds,
        updates=options.updates,
        threads=options.threads,
        precisions=tuple(precisions),
        peers=tuple(options.peers),
        peer_updates=options.peer_updates,
        scale=dataclasses.replace(scale, corpora=tuple(options.corpora)) if options.corpora else scale,
    )


def parser() -> argparse.ArgumentParser:
    from tools.bench.setting import DATA, WORK, default_data, default_work

    made = argparse.ArgumentParser(
        prog="python -m tools.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    say = made.add_argument
    say("what", nargs="*", choices=[*PARTS, []], metavar="WHAT", help=f"parts: {', '.join(PARTS)}; all but the last")
    say(
        "--out",
        type=Path,
        default=Path("bench"),
        help="folder for bench.json and bench.md; parts are replaced one by one",
    )
    say(
        "--data",
        type=Path,
        default=default_data(),
        help=f"folder of real corpora; generated ones if not given (${DATA})",
    )
    say("--work", type=Path, default=default_work(), help=f"what is kept: data, runs, environments of peers (${WORK})")
    say("--seconds", type=float, default=20.0, help="for one comparison, all its variants together")
    say("--threads", type=int, default=os.cpu_count() or 1)
    say("--precision", nargs="+", choices=("fp32", "bf16"), help="fp32, and bf16 where the processor has it")
    say("--updates", type=int, default=300, help="of the translator before its decoding is measured; trained once")
    say("--peers", nargs="+", choices=PEERS, default=PEERS, help="for the part of that name")
    say("--peer-updates", type=int, default=100, help="of a peer: its training is measured over the later two thirds")
    say("--corpora", type=int, nargs="+", help="sizes of generated corpora, in pairs, whose memory is looked at")
    say("--tiny", action="store_true", help="models and data so small that the figures mean nothing: to try the tool")
    say("--refresh", type=Path, help="write the tables of --out into a Markdown file; without WHAT, do only that")
    return made


def command(words: Sequence[str]) -> str:
    """What was typed, without the folders of this machine."""
    shown, hide = [], False
    for word in words:
        shown.append("FOLDER" if hide else word)
        hide = word in ("--data", "--work", "--out")
    return " ".join(["python -m tools.bench", *shown])


if __name__ == "__main__":
    sys.exit(main())
