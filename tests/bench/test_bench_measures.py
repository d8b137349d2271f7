"""Every measurement once, so small that its figures mean nothing; and both systems do the same work."""

import dataclasses

import pytest
import torch

from s2s.tasks.losses import cross_entropy
from tools.bench import corpora, exchange, memory, ours, plain, plain_search, recipes
from tools.bench.measure import (
    characters,
    classification,
    decoding,
    floor,
    formats,
    kernels,
    preparation,
    scaling,
    startup,
    training,
)


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    """A process of its own for every look at memory would import torch every time."""
    monkeypatch.setattr(memory, "in_child", lambda work, *arguments: memory.Used(1 << 20, 3 << 20, work(*arguments)))


def test_generated_pairs_are_the_same_every_time(tiny, tmp_path):
    folder = corpora.pairs(tiny)
    again = corpora.pairs(dataclasses.replace(tiny, work=tmp_path))
    assert again != folder
    for side in corpora.SIDES:
        assert (again / "pieces" / f"train.{side}").read_bytes() == (folder / "pieces" / f"train.{side}").read_bytes()
    assert len(corpora.read_lines(folder / "pieces" / "train.src")) == tiny.scale.pairs
    assert len(corpora.vocabulary(folder)) <= tiny.scale.translation.vocabulary - 4
    assert len({corpora.word(i) for i in range(20_000)}) == 20_000


def test_multi30k_is_cut_into_pieces(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(corpora, "BPE", 200)
    real = tmp_path / "data" / "multi30k"
    real.mkdir(parents=True)
    for name in corpora.SPLITS.values():
        for language in corpora.SIDES.values():
            words = [f"Ein {corpora.word(7 * i)} {corpora.word(i)}, {corpora.word(i * i)}!" for i in range(400)]
            corpora.write_lines(real / f"{name}.{language}", words)
    setting = dataclasses.replace(tiny, data=tmp_path / "data", work=tmp_path)
    folder = corpora.pairs(setting)
    assert corpora.read_lines(folder / "text" / "train.src")[1] == "ein di be , be !"
    line = corpora.read_lines(folder / "pieces" / "train.src")[1]
    assert line.replace(" ", "").replace("▁", " ").split() == ["ein", "di", "be", ",", "be", "!"]


def test_both_translators_say_the_same(tiny):
    folder = corpora.pairs(tiny)
    own = ours.open_trainer(recipes.translation(tiny, folder), tiny, "fp32")
    model = own.trainer.model.eval()
    rival = plain.Translator(model_sizes(tiny, model), packed=True).eval()
    exchange.fill_translator(rival, model)
    batch = own.first_batches(1)[0]
    loss = cross_entropy(model(batch), batch, 0.0).total / batch.tokens
    torch.testing.assert_close(rival.loss(*exchange.plain_pair(batch)), loss)


def model_sizes(setting, model):
    return dataclasses.replace(setting.scale.translation, vocabulary=model.head.out.out_features)


def test_both_translators_write_the_same(tiny):
    rivals = decoding.Rivals(tiny)
    for kind in ("greedy", "beam"):
        rivals.ours("s2s", kind, rivals.sources, 5)
        rivals.plain("plain", kind, rivals.sources, 5)
        assert rivals.written["s2s"] == rivals.written["plain"]
        assert {len(answer) for answer in rivals.written["plain"]} == {tiny.scale.answer}
    assert len(rivals.written["plain"]) == len(rivals.sources)


def test_both_character_models_say_the_same(tiny):
    path = corpora.running_text(tiny)
    own = ours.open_trainer(recipes.characters(tiny, path), tiny, "fp32")
    model = own.trainer.model.eval()
    sizes = dataclasses.replace(tiny.scale.characters, vocabulary=model.head.out.out_features)
    rival = plain.CharacterModel(sizes)
    exchange.fill_characters(rival, model)
    batch = own.first_batches(1)[0]
    assert batch.tokens == tiny.scale.rows * tiny.scale.chunk
    loss = cross_entropy(model(batch), batch, 0.0).total / batch.tokens
    torch.testing.assert_close(rival.loss(*exchange.plain_chunk(batch)), loss)
    by_cells = plain_search.sampler_of_cells(rival)
    torch.manual_seed(1)
    stepped = plain_search.sample_stepping(rival, 9, 3)
    torch.manual_seed(1)
    assert torch.equal(by_cells(9, 3), stepped)


@pytest.mark.parametrize(
    "part", [floor, kernels, formats, training, characters, classification, decoding], ids=lambda m: m.__name__
)
def test_a_measurement(part, tiny):
    tables = list(part.measure(tiny))
    assert tables
    for table in tables:
        assert table.rows, table.title
        assert all(value > 0 for row in table.rows for value in row if isinstance(value, float)), table.title
        assert table.markdown()


def test_training_tells_memory_and_use_of_the_peak(tiny):
    (table,) = training.measure(tiny)
    assert [row[0] for row in table.rows] == ["s2s, fp32", "plain torch, fp32", "plain torch, packed encoder, fp32"]
    assert [row[-1] for row in table.rows] == [2.0, 2.0, None]


def test_preparation(tiny, monkeypatch):
    monkeypatch.setattr(preparation, "KINDS", ("bpe", "word"))
    (table,) = preparation.measure(tiny)
    assert [row[0] for row in table.rows] == ["bpe", "word"]
    assert table.rows[0][5] > 0  # sentencepiece by hand
    assert table.rows[1][5] is None


def test_scaling(tiny, monkeypatch):
    monkeypatch.setattr(scaling, "LENGTHS", (7,))
    monkeypatch.setattr(scaling, "TOKENS", (900,))
    monkeypatch.setattr(scaling, "VOCABULARIES", (2000, 8000))
    tables = list(scaling.measure(tiny))
    assert [len(table.rows) for table in tables] == [1, 1, 2, 2]
    assert [row[0] for row in tables[-1].rows] == list(tiny.scale.corpora)


def test_startup_counts_prompts():
    cpu, wall = startup.run(("-c", ""))
    assert cpu > 0
    assert wall > 0
    assert startup.prompts("» a\n» ".encode()) == 2
    assert startup.prompts("\x1b[?2004h» a\r» a\n".encode()) == 1  # redrawn, and not ready again


@pytest.mark.slow
def test_the_first_answer_at_a_terminal(tiny):
    folder = ours.run_of(recipes.translation(tiny, corpora.pairs(tiny), steps=tiny.updates), tiny)
    assert startup.first_answer(folder, "ba be bi") > 0
