"""Decoding of the test sentences: s2s and plain torch in turns, with the same weights, greedy and by beam."""

import dataclasses
import statistics
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, cast

from sacrebleu.metrics import BLEU

from s2s.predicting.writer import Writer
from tools.bench import corpora, exchange, ours, plain, plain_search, recipes
from tools.bench.setting import Setting
from tools.bench.tables import Table
from tools.bench.timing import Call, Timed, interleave, percentile


class Written(NamedTuple):
    """The last answers of a system, as pieces."""

    answers: list[list[str]]

    @property
    def tokens(self) -> int:
        """Pieces with their ends: the steps that a search had to take."""
        return sum(len(answer) + 1 for answer in self.answers)


class Rivals:
    """Both systems on one set of weights, and what each has written last."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.folder = corpora.pairs(setting)
        recipe = recipes.translation(setting, self.folder, "fp32", steps=setting.updates)
        self.writers = cast(dict[str, Writer], ours.writers(recipe, setting))
        self.writer = self.writers[ours.OURS]
        sizes = dataclasses.replace(setting.scale.translation, vocabulary=self.writer.task.source.space.size)
        self.model = plain.Translator(sizes, packed=True).eval()
        exchange.fill_translator(self.model, self.writer.model)
        self.sources = corpora.read_lines(self.folder / "pieces" / "test.src")[: setting.scale.tests]
        self.references = corpora.read_lines(self.folder / "pieces" / "test.trg")[: setting.scale.tests]
        self.written: dict[str, Written] = {}

    def ours(self, name: str, kind: str, sources: Sequence[str], batch: int) -> int:
        scale = self.setting.scale
        beams = {} if kind == "greedy" else {"beam_size": scale.beam}
        search = ours.search(kind, max_length=scale.longest, **beams)
        with ours.batches_of(self.writers[name], batch):
            found = self.writers[name].search(sources, search)
        self.written[name] = Written([best[0].text.split() for best in found])
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
                    found = plain_search.greedy(self.model, ids, self.setting.scale.longest)
                else:
                    found = plain_search.beam(self.model, ids, self.setting.scale.longest, self.setting.scale.beam)
            for row, answer in zip(rows, found, strict=True):
                answers[row] = target.decode(answer).split()
        self.written[name] = Written(answers)
        return len(sources)


def measure(setting: Setting) -> Iterator[Table]:
    rivals = Rivals(setting)
    scale = setting.scale
    table = Table(
        f"Decoding in batches of {scale.decoded}",
        (
            "system",
            "search",
            "sentences/s",
            "output tokens/s",
            "pieces an answer",
            "BLEU of pieces",
            "s2s is so many times as fast",
        ),
    )
    slow = Table(
        "Decoding one sentence at a time",
        ("system", "search", "p50, ms", "p99, ms", "output tokens/s", "s2s is so many times as fast"),
    )
    for kind in ("greedy", "beam"):
        label = kind if kind == "greedy" else f"beam {scale.beam}"
        timed = interleave(calls(rivals, kind, rivals.sources, scale.decoded), seconds=setting.seconds / 2, least=2)
        for name, found in timed.items():
            written = rivals.written[name]
            answers = [" ".join(answer) for answer in written.answers]
            bleu = BLEU(tokenize="none", force=True).corpus_score(answers, [rivals.references]).score
            each = written.tokens / len(answers)
            ratio = "" if name == ours.OURS else str(timed[ours.OURS].ratio(found))
            table.add(name, label, found.rate, found.rate * each, each, bleu, ratio)
        single, tokens = alone(rivals, kind)
        for name, found in single.items():
            ms = [1000 * seconds for seconds in found.seconds]
            ratio = "" if name == ours.OURS else str(single[ours.OURS].ratio(found))
            slow.add(name, label, statistics.median(ms), percentile(ms, 99), tokens[name] / sum(found.seconds), ratio)
    table.notes.append(
        f"{len(rivals.sources)} sentences; the same weights, after {setting.updates} updates; "
        "fp32 but where int8 is said. All read and "
        "write pieces; BLEU is that of pieces (sacreBLEU, tokenize none), to see that all do the same, and no result."
    )
    yield table
    slow.notes.append(f"{scale.latencies} sentences, spread over the test set; each is one round.")
    yield slow


def calls(rivals: Rivals, kind: str, sources: Sequence[str], batch: int) -> dict[str, Call]:
    return {
        name: lambda i, name=name, work=work: work(name, kind, sources, batch)  # type: ignore[misc]
        for name, work in rivals.systems()
    }


def alone(rivals: Rivals, kind: str) -> tuple[dict[str, Timed], dict[str, int]]:
    """A round for each sentence, and the pieces that each system wrote in all."""
    scale = rivals.setting.scale
    step = max(1, len(rivals.sources) // scale.latencies)
    sources = rivals.sources[::step][: scale.latencies]
    systems = dict(rivals.systems())
    tokens = dict.fromkeys(systems, 0)

    def one(name: str, i: int) -> int:
        systems[name](name, kind, [sources[(i - 1) % len(sources)]], 1)
        tokens[name] += rivals.written[name].tokens if i else 0  # the first round is not counted
        return 1

    rounds: dict[str, Call] = {name: lambda i, name=name: one(name, i) for name in tokens}  # type: ignore[misc]
    return interleave(rounds, seconds=0, least=len(sources), warm=1), tokens
