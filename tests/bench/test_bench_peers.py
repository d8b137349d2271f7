"""Peers without peers: what they would be told, how they are called, and what becomes of their answers."""

import json
import shlex
import sys
from pathlib import Path

import pytest
import yaml

import tools.bench.measure.peers as measure_peers
from tools.bench import corpora
from tools.bench.peers import peer as peer_module
from tools.bench.peers.environment import digest, environment
from tools.bench.peers.peer import Job, Peer

TRANSLATORS = ("opennmt", "joeynmt", "fairseq")
NAMES = ("keras", *TRANSLATORS)


@pytest.fixture
def job(tiny, tmp_path) -> Job:
    return Job(
        corpora.pairs(tiny), tmp_path / "peer", tiny.scale.translation, sentences=16, updates=7, answer=9, threads=1
    )


@pytest.mark.parametrize("kind", NAMES)
def test_what_every_peer_says_of_itself(kind):
    peer = Peer.registry[kind]()
    assert (peer_module.INSIDE / peer.program).is_file()
    assert peer.name
    assert any("==" in word for step in (*peer.before, *peer.installs) for word in step)  # one version, always the same
    assert kind == "keras" or peer.changed


@pytest.mark.parametrize("kind", TRANSLATORS)
def test_what_is_written_for_a_peer(kind, job):
    peer = Peer.registry[kind]()
    peer.prepare(job)
    assert {path.name for path in job.folder.iterdir()} == {"job.json", *peer.files(job)}
    told = json.loads((job.folder / "job.json").read_text())
    assert (told["updates"], told["folder"]) == (7, str(job.folder))


def test_opennmt_has_our_sizes(job):
    told = yaml.safe_load(Peer.registry["opennmt"]().files(job)["train.yaml"])
    assert (told["rnn_type"], told["hidden_size"], told["word_vec_size"]) == ("LSTM", 16, 8)
    assert (told["batch_size"], told["batch_type"], told["train_steps"]) == (16, "sents", 7)
    assert told["bucket_size"] == 240


def test_joeynmt_has_our_sizes(job):
    files = Peer.registry["joeynmt"]().files(job)
    told = yaml.safe_load(files["joey.yaml"])
    assert told["model"]["encoder"]["hidden_size"] == 8
    assert told["model"]["decoder"]["hidden_size"] == 16
    assert told["training"]["updates"] == 7
    assert told["testing"]["max_output_length"] == 9
    symbols = told["data"]["special_symbols"]
    pieces = files["pieces.txt"].splitlines()
    assert [pieces[symbols[f"{name}_id"]] for name in ("unk", "pad", "bos", "eos")] == [
        symbols[f"{name}_token"] for name in ("unk", "pad", "bos", "eos")
    ]
    assert sorted(pieces[4:]) == sorted(corpora.vocabulary(job.data))


def test_fairseq_has_our_sizes(job):
    peer = Peer.registry["fairseq"]()
    words = peer.files(job)["train.txt"].split("\n")
    assert words[words.index("--encoder-hidden-size") + 1] == "8"
    assert words[words.index("--decoder-hidden-size") + 1] == "16"
    assert "--encoder-bidirectional" in words
    assert words == shlex.split(shlex.join(words))  # one word a line
    assert len(peer.files(job)["dict.txt"].splitlines()) == len(corpora.vocabulary(job.data))


def test_what_a_program_answers(tmp_path, monkeypatch):
    monkeypatch.setattr(peer_module, "INSIDE", tmp_path)
    program = tmp_path / "run_keras.py"
    program.write_text("import os, sys; print('noise'); print('RESULT {\"a\": ' + os.environ['OMP_NUM_THREADS'] + '}')")
    keras = Peer.registry["keras"]()
    assert keras.run(Path(sys.executable), tmp_path, "classify", threads=3) == {"a": 3}
    program.write_text("raise SystemExit('it broke')")
    with pytest.raises(RuntimeError, match="it broke"):
        keras.run(Path(sys.executable), tmp_path, "classify", threads=1)


def test_an_environment_is_made_once(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr("tools.bench.peers.environment.call", lambda command: calls.append(command) or make(tmp_path))
    first = environment(tmp_path, "x", [("a==1",)], [("b",)])
    words = [" ".join(command) for command in calls]
    torch, before, after = (
        next(i for i, w in enumerate(words) if w.endswith(n)) for n in ("torch==2.13.0", " b", "a==1")
    )
    assert before < torch < after
    made = len(calls)
    assert environment(tmp_path, "x", [("a==1",)], [("b",)]) == first
    assert len(calls) == made
    environment(tmp_path, "x", [("a==2",)], [("b",)])
    assert len(calls) > made
    assert digest([("a",)]) != digest([("b",)])


def make(work: Path) -> None:
    (work / "environments" / "x").mkdir(parents=True, exist_ok=True)


def test_a_peer_beside_s2s(tiny, monkeypatch):
    def answer(self, python, folder, what, *rest, threads):
        if what == "train":
            return {"tokens": 100, "seconds": 2.0, "updates": 5}
        (folder / "answers.txt").write_text("ba be bi bo bu\n" * 12)
        return {"seconds": 3.0, "answers": str(folder / "answers.txt")}

    monkeypatch.setattr(measure_peers, "environment", lambda *arguments: Path("python"))
    monkeypatch.setattr(Peer.registry["opennmt"], "run", answer)
    monkeypatch.setattr(Peer.registry["fairseq"], "run", broken)
    setting = tiny.__class__(**{**vars(tiny), "peers": ("opennmt", "fairseq")})
    table, other = measure_peers.measure(setting)
    rows = {(row[0], row[1]): row for row in table.rows}
    assert rows["training, s2s in fp32", "target tokens/s"][2] == 50.0
    assert rows["greedy, s2s", "sentences/s"][2] == 4.0
    assert rows["beam 2, s2s", "sentences/s"][2] == 4.0
    assert float(rows["training, s2s in fp32", "target tokens/s"][5]) > 0
    assert not other.rows
    assert "no such thing" in other.notes[0]


def broken(self, *arguments, **named):
    raise RuntimeError("fairseq train\nImportError: no such thing")


def test_keras_beside_s2s(tiny, monkeypatch):
    monkeypatch.setattr(measure_peers, "environment", lambda *arguments: Path("python"))
    monkeypatch.setattr(Peer.registry["keras"], "run", lambda self, *a, threads: {"train": 10.0, "label": 20.0})
    (table,) = measure_peers.measure(tiny.__class__(**{**vars(tiny), "peers": ("keras",)}))
    assert [row[0] for row in table.rows][:2] == ["classify, training, s2s in fp32", "classify, label"]
