"""CoNLL files: columns, comments, documents and ids, and no word or tag that is lost or made up."""

import json
from pathlib import Path

import pytest

from s2s.config import configure
from s2s.data.fields.base import Field
from s2s.data.fields.categorical import words_of
from s2s.data.ingest import open_corpus
from s2s.data.readers.base import Reader
from s2s.data.readers.conll import Conll
from s2s.errors import DataError

CONLL_2003 = """\
-DOCSTART- -X- O O

EU NNP B-NP B-ORG
rejects VBZ B-VP O

# NN B-NP O
1-2 CD B-NP O


-DOCSTART- -X- O O
Peter NNP B-NP B-PER
"""
CONLL_U = """\
# newdoc id = 1
# text = It's 10 000 #
1-2\tIt's\t_\t_\t_
1\tIt\tit\tPRON\t_
2\t's\tbe\tAUX\t_
2.1\tleft\tleave\tVERB\t_
3\t10 000\t10 000\tNUM\t_
4\t#\t#\tSYM\t_

# sent_id = 2
#
1\tNo\tno\tINTJ\t_
"""


def read(tmp_path: Path, text: str, **options: object) -> list[tuple]:
    (tmp_path / "train.conll").write_text(text, encoding="utf-8")
    made = configure(Reader, {"kind": "conll", "path": str(tmp_path), "source": 0, "target": 1, **options})()
    return [tuple(row) for row in made.read("train")]


def test_columns_between_blanks(tmp_path):
    found = read(tmp_path, CONLL_2003, target=3, comments=False)
    assert found == [("EU rejects", "B-ORG O"), ("# 1-2", "O O"), ("Peter", "B-PER")]
    assert read(tmp_path, CONLL_2003, target=1)[0] == ("EU rejects", "NNP VBZ")


def test_conll_u(tmp_path):
    found = read(tmp_path, CONLL_U, source=1, target=3)
    assert found == [("It 's 10_000 #", "PRON AUX NUM SYM"), ("No", "INTJ")]


def test_words_that_look_like_something_else(tmp_path):
    """A hash at the start of a sentence, and what would be an id in another column, are words."""
    text = "#\tSYM\n1-2\tNUM\n3.1\tNUM\n\n#a\tX\n"
    assert read(tmp_path, text) == [("# 1-2 3.1", "SYM NUM NUM"), ("#a", "X")]
    text = "#begin document (x); part 0\nthe O\n# O\n#WNUT O\n\n#WNUT O\n# a comment\n\n#end document\n"
    with pytest.raises(DataError, match=r"train\.conll:7: .*"):  # inside a sentence nothing is a comment
        read(tmp_path, text.replace("# a comment", "#"))
    assert read(tmp_path, text.replace("# a comment\n", "")) == [("the # #WNUT", "O O O"), ("#WNUT", "O")]


def test_tabs_and_blanks(tmp_path):
    assert read(tmp_path, "New York\tB-LOC\nis\tO\n") == [("New_York is", "B-LOC O")]
    assert read(tmp_path, "New York\n", separator="blank") == [("New", "York")]
    assert read(tmp_path, "a\t\tX\n", target=2, separator="tab") == [("a", "X")]
    assert read(tmp_path, "a\t\tX\n", target=1) == [("a", "_")]  # an empty tag is one nevertheless
    assert read(tmp_path, "a X\r\n \r\nb Y") == [("a", "X"), ("b", "Y")]
    assert read(tmp_path, "a 1\nb 0\n", labels=["O", "B"]) == [("a b", ["B", "O"])]


def test_mistakes_have_their_line(tmp_path):
    with pytest.raises(
        DataError, match=r"train\.conll:2: has 1 column, and column 1 was asked for.*\n.*the line is: b"
    ):
        read(tmp_path, "a X\nb\n")
    with pytest.raises(DataError, match="there is no such file"):
        list(Conll(path=tmp_path / "nowhere", source=0, target=1).read("train"))


def test_what_is_asked_decides_the_fingerprint(tmp_path):
    read(tmp_path, CONLL_2003)
    made = [
        Conll(path=tmp_path, source=0, target=1, **more) for more in ({}, {"comments": False}, {"separator": "tab"})
    ]
    assert len({one.fingerprint("train") for one in made}) == 3


def test_a_real_corpus(shared_data):
    folder = shared_data / "ud_english_ewt"
    if not folder.is_dir():
        pytest.skip("no ud_english_ewt")
    for path in sorted(folder.glob("*.tsv")) + sorted(folder.glob("*.conll*")) + sorted(folder.glob("*.txt")):
        lines = path.read_text(encoding="utf-8").split("\n")
        if "\t" not in lines[0]:
            continue
        found = list(Conll(path=path, source=0, target=1).read("train"))
        assert all(len(row.source.split()) == len(row.target.split()) for row in found)
        assert sum(len(row.source.split()) for row in found) == sum(1 for line in lines if "\t" in line)


def test_the_same_sentences_in_every_form_are_the_same_corpus(tmp_path):
    """CoNLL columns, lists of words and tags, and text with blanks: what is trained on is the same."""
    sentences = [(["New York", "is", f"n{i}"], ["B-LOC", "O", "O"]) for i in range(30)]
    forms = {
        "conll": "\n\n".join("\n".join(map("\t".join, zip(*one))) for one in sentences),
        "jsonl": "\n".join(json.dumps({"0": words, "1": tags}) for words, tags in sentences),
        "tsv": "\n".join(f"{words_of(words)}\t{words_of(tags)}" for words, tags in sentences),
    }
    found = []
    for kind, text in forms.items():
        (tmp_path / f"train.{kind}").write_text(text)
        names = {"source": "0", "target": "1"} if kind == "jsonl" else {"source": 0, "target": 1}
        made = configure(Reader, {"kind": kind, "path": str(tmp_path), "hold_out": 3, **names})()
        tags = configure(Field, "tags")()
        splits = [open_corpus(made, split, tmp_path / "cache", tags) for split in ("train", "validation")]
        tags.fit(row.target for row in splits[0])
        found.append(([list(split) for split in splits], [split.hashes("target").tolist() for split in splits]))
    assert found[0] == found[1] == found[2]
    assert found[0][0][0][0].target == "B-LOC O O"
