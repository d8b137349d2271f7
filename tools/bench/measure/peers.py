"""The peers, each in an environment of its own, with s2s right before and right after it at the same work.

Processes cannot take turns as variants in one process do, so a ratio is to the mean of s2s before and after; where
these two differ, the machine was not quiet, and the table shows it.
"""

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import tools.bench.peers.fairseq
import tools.bench.peers.joeynmt
import tools.bench.peers.keras
import tools.bench.peers.opennmt  # noqa: F401  (these register the kinds)
from tools.bench import corpora, ours, recipes
from tools.bench.measure.decoding import Rivals
from tools.bench.peers.environment import environment
from tools.bench.peers.peer import Job, Peer
from tools.bench.setting import Setting
from tools.bench.tables import Table, Value
from tools.bench.timing import Call, interleave

COLUMNS = ("work", "unit", "peer", "s2s before", "s2s after", "s2s is so many times as fast")
ROUNDS = 30  # batches of Keras


def measure(setting: Setting) -> Iterator[Table]:
    for kind in setting.peers:
        peer: Peer = Peer.registry[kind]()
        table = Table(f"{peer.name} beside s2s", COLUMNS)
        try:
            python = environment(setting.work, kind, peer.installs, peer.before)
            rows = small(setting, peer, python) if kind == "keras" else translator(setting, peer, python)
            for row in rows:
                table.add(*row)
        except RuntimeError as error:  # a peer that does not run is a result, and the others go on
            print(error, file=sys.stderr, flush=True)
            table.notes.append(f"It did not run to the end: {str(error).strip().splitlines()[-1]}")
        if peer.model:
            table.notes.append(f"How its model differs: {peer.model}.")
        table.notes.append(f"What was changed so that it runs: {'; '.join(peer.changed) or 'nothing'}.")
        yield table


def beside(work: Callable[[], float], own: dict[str, Call], seconds: float) -> tuple[float, dict[str, list[float]]]:
    """(what `work` gives, the rates of s2s before and after it)"""
    before = interleave(own, seconds=seconds, least=2)
    value = work()
    after = interleave(own, seconds=seconds, least=2)
    return value, {name: [before[name].total, after[name].total] for name in own}


def row(work: str, unit: str, value: float, rates: list[float]) -> list[Value]:
    mean = sum(rates) / len(rates)
    return [work, unit, value, *rates, f"{mean / value:.2f}"]


def translator(setting: Setting, peer: Peer, python: Path) -> Iterator[list[Value]]:
    """Training and decoding on the same pieces, at the same sizes and batches; the peer computes in fp32."""
    data, scale = corpora.pairs(setting), setting.scale
    job = Job(
        data=data,
        folder=setting.work / "peers" / f"{data.name}-{type(peer).__name__.lower()}",
        sizes=dataclasses.replace(scale.translation, vocabulary=len(corpora.vocabulary(data)) + 4),
        sentences=scale.sentences,
        decoded=scale.decoded,
        updates=setting.peer_updates,
        beam=scale.beam,
        answer=scale.answer,
        dropout=recipes.DROPOUT,
        threads=setting.threads,
    )
    peer.prepare(job)
    own: dict[str, Call] = {}
    for precision in setting.precisions:
        opened = ours.open_trainer(recipes.translation(setting, data, precision), setting, precision)
        own[precision] = ours.learning(opened.trainer, opened.first_batches(200))

    def train() -> float:
        found = peer.run(python, job.folder, "train", threads=job.threads)
        return float(found["tokens"] / found["seconds"])

    rate, rates = beside(train, own, setting.seconds / 4)
    for precision, values in rates.items():
        yield row(f"training, s2s in {precision}", "target tokens/s", rate, values)
    rivals = Rivals(setting)
    for beams in (1, scale.beam):
        kind = "greedy" if beams == 1 else "beam"
        yield from decoding(peer, python, job, rivals, kind, beams)


def decoding(peer: Peer, python: Path, job: Job, rivals: Rivals, kind: str, beams: int) -> Iterator[list[Value]]:
    """Sentences a second, every answer as long as any other."""

    def write() -> float:
        found = peer.run(python, job.folder, "translate", str(beams), threads=job.threads)
        answers = corpora.read_lines(Path(found["answers"]))[: len(rivals.sources)]
        odd = sum(len(answer.split()) != job.answer for answer in answers)
        if odd > len(answers) / 10:  # an empty piece, or one with a space, may be lost on the way
            raise RuntimeError(f"{odd} of {len(answers)} answers are not of {job.answer} pieces")
        return float(len(answers) / found["seconds"])

    own: dict[str, Call] = {
        system: lambda i, system=system: rivals.ours(system, kind, rivals.sources, job.decoded)  # type: ignore[misc]
        for system in rivals.writers
    }
    name = kind if kind == "greedy" else f"beam {beams}"
    rate, all_rates = beside(write, own, 0)
    for system, rates in all_rates.items():
        yield row(f"{name}, {system}", "sentences/s", rate, rates)


def small(setting: Setting, peer: Peer, python: Path) -> Iterator[list[Value]]:
    """Classification and characters, in training; made-up ids of the same shape."""
    folder = setting.work / "peers" / "keras"
    folder.mkdir(parents=True, exist_ok=True)
    values = dataclasses.asdict(setting.scale) | {"rounds": ROUNDS if setting.scale.name == "full" else 3}
    (folder / "job.json").write_text(json.dumps(values), encoding="utf-8")
    found: dict[str, float] = {}

    def run(what: str) -> float:
        found.clear()
        found.update(peer.run(python, folder, what, threads=setting.threads))
        return found["train"]

    for what in ("classify", "characters"):
        own: dict[str, Call] = {}
        for precision in setting.precisions:
            opened = open_small(setting, what, precision)
            own[precision] = ours.learning(opened.trainer, opened.first_batches(50))
        rate, rates = beside(lambda what=what: run(what), own, setting.seconds / 4)  # type: ignore[misc]
        for precision, values_ in rates.items():
            unit = "texts/s" if what == "classify" else "characters/s"
            yield row(f"{what}, training, s2s in {precision}", unit, rate, values_)
        for name, value in found.items():
            if name != "train":
                yield [f"{what}, {name}", "texts/s" if what == "classify" else "characters/s", value, None, None, ""]


def open_small(setting: Setting, what: str, precision: str) -> ours.Ours:
    if what == "classify":
        recipe = recipes.classification(setting, corpora.labeled_texts(setting), precision)
    else:
        recipe = recipes.characters(setting, corpora.running_text(setting), precision)
    return ours.open_trainer(recipe, setting, precision)
