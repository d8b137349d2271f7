"""Every text is read by one rule, wherever it comes from, and scores compare texts in one Unicode form."""

import gzip
import io
import unicodedata
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch

from s2s.api.evaluate import baseline, evaluate
from s2s.cli.evaluate import file_rows
from s2s.cli.lines import chunks, decoded_line, standard_input
from s2s.cli.score import lines_of
from s2s.config import configure
from s2s.data.readers.base import Row
from s2s.data.source_files import as_line, read_lines
from s2s.tasks.losses import Likelihood
from s2s.tasks.task import Task
from s2s.training.validation import Validator

BYTES = {  # what is in a file, and the lines that it has
    "plain": (b"a\nb\n", ["a", "b"]),
    "a last line without an end": (b"a\nb", ["a", "b"]),
    "a mark of byte order": (b"\xef\xbb\xbfa\nb\n", ["a", "b"]),
    "the mark is one only once": (b"\xef\xbb\xbf\xef\xbb\xbfa\n\xef\xbb\xbfb\n", ["\ufeffa", "\ufeffb"]),
    "ends as Windows writes them": (b"a\r\nb\r\n", ["a", "b"]),
    "a lone carriage return": (b"a\rb\nc\n", ["a\rb", "c"]),
    "two before the end": (b"a\r\r\nb\n", ["a\r", "b"]),
    "no other end": ("a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g\n".encode(), ["a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g"]),
    "blank lines": (b"\n\na\n\n", ["", "", "a", ""]),
}


def stdin_of(monkeypatch, data: bytes) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(data))))


@pytest.mark.parametrize(("data", "lines"), BYTES.values(), ids=BYTES)
def test_one_rule_says_what_a_line_is(tmp_path, monkeypatch, data, lines):
    plain, zipped = tmp_path / "plain", tmp_path / "zipped"
    plain.write_bytes(data)
    zipped.write_bytes(gzip.compress(data))
    assert list(read_lines(plain)) == list(read_lines(zipped)) == lines
    assert [line for block in decoded_line(chunks(io.BytesIO(data))) for line in block] == lines
    assert baseline(plain, lines) == lines  # hypotheses of another system
    assert [row.source for row in file_rows(plain, [plain])] == lines
    assert list(lines_of(str(plain))) == lines
    stdin_of(monkeypatch, data)
    assert list(lines_of("-")) == lines
    stdin_of(monkeypatch, data)
    assert standard_input() == lines


def test_hypotheses_that_cannot_be_read_say_where(tmp_path):
    path = tmp_path / "hyp.txt"
    path.write_bytes(b"a\n\xff\n")
    with pytest.raises(Exception, match=r"hyp\.txt:2: is not UTF-8: byte 0xff at column 1"):
        baseline(path, ["a", "b"])
    path.write_bytes(b"a\nb\nc\n")
    with pytest.raises(Exception, match=r"hyp\.txt: has 3 lines for 2 sentences"):
        baseline(path, ["a", "b"])


def test_what_is_written_is_read_back(tmp_path):
    texts = ["a\nb", "c\r", "d\0e", "f"]
    path = tmp_path / "hyp.txt"
    path.write_text("".join(f"{as_line(text)}\n" for text in texts), encoding="utf-8", newline="")
    assert list(read_lines(path)) == ["a b", "c ", "d e", "f"]


def in_form(form: str, texts: list[str]) -> list[str]:
    return [unicodedata.normalize(form, text) for text in texts]


WORDS = ["één huis staat er nog", "ﬁne Å ① is what it says", "zwölf Bären sind schon da"]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("normalization", ["nfc", "nfkc", "none"])
def test_whoever_writes_every_sentence_right_scores_100(form, normalization, tmp_path):
    text = {"kind": "text", "tokenizer": {"kind": "word", "normalization": normalization}}
    node = {"kind": "translation", "source": text, "target": text, "metrics": ["exact", "chrf", "bleu"]}
    task = configure(Task, node)()
    rows = [Row("a b c", text) for text in in_form(form, WORDS)]
    task.fit(rows)
    written = [task.target.decode(ids) for ids in task.target.encode_all([row.target for row in rows])]
    likelihood = Likelihood(*[SimpleNamespace(sum=lambda: 1.0)] * 4)
    predictor = SimpleNamespace(
        task=task,
        predict=lambda sources: written,
        likelihood=lambda rows: likelihood,
        details=task.details,
        recipe=SimpleNamespace(decoding=None),
        paths=lambda: [],
    )
    other = tmp_path / "other.txt"
    other.write_text("".join(f"{text}\n" for text in in_form("NFD", WORDS)), encoding="utf-8")
    found = evaluate(predictor, rows, name="test", against=other)
    assert [score.value for score in found.scores] == pytest.approx([100.0] * 3)
    assert [one.baseline for one in found.comparisons] == pytest.approx([100.0] * 3)
    found.save(tmp_path)
    assert (tmp_path / "test.hyp.txt").read_bytes() == (tmp_path / "test.ref.txt").read_bytes()  # sacrebleu agrees

    nothing = SimpleNamespace(in_order=lambda: iter(()), encoded=SimpleNamespace(sources=None))
    answers = SimpleNamespace(predict=lambda sources, encoded: written)
    validate = Validator(task, nothing, rows, lambda model, precision: answers)
    precision = SimpleNamespace(autocast=nullcontext, device=torch.device("cpu"))
    scores = validate(SimpleNamespace(eval=lambda: None), precision).scores
    assert [scores[metric.kind] for metric in task.metrics] == pytest.approx([100.0] * 3)
