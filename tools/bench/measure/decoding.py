"""Decoding of the test sentences: s2s and plain torch in turns, with the same weights, greedy and by beam."""

import dataclasses
import statistics
from collections.abc import Callable, Iterator, Sequence
from typing import cast

from s2s.predictors.seq2seq import Seq2SeqPredictor
from tools.bench import corpora, exchange, ours, plain, plain_search, recipes
from tools.bench.setting import Setting
from tools.bench.tables import Table
from tools.bench.timing import Call, Timed, interleave, percentile


class Rivals:
    """Both systems on one set of weights, and what each has written last."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.folder = corpora.pairs(setting)
        recipe = recipes.translation(setting, self.folder, "fp32", steps=setting.updates)
        self.writers = cast(dict[str, Seq2SeqPredictor], ours.writers(recipe, setting))
        self.writer = self.writers[ours.OURS]
        sizes = dataclasses.replace(setting.scale.translation, vocabulary=self.writer.task.source.space.size)
        self.model = plain.Translator(sizes, packed=True).eval()
        exchange.fill_translator(self.model, self.writer.model)
        self.sources = corpora.read_lines(self.folder / "pieces" / "test.src")[: setting.scale.tests]
        self.written: dict[str, list[list[str]]] = {}  # the last answers of a system, as pieces

    def ours(self, name: str, kind: str, sources: Sequence[str], batch: int) -> int:
        scale = self.setting.scale
        beams = {} if kind == "greedy" else {"beam_size": scale.beam}
        search = ours.search(kind, min_length=scale.answer, max_length=scale.answer, **beams)
        with ours.batches_of(self.writers[name], batch):
            found = self.writers[name].search(sources, search)
        self.written[name] = [best[0].text.split() for best in found]
        return len(sources)

    def systems(self) -> Iterator[tuple[str, Callable[[str, str, Sequence[str], int], int]]]:
        """Who writes, by name: ours() in each precision, and plain()."""
        yield from dict.fromkeys(self.writers, self.ours).items()
        yield "plain torch", self.plain

    def plain(self, name: str, kind: str, sources: Sequence[str], batch: int) -> int:
        """Sorted by length and batched, as s2s does it."""
        field, target = self.writer.task.source, self.writer.task.target
        encoded = field.encode_all(sources)
        order = sorted(range(len(encoded)), key=lambda i: -len(encoded[i]))
        answers: list[list[str]] = [[] for _ in encoded]
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            ids = field.collate([encoded[i] for i in rows]).data
            with plain.autocast(self.writer.precision.name):
                if kind == "greedy":
                    found = plain_search.greedy(self.model, ids, self.setting.scale.answer)
                else:
                    found = plain_search.beam(self.model, ids, self.setting.scale.answer, self.setting.scale.beam)
            for row, answer in zip(rows, found, strict=True):
                answers[row] = target.decode(answer).split()
        self.written[name] = answers
        return len(sources)


def measure(setting: Setting) -> Iterator[Table]:
    rivals = Rivals(setting)
    scale = setting.scale
    beside = "s2s is so many times as fast"
    table = Table(
        f"Decoding in batches of {scale.decoded}", ("system", "search", "sentences/s", "output tokens/s", beside)
    )
    slow = Table("Decoding one sentence at a time", ("system", "search", "p50, ms", "p99, ms", beside))
    for kind in ("greedy", "beam"):
        label = kind if kind == "greedy" else f"beam {scale.beam}"
        timed = interleave(calls(rivals, kind, rivals.sources, scale.decoded), seconds=setting.seconds / 2, least=2)
        for name, found in timed.items():
            ratio = "" if name == ours.OURS else str(timed[ours.OURS].ratio(found))
            table.add(name, label, found.rate, found.rate * scale.answer, ratio)
        single = alone(rivals, kind)
        for name, found in single.items():
            ms = [1000 * seconds for seconds in found.seconds]
            ratio = "" if name == ours.OURS else str(single[ours.OURS].ratio(found))
            slow.add(name, label, statistics.median(ms), percentile(ms, 99), ratio)
    table.notes.append(
        f"{len(rivals.sources)} sentences; the same weights; every answer has {scale.answer} pieces, no more and no "
        "fewer, whatever they are: so all do the same work. fp32 but where int8 is said. All read and write pieces."
    )
    yield table
    slow.notes.append(f"{scale.latencies} sentences, spread over the test set; each is one round.")
    yield slow


def calls(rivals: Rivals, kind: str, sources: Sequence[str], batch: int) -> dict[str, Call]:
    return {
        name: lambda i, name=name, work=work: work(name, kind, sources, batch)  # type: ignore[misc]
        for name, work in rivals.systems()
    }


def alone(rivals: Rivals, kind: str) -> dict[str, Timed]:
    """A round for each of some sentences."""
    scale = rivals.setting.scale
    step = max(1, len(rivals.sources) // scale.latencies)
    sources = rivals.sources[::step][: scale.latencies]

    def rounds(work: Callable[[str, str, Sequence[str], int], int], name: str) -> Call:
        return lambda i: work(name, kind, [sources[(i - 1) % len(sources)]], 1)

    own = {name: rounds(work, name) for name, work in rivals.systems()}
    return interleave(own, seconds=0, least=len(sources), warm=1)
