import numpy as np
import pytest
import torch

from s2s.api.train import train
from s2s.data.readers.base import Row
from s2s.errors import RunError
from s2s.predictors import language_model as module
from s2s.predictors.continuation import load_texts, save_texts
from s2s.predictors.language_model import SAMPLE_LENGTH
from s2s.predictors.load import load
from s2s.recipe import parse_recipe
from s2s.runs.run import Run
from s2s.tensors import EOS, tree_leaves
from tests.helpers.language_models import LINES, TOKENIZERS, generator_for, known

KINDS = sorted(TOKENIZERS)


@pytest.fixture(scope="module", params=KINDS)
def any_generator(request):
    return generator_for(request.param)


def test_what_was_learned_by_heart_is_written():
    found = known("char").generate("the cat", length=16, temperature=0)
    assert found == [" sat on the mat."]


@pytest.mark.parametrize("kind", KINDS)
def test_every_level_writes_its_lines_by_heart(kind):
    generator = known(kind)
    (found,) = generator.generate("the dog ", length=17, temperature=0)
    assert found == "ran to the door!\n"
    (found,) = generator.generate("el niño", length=17, temperature=0)
    assert found[:15] == " comió ñoquis.\n"  # which line comes then, nobody can know
    assert len(found) == 17


def test_a_seed_gives_the_same_text_again(any_generator):
    options = {"length": 60, "count": 2, "temperature": 0.9, "top_k": 20}
    first = any_generator.generate("a cat", random_seed=7, **options)
    assert first == any_generator.generate("a cat", random_seed=7, **options)
    assert first != any_generator.generate("a cat", random_seed=8, **options)
    assert first[0] != first[1]
    assert [len(text) for text in first] == [60, 60]


def test_without_a_seed_every_call_is_another(any_generator):
    assert any_generator.generate(length=40) != any_generator.generate(length=40)


def test_alone_is_in_company(any_generator):
    alone = any_generator.generate("the", length=50, random_seed=3)
    assert any_generator.generate("the", length=50, count=4, random_seed=3)[:1] == alone


def expected(generator, text):
    """What may come next, likeliest first, as text."""
    walked = generator.walk(text, k=len(generator.tokenizer))[-1].likeliest
    names = [name for name, _ in walked if name not in ("<pad>", "<s>", "<unk>")]
    return ["\n" if name == "</s>" else name.replace("▁", " ") for name in names]


def test_temperature_0_takes_the_likeliest_piece():
    generator = generator_for(seed=2)
    walked = "the"
    for _ in range(12):
        walked += expected(generator, walked)[0]
    texts = generator.begin("the")
    found = "".join(text for _, text in generator.write(texts, length=12, temperature=0))
    assert found == walked[3:]
    assert generator.generate("the", length=12, top_k=1, random_seed=1) == [found]
    assert generator.generate("the", length=12, top_p=0.0, random_seed=1) == [found]


def test_top_k_keeps_to_the_likeliest():
    generator = generator_for(seed=1)
    texts = generator.begin("", count=1, random_seed=1)
    before = ""
    for _, text in generator.write(texts, length=30, top_k=2):
        assert text in expected(generator, before)[:2]
        before += text


def test_a_repetition_penalty_is_less_repetitive():
    plain, penalized = (
        generator_for(seed=3).generate("the", length=100, temperature=0, repetition_penalty=p)[0] for p in (1.0, 2.0)
    )
    assert len(set(penalized)) > len(set(plain))


@pytest.mark.parametrize("kind", KINDS)
def test_stop_strings_end_a_text_and_are_no_part_of_it(kind):
    generator = known(kind)
    assert generator.generate("the dog ran", length=90, temperature=0, stop=["doo"]) == [" to the "]
    assert generator.generate("the dog ran", length=90, temperature=0, stop=["zzz", "r!\n"]) == [" to the doo"]
    assert generator.generate("the dog ran", length=90, temperature=0, stop=["\n"]) == [" to the door!"]


def test_a_stop_string_that_only_began_is_given_out():
    generator = known()
    whole = generator.generate("the dog", length=14, temperature=0)
    assert generator.generate("the dog", length=14, temperature=0, stop=["door?", "to thy"]) == whole


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cuts", [(7, 1, 22), (15, 15)])
def test_resumed_is_uninterrupted_to_the_bit(kind, cuts, tmp_path):
    generator = generator_for(kind)
    options = {"temperature": 0.9, "repetition_penalty": 1.3, "stop": ["zqx"]}
    whole = generator.begin("the cat", random_seed=5)
    expected = "".join(text for _, text in generator.write(whole, length=30, **options))
    texts, found = generator.begin("the cat", random_seed=5), ""
    for length in cuts:
        found += "".join(text for _, text in generator.write(texts, length=length, **options))
        save_texts(tmp_path / "state", texts, generator.fingerprint)
        texts = load_texts(tmp_path / "state", generator.begin(), generator.fingerprint)
    assert found == expected
    for a, b in zip(tree_leaves(texts.writing), tree_leaves(whole.writing), strict=True):
        assert torch.equal(a, b)
    assert texts.transcripts[0].pack() == whole.transcripts[0].pack()


def test_several_texts_are_gone_on_with(tmp_path):
    generator = generator_for("bpe")
    expected = generator.generate("a", length=40, count=3, random_seed=5)
    texts = generator.begin("a", count=3, random_seed=5)
    found = [""] * 3
    for _ in range(2):
        for number, text in generator.write(texts, length=20):
            found[number] += text
        save_texts(tmp_path / "state", texts, generator.fingerprint)
        texts = load_texts(tmp_path / "state", generator.begin("other"), generator.fingerprint)
    assert found == expected


def test_who_leaves_in_the_middle_can_go_on():
    generator = generator_for()
    expected = generator.generate("a", length=40, random_seed=5)
    texts, found = generator.begin("a", random_seed=5), ""
    for _, text in generator.write(texts, length=40):
        found += text
        if len(found) == 11:
            break
    found += "".join(text for _, text in generator.write(texts, length=29))
    assert [found] == expected


def test_a_text_read_in_two_parts_is_one():
    generator = generator_for()
    texts = generator.begin("the cat\nsat", random_seed=1)
    generator.read(texts, " on the")
    whole = generator.begin("the cat\nsat on the", random_seed=1)
    assert torch.equal(texts.writing.recent, whole.writing.recent)
    for a, b in zip(tree_leaves(texts.writing.state), tree_leaves(whole.writing.state), strict=True):
        torch.testing.assert_close(a, b)


def test_a_long_seed_is_read_in_chunks(monkeypatch):
    generator = generator_for()
    seed = "\n".join(LINES * 4)
    whole = generator.begin(seed, random_seed=1)
    monkeypatch.setattr(module, "WINDOW_TOKENS", 7)
    for a, b in zip(tree_leaves(generator.begin(seed, random_seed=1).writing), tree_leaves(whole.writing), strict=True):
        torch.testing.assert_close(a, b)


def test_memory_does_not_grow():
    generator = generator_for()
    texts = generator.begin("a", random_seed=1)
    sizes = set()
    for _ in range(4):
        for _ in generator.write(texts, length=100):
            pass
        sizes.add(sum(part.numel() for part in tree_leaves(texts.writing)))
        assert len(texts.transcripts[0].ids) < 8
        assert not texts.transcripts[0].waiting
    assert len(sizes) == 1


def test_pieces_are_counted_where_that_is_asked_for():
    generator = generator_for("word")
    texts = generator.begin("the", random_seed=1)
    found = "".join(text for _, text in generator.write(texts, length=5, unit="pieces"))
    assert 5 <= len(found.replace("\n", " \n ").split(" ")) <= 12


def test_characters_never_seen_are_named_and_left_out():
    generator = known()
    assert generator.unseen("the ☃ cat Ж ☃\n") == ["☃", "Ж"]
    assert generator.unseen("the cat\r\n") == []
    assert generator.generate("the☃ cat", length=9, temperature=0) == [" sat on t"]
    assert generator.generate("☃☃", length=5, temperature=0) == generator.generate("", length=5, temperature=0)


def test_words_never_seen_are_named():
    assert known("word").unseen("the zebra, the cat") == ["zebra"]
    assert known("byte").unseen("☃") == []
    assert known("bpe").unseen("the ☃ cat") == ["☃"]


def test_walk_shows_every_step():
    generator = known()
    steps = generator.walk("the", k=3)
    assert [s.read for s in steps] == ["</s>", "t", "h", "e"]
    assert [s.next for s in steps] == ["t", "h", "e", None]
    assert steps[1].likeliest[0][0] == "h"
    assert steps[1].probability == pytest.approx(steps[1].likeliest[0][1])
    assert steps[-1].probability is None
    assert steps[-1].likeliest[0][0] == "▁"
    assert all(len(s.likeliest) == 3 for s in steps)


def test_walk_and_likelihood_agree():
    generator = generator_for()
    text = "the cat sat"
    steps = generator.walk(text, k=len(generator.tokenizer))
    nats = -sum(np.log(s.probability) for s in steps[:-1])
    nats -= np.log(dict(steps[-1].likeliest)["</s>"])
    found = generator.likelihood([Row("", text)])
    assert found.nats[0] == pytest.approx(nats, rel=1e-5)
    assert found.tokens.tolist() == found.characters.tolist() == [12]


@pytest.mark.parametrize("kind", KINDS)
def test_chunked_scoring_is_whole(kind, monkeypatch):
    generator = generator_for(kind)
    rows = [Row("", line) for line in LINES * 5]
    whole = generator.likelihood(rows, exact=True)
    monkeypatch.setattr(module, "WINDOW_TOKENS", 9)
    np.testing.assert_allclose(generator.likelihood(rows, exact=True).nats, whole.nats, rtol=1e-4)
    monkeypatch.setattr(module, "LOGITS", 1)
    np.testing.assert_allclose(generator.likelihood(rows, exact=True).nats, whole.nats, rtol=1e-4)
    assert whole.tokens.sum() == sum(len(generator.encode(row.target)) + 1 for row in rows)


@pytest.mark.parametrize("parts", [2, 3, 7])
def test_parts_scored_side_by_side_are_nearly_the_whole(parts, monkeypatch):
    generator = generator_for()
    ids = np.array(generator.encode("\n".join(LINES * 6) + "\n"))
    whole = generator.nats_of(ids)
    monkeypatch.setattr(module, "CONTEXT_TOKENS", len(ids))  # all there is before
    np.testing.assert_allclose(generator.nats_of(ids, parts), whole, rtol=1e-3, atol=1e-5)
    monkeypatch.setattr(module, "CONTEXT_TOKENS", 60)
    np.testing.assert_allclose(generator.nats_of(ids, parts), whole, atol=0.02)


def test_lines_follow_one_another():
    generator = known()
    alone = generator.likelihood([Row("", LINES[1])])
    after = generator.likelihood([Row("", LINES[0]), Row("", LINES[1])])
    assert after.nats[1] != alone.nats[0]
    assert len(generator.likelihood([]).nats) == 0


# -- broken things --


def test_a_state_of_another_run_is_refused(tmp_path):
    path = tmp_path / "state"
    mine, other = generator_for(), generator_for(seed=1)
    save_texts(path, mine.begin("a"), mine.fingerprint)
    with pytest.raises(RunError, match="belongs to another run"):
        load_texts(path, other.begin(), other.fingerprint)
    with pytest.raises(RunError, match="there is no such file"):
        load_texts(tmp_path / "none", mine.begin(), mine.fingerprint)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(RunError, match="damaged or cut short"):
        load_texts(path, mine.begin(), mine.fingerprint)


def test_weights_are_no_state(tmp_path):
    from s2s.runs.checkpoint import write_tensors

    write_tensors(tmp_path / "best.safetensors", {"a": torch.zeros(2)})
    with pytest.raises(RunError, match="is not the state of a text"):
        load_texts(tmp_path / "best.safetensors", known().begin(), known().fingerprint)


def test_a_state_with_foreign_tensors_is_refused(tmp_path):
    generator = generator_for()
    texts = generator.begin("a", count=2)
    texts.transcripts.pop()
    save_texts(tmp_path / "state", texts, generator.fingerprint)
    with pytest.raises(RunError, match="its tensors are not those of this model"):
        load_texts(tmp_path / "state", generator.begin(), generator.fingerprint)


def test_an_odd_seed_is_read(any_generator):
    for seed in ("", "\n", "\n\n", " ", "a\r\nb", "\ud800", "x" * 3000, "\0"):
        (found,) = any_generator.generate(seed, length=3, random_seed=1)
        assert len(found) == 3
    assert EOS in any_generator.encode("\n")


def test_a_language_model_shows_a_sample_as_it_learns(tmp_path):
    """The same for the same weights, whatever happens between; and training goes on as if nobody had looked."""
    text = tmp_path / "text.txt"
    text.write_text("abcabcabc\n" * 40)
    changes = ["training.steps=6", "training.epochs=null", "training.validate_every=3", "training.device=cpu"]
    recipe = f"""
name: letters
task: {{kind: language-model, chunk: 8}}
data: {{kind: lines, path: {text}, hold_out: 0.2}}
model: {{encoder: none, head: {{kind: language-model, embedding: 8, hidden: 8}}}}
training: {{batch_size: 4, batch_unit: sentences, precision: fp32}}
decoding: {{kind: sample, temperature: 0.5}}
"""
    seen = {}
    for samples in (1, 0):
        run = tmp_path / f"run{samples}"
        train(parse_recipe(recipe, changes=[*changes, f"training.samples={samples}"]), run)
        seen[samples] = [event for event in Run(run).events() if event["event"] == "validation"]
    shown = [event["samples"] for event in seen[1]]
    assert [set(sample) for (sample,) in shown] == [{"source", "reference", "hypothesis"}] * 2
    assert all(0 < len(sample["hypothesis"]) <= SAMPLE_LENGTH for (sample,) in shown)
    assert load(tmp_path / "run1", weights="last").sample() == shown[-1][0]["hypothesis"]
    assert [event["loss"] for event in seen[1]] == [event["loss"] for event in seen[0]]
    assert "samples" not in seen[0][0]
