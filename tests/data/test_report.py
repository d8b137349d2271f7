"""The data report says what was put into the data on purpose, and warns of it."""

import json

import numpy as np
import pytest
from rich.console import Console

from s2s.config import configure
from s2s.data.corpus import encode_corpus
from s2s.data.fields.text import TextField
from s2s.data.ingest import has_split, open_corpus
from s2s.data.readers.base import Reader
from s2s.data.report import Report, make_report, share
from s2s.data.tokenizers.base import Tokenizer

CLEAN = [(f"uno {i} dos", f"one {i} two") for i in range(400)]


@pytest.fixture
def report_on(tmp_path):
    """(train pairs, other splits' pairs...) -> their report; the vocabularies are learned from train."""

    def write(name: str, pairs: list[tuple[str, str]]) -> None:
        (tmp_path / f"{name}.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in pairs))

    def make(train: list, *, tokenizer: str = "word", max_length: int = 200, limit: int = 20_000, **others) -> Report:
        write("train", train)
        for name, pairs in others.items():
            write(name, pairs)
        node = {"kind": "tsv", "path": str(tmp_path), "source": 0, "target": 1, "hold_out": 20}
        reader = configure(Reader, node | {"max_characters": limit})()
        names = [name for name in ("train", "validation", "test") if has_split(reader, name)]
        corpora = {name: open_corpus(reader, name) for name in names}
        fields = [TextField(tokenizer=configure(Tokenizer, tokenizer), max_length=max_length) for _ in range(2)]
        for i, field in enumerate(fields):
            field.fit([row[i] for row in corpora["train"]])
        encoded = {name: encode_corpus(corpus, *fields) for name, corpus in corpora.items()}
        return make_report(corpora, encoded, *fields)

    return make


def test_clean_data_has_no_warning(report_on):
    report = report_on(CLEAN, tokenizer="byte", validation=[("tres", "three")], test=[("seis", "six")])
    assert report.warnings() == []
    train = report.splits["train"]
    assert (train.read, train.empty, train.overlong, train.rows, train.too_long, train.used) == (400, 0, 0, 400, 0, 400)
    assert (train.copies, train.repeated, train.seen_sources) == (0, 0, None)
    assert report.splits["test"].seen_sources == report.splits["test"].seen_pairs == 0


def test_rows_are_accounted_for(report_on):
    rows = [*CLEAN, ("", "x"), ("y", " "), ("long " * 30, "z"), ("w " * 9, "v")]
    report = report_on(rows, limit=100, max_length=8)
    train, validation = report.splits["train"], report.splits["validation"]
    assert (train.read, train.empty, train.overlong) == (404, 2, 1)
    assert train.read == train.empty + train.overlong + train.rows + validation.rows
    assert validation.read == validation.rows == 20
    assert train.too_long + (validation.source.lengths[-1] > 7) == 1
    assert "404 read (2 with an empty side, 1 over max_characters, " in "\n".join(report.lines())
    assert "20 held out" in "\n".join(report.lines())


def test_quantiles_and_unknowns_are_counted(report_on):
    train = [("a " * n, "b " * n) for n in range(1, 101)]
    validation = [("a a a c", "b"), ("a", "b b b b")]
    report = report_on(train, validation=validation, max_length=91)
    side = report.splits["train"].source
    assert side.lengths == (46, 82, 90, 90)  # of 1 to 90: max_length counts EOS
    assert report.splits["train"].too_long == 10
    assert report.splits["validation"].source.unknown == 1 / 5
    assert report.splits["validation"].target.unknown == 0
    assert report.splits["train"].source.unknown == 0


def test_evaluation_leaves_out_no_long_row(report_on):
    report = report_on(CLEAN, test=[("uno " * 50, "one " * 50)] * 3, max_length=8)
    assert report.splits["test"].used == 3
    assert report.splits["test"].target.lengths[-1] == 50


def test_overlap_is_by_source_and_by_pair(report_on):
    test = [CLEAN[0], CLEAN[1], (CLEAN[2][0], "another"), ("new", CLEAN[3][1]), (f" {CLEAN[4][0]} ", CLEAN[4][1])]
    report = report_on(CLEAN, validation=[("x", "y")], test=test)
    split = report.splits["test"]
    assert split.seen_sources == 4 / 5  # white space around a text does not count
    assert split.seen_pairs == 3 / 5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"test": CLEAN[:3]}, "test: 100 % of its sources are in train (100 % with the same target)"),
        ({"validation": [("nada", "nothing")]}, "validation: 100 % of source tokens are unknown"),
        ({"train": [*CLEAN, *((f"same {i}", f"same {i}") for i in range(20))]}, "targets are copies of their sources"),
        ({"train": [*CLEAN, *((f"{i}", f"{i} " * 30) for i in range(20))]}, "train: 4.8 % of its rows have four times"),
        ({"train": [*CLEAN, *CLEAN[:80]]}, "train: 17 % of its rows are repeated"),
        ({"train": [*CLEAN, *((f"a{i}", "") for i in range(9))]}, "train: 9 of 409 rows have an empty side"),
        ({"train": [*CLEAN, *((f"a{i}", "b" * 99) for i in range(9))], "limit": 50}, "9 of 409 rows are over data.max_"),
        ({"train": [*CLEAN, *((f"a{i}", "b " * 9) for i in range(9))], "max_length": 8}, "9 of 409 rows are over max_length"),
    ],
)  # fmt: skip
def test_what_looks_wrong_is_said(change, said, report_on):
    change = {"train": CLEAN, "validation": [CLEAN[0]] if "limit" in change else [("dos", "two")]} | change
    report = report_on(change.pop("train"), **change)
    assert any(said in warning for warning in report.warnings()), report.warnings()
    assert f"warning: {next(w for w in report.warnings() if said in w)}" in report.lines()


def test_three_ways_to_say_it_agree(report_on):
    report = report_on(CLEAN, test=CLEAN[:7])
    plain = report.to_dict()
    assert json.loads(json.dumps(plain))["train"]["used"] == report.splits["train"].used
    assert plain["test"]["seen_pairs"] == report.splits["test"].seen_pairs
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(report.table())
    drawn = console.export_text()
    for name, split in report.splits.items():
        assert name in drawn
        assert f"{split.used:,}" in drawn
        assert any(line.startswith(f"{name}: {split.used:,} rows") for line in report.lines())


def test_shares_are_readable():
    assert [share(x) for x in (0, 0.00021, 0.031, 0.5, 0.999, 1)] == [
        "0 %",
        "0.021 %",
        "3.1 %",
        "50 %",
        "100 %",
        "100 %",
    ]


@pytest.mark.data
def test_real_corpora(shared_data):
    node = {"kind": "tsv", "path": str(shared_data / "tatoeba_en_es"), "source": 0, "target": 1}
    reader = configure(Reader, node)()
    corpora = {name: open_corpus(reader, name) for name in ("train", "validation", "test")}
    for name in ("validation", "test"):  # its README promises that no sentence is in two splits
        assert not np.isin(corpora[name].hashes("source"), corpora["train"].hashes("source")).any()


def test_a_label_is_shorter_than_its_text_and_nothing_is_wrong(tmp_path):
    from s2s.api.prepare import prepare_data
    from s2s.recipe import parse_recipe

    text = "name: x\ntask: {kind: classification}\ndata: {kind: generated, what: sentiment, size: 200}\n"
    report = prepare_data(parse_recipe(text)).report
    assert report.warnings() == []


def test_several_references_are_as_many_targets(tmp_path):
    """In validation, too, which leaves out none."""
    lines = [json.dumps({"a": f"uno {i}", "b": [f"one {i}", f"a one {i}", "what"]}) for i in range(30)]
    for name in ("train", "validation"):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
    reader = configure(Reader, {"kind": "jsonl", "path": str(tmp_path), "source": "a", "target": "b"})()
    corpora = {name: open_corpus(reader, name) for name in ("train", "validation")}
    fields = [TextField(tokenizer=configure(Tokenizer, "word"), max_length=3) for _ in range(2)]
    for side, field in zip(("source", "target"), fields):
        field.fit([text for part in corpora["train"].values(side) for text in part])
    encoded = {name: encode_corpus(corpus, *fields) for name, corpus in corpora.items()}
    splits = make_report(corpora, encoded, *fields).splits
    assert (splits["train"].rows, splits["train"].too_long) == (30, 30)  # of 90 targets: those of three words
    assert (splits["validation"].rows, splits["validation"].too_long) == (30, 0)
    assert splits["validation"].target.lengths[-1] == 3
