"""Every kind of tokenizer: decode(encode(x)) is x, saved is loaded, and nothing crashes it."""

import copy
import inspect
import itertools
import random
import sys
import threading
import unicodedata

import numpy as np
import pytest
import sentencepiece

from s2s.config import configure
from s2s.data.tokenizers import subword as subwords
from s2s.data.tokenizers.base import UNKNOWN, Tokenizer
from s2s.data.tokenizers.simple import Bytes, VocabularyTokenizer, Words
from s2s.data.tokenizers.subword import Subwords
from s2s.data.tokenizers.vocabulary import SPECIALS
from s2s.errors import DataError, RunError
from s2s.tensors import BOS, EOS, PAD, UNK

KINDS = sorted(Tokenizer.registry)
SUBWORDS = sorted(kind for kind, cls in Tokenizer.registry.items() if issubclass(cls, Subwords))

TEXTS = [
    "The cat sat on the mat.",
    "A dog sat there, and the cat looked at it!",
    "¿Qué hora es? Son las tres y media.",
    "Cats and dogs don't sit on mats (as a rule).",
    "Veintiuna casas rojas cuestan 3.50 euros...",
] * 4
AWKWARD = [
    "",
    " ",
    "\t",
    "\n",
    "a",
    " leading and trailing ",
    "two  spaces,\ttab,\nnewline\r\n",
    "e\u0301 and é, n\u0303 and ñ",
    "हिन्दी",
    "שלום עולם, مرحبا",
    "中文没有空格。",
    "👨\u200d👩\u200d👧 family 🇪🇸, 😀!!",
    "<s> </s> <pad> <unk> <0x41>",
    "▁ ￭ ■ ⁇",
    "x￭ ￭y",
    "nul \0 and bell \x07",
    "a\u00a0b\u2028c\u3000d\x1fe",
    "ﬁne ① ½ …",
    "\ud800 half a pair",
    "\ufeffbyte order mark",
    "«¿¡(...)!?»",
    "İI ıi ß",
    "word " * 3000,
    "unbroken" * 2000,
]


def made(kind, **options):
    if kind in SUBWORDS:
        options = {"size": 60 if kind == "unigram" else 80} | options
    return configure(Tokenizer, {"kind": kind} | options)()


def fitted(kind, texts=TEXTS, **options):
    tokenizer = made(kind, **options)
    tokenizer.fit(iter(texts))
    return tokenizer


@pytest.fixture(scope="module", params=KINDS)
def tokenizer(request):
    return fitted(request.param)


def squeezed(text):
    return " ".join(text.split())


def test_decode_is_the_inverse_of_encode(tokenizer):
    for text in {*TEXTS, squeezed(" ".join(TEXTS)), ""}:
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_awkward_text_that_was_learned_comes_back():
    """Up to what each kind documents: NFC; white space as one space (words, subwords); the joiner, ▁ and half pairs."""
    for kind in KINDS:
        texts = [text for text in AWKWARD if len(text) < 200]
        options = {"size": 400 if kind == "bpe" else 370, "byte_fallback": True} if kind in SUBWORDS else {}
        tokenizer = fitted(kind, [*texts, *TEXTS], **options)
        for text in AWKWARD:
            expected = text
            if kind != "byte":
                expected = unicodedata.normalize("NFC", expected)
            if kind == "word" or kind in SUBWORDS:
                expected = squeezed(expected)
            if kind == "word":
                if len(text) > 200:
                    continue
                expected = expected.replace("￭", "■")
            if kind in SUBWORDS:
                expected = expected.replace("▁", "_").replace("\ud800", "?")
            assert tokenizer.decode(tokenizer.encode(text)) == expected, (kind, text)


def test_bytes_are_exact_for_every_string():
    tokenizer, draw = Bytes(), random.Random(1)
    for _ in range(300):
        text = "".join(chr(draw.choice((draw.randrange(0x80), draw.randrange(0x110000)))) for _ in range(20))
        assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.parametrize("kind", SUBWORDS)
def test_subwords_with_bytes_keep_every_character_where_white_space_is_kept(kind):
    tokenizer = fitted(
        kind, size=320 if kind == "bpe" else 300, byte_fallback=True, whitespace="keep", normalization="none"
    )
    for text in AWKWARD:
        if "▁" not in text and "\ud800" not in text:
            assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.parametrize("kind", ["char", "word", *SUBWORDS])
def test_normalization_and_case(kind):
    both = ["ﬁne Éclair e\u0301"] * 20
    options = {"size": 30} if kind in SUBWORDS else {}
    if kind == "unigram":
        options = {"size": 15}
    for form, lowercase in itertools.product(("none", "nfc", "nfkc"), (True, False)):
        tokenizer = fitted(kind, both, normalization=form, lowercase=lowercase, **options)
        expected = both[0] if form == "none" else unicodedata.normalize(form.upper(), both[0])
        assert tokenizer.decode(tokenizer.encode(both[0])) == (expected.lower() if lowercase else expected)


def test_ids_are_pieces_of_the_vocabulary_and_no_specials(tokenizer):
    for text in AWKWARD:
        ids = tokenizer.encode(text)
        assert all(UNK <= i < len(tokenizer) for i in ids)


def test_encode_all_is_encode_on_each(tokenizer):
    texts = [*TEXTS, *AWKWARD]
    assert tokenizer.encode_all(texts) == [tokenizer.encode(text) for text in texts]
    assert tokenizer.encode_all([]) == []


def test_specials_are_left_out_and_unknown_pieces_show(tokenizer):
    ids = tokenizer.encode(TEXTS[0])
    assert tokenizer.decode([BOS, *ids, EOS, PAD, PAD]) == TEXTS[0]
    assert UNKNOWN in tokenizer.decode([*ids, UNK])
    assert tokenizer.unknown([PAD, BOS, EOS, UNK, UNK, *ids]) == 2


def test_unknown_characters_are_counted_and_leave_a_mark(tokenizer):
    ids = tokenizer.encode("The ж sat")
    if isinstance(tokenizer, Bytes):
        assert tokenizer.unknown(ids) == 0
    else:
        assert tokenizer.unknown(ids) == 1
        assert tokenizer.decode(ids) == f"The {UNKNOWN} sat"


def test_decode_never_crashes(tokenizer):
    draw = random.Random(1)
    for ids in ([], [PAD], [UNK], [-1], [10**6], [2**70], [-(2**70)]):
        tokenizer.decode(ids)
        assert len(tokenizer.pieces(ids)) == len(ids)
    for _ in range(200):
        ids = [draw.randrange(-5, len(tokenizer) + 5) for _ in range(draw.randrange(12))]
        assert isinstance(tokenizer.decode(ids), str)
        assert len(tokenizer.pieces(ids)) == len(ids)


def test_ids_may_be_of_numpy(tokenizer):
    ids = tokenizer.encode(TEXTS[1])
    assert tokenizer.decode(np.array(ids, dtype=np.uint16)) == TEXTS[1]
    assert tokenizer.pieces(np.array(ids)) == tokenizer.pieces(ids)


def test_pieces_have_visible_names(tokenizer):
    ids = tokenizer.encode("The cat\tsat\n")
    names = tokenizer.pieces([BOS, *ids, EOS])
    assert len(names) == len(ids) + 2
    assert (names[0], names[-1]) == (SPECIALS[BOS], SPECIALS[EOS])
    assert all(name and name.isprintable() and " " not in name for name in names)


def test_saved_and_loaded_is_the_same(tokenizer, tmp_path):
    kind = next(kind for kind, cls in Tokenizer.registry.items() if cls is type(tokenizer))
    tokenizer.save(tmp_path / "source.en")
    other = made(kind)
    other.load(tmp_path / "source.en")
    assert other.fingerprint == tokenizer.fingerprint
    assert len(other) == len(tokenizer)
    assert other.encode_all(AWKWARD) == tokenizer.encode_all(AWKWARD)
    assert other.pieces(range(len(other))) == tokenizer.pieces(range(len(tokenizer)))
    assert {path.name for path in tmp_path.iterdir()} <= {"source.en.vocab", "source.en.model"}


def test_a_file_that_is_missing_or_damaged_is_named(tokenizer, tmp_path):
    tokenizer.save(tmp_path / "source")
    for path in list(tmp_path.iterdir()):
        whole = path.read_bytes()
        for data in (b"", b"junk", bytes(1000), *(whole[: len(whole) * k // 37] for k in range(37))):
            path.write_bytes(data)
            with pytest.raises(RunError, match=path.stem):
                tokenizer.load(tmp_path / "source")
        path.unlink()
        with pytest.raises(RunError, match=f"{path.name}: is missing"):
            tokenizer.load(tmp_path / "source")
        path.write_bytes(whole)
        tokenizer.load(tmp_path / "source")


@pytest.mark.parametrize("kind", KINDS)
def test_fitting_is_deterministic(kind):
    tokenizer, again = fitted(kind), fitted(kind)
    assert tokenizer.fingerprint == again.fingerprint
    assert tokenizer.encode_all(AWKWARD) == again.encode_all(AWKWARD)


def test_the_fingerprint_is_of_all_that_decides_how_texts_are_encoded():
    assert len({fitted(kind).fingerprint for kind in KINDS}) == len(KINDS)
    others = {"lowercase": True, "normalization": "nfkc", "whitespace": "keep", "punctuation": "keep"}
    for kind in KINDS:
        tokenizer = fitted(kind)
        for option in others.keys() & vars(tokenizer):
            changed = copy.copy(tokenizer)
            setattr(changed, option, others[option])
            assert changed.fingerprint != tokenizer.fingerprint, (kind, option)
        changed = copy.copy(tokenizer)
        changed.sampling = 0.5
        assert changed.fingerprint == tokenizer.fingerprint
        if isinstance(tokenizer, VocabularyTokenizer):
            assert fitted(kind, TEXTS[:3]).fingerprint != tokenizer.fingerprint


def test_words_split_off_marks_and_keep_what_is_inside():
    tokenizer = fitted("word", ["¿Don't you (really) pay 3.50?! ..."])
    names = tokenizer.pieces(tokenizer.encode("¿Don't (really) 3.50?! ..."))
    assert " ".join(names) == "¿￭ Don't (￭ really ￭) 3.50 ￭? ￭! . ￭. ￭."
    plain = fitted("word", ["a b. c"], punctuation="keep")
    assert plain.pieces(plain.encode("a b. c b")) == ["a", "b.", "c", "<unk>"]
    assert plain.fingerprint != fitted("word", ["a b. c"]).fingerprint
    assert isinstance(tokenizer, Words)
    assert tokenizer.decode([tokenizer.vocabulary["(￭"], tokenizer.vocabulary["￭)"]]) == "()"


@pytest.mark.parametrize(
    "kind", sorted(kind for kind, cls in Tokenizer.registry.items() if issubclass(cls, VocabularyTokenizer))
)
def test_limit_and_min_count(kind):
    assert len(fitted(kind, limit=3)) == 7
    assert len(fitted(kind, min_count=8)) < len(fitted(kind))


@pytest.mark.parametrize("kind", sorted({*KINDS} - {"byte"}))
@pytest.mark.parametrize("texts", [[], [""], ["", ""]])
def test_an_empty_corpus_is_said_to_be_empty(kind, texts):
    with pytest.raises(DataError, match="nothing to learn from: there is no text"):
        fitted(kind, texts)


@pytest.mark.parametrize("kind", sorted({*KINDS} - {"byte"}))
@pytest.mark.parametrize("error", [DataError("train.en:3", "is not text"), KeyboardInterrupt(), RuntimeError("a bug")])
def test_what_goes_wrong_in_reading_the_texts_stays_what_it_is(kind, error):
    def texts():
        yield TEXTS[0]
        raise error

    with pytest.raises(type(error)) as caught:
        fitted(kind, texts())
    assert caught.value is error


@pytest.mark.parametrize("kind", ["char", "word"])
def test_a_min_count_that_leaves_nothing(kind):
    with pytest.raises(DataError, match="no token is there 1000 times"):
        fitted(kind, min_count=1000)


@pytest.mark.parametrize("kind", SUBWORDS)
def test_a_size_that_does_not_suit_the_text_names_one_that_does(kind):
    for size, said in ((100_000, "more tokens than the training text has"), (10, "too small")):
        with pytest.raises(DataError, match=rf"^size: {size} is {said}") as caught:
            fitted(kind, size=size)
        suggested = int(caught.value.problems[0].hint.split()[2])
        assert len(fitted(kind, size=suggested)) == suggested


@pytest.mark.parametrize("kind", SUBWORDS)
def test_training_is_silent(kind, capfd):
    fitted(kind)
    with pytest.raises(DataError):
        fitted(kind, size=100_000)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", SUBWORDS)
def test_a_sample_of_a_large_corpus_is_the_same_every_time(kind):
    draw = random.Random(1)
    texts = [" ".join("".join(draw.choices("abcdefgh", k=4)) for _ in range(5)) for _ in range(300)]
    few = []
    for seed in range(3):
        sentencepiece.set_random_generator_seed(seed)  # whatever was drawn before
        few.append(fitted(kind, texts, size=30, max_sentences=101))
    assert len({one.fingerprint for one in few}) == 1
    assert few[0].vocabulary != fitted(kind, texts, size=30).vocabulary


@pytest.mark.parametrize("kind", SUBWORDS)
def test_long_texts_are_learned_from_too(kind):
    tokenizer = fitted(kind, [*TEXTS, "zebra " * 2000], size=70)
    assert tokenizer.unknown(tokenizer.encode("zebra")) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_without_sampling_there_is_one_segmentation(kind):
    tokenizer = fitted(kind)
    assert not tokenizer.samples
    assert all(tokenizer.sample(TEXTS[0], seed) == tokenizer.encode(TEXTS[0]) for seed in range(5))


@pytest.mark.parametrize("kind", SUBWORDS)
def test_a_seed_is_a_segmentation(kind):
    tokenizer = fitted(kind, sampling=0.2)
    drawn = [tokenizer.sample(TEXTS[1], seed) for seed in range(20)]
    assert tokenizer.samples
    assert len(set(map(tuple, drawn))) > 10
    assert {tokenizer.decode(ids) for ids in drawn} == {TEXTS[1]}
    assert [tokenizer.sample(TEXTS[1], seed) for seed in reversed(range(20))] == drawn[::-1]
    assert tokenizer.sample(TEXTS[1], 2**64 + 3) == tokenizer.sample(TEXTS[1], 3)
    assert tokenizer.encode(TEXTS[1]) == fitted(kind).encode(TEXTS[1])


@pytest.mark.parametrize("kind", SUBWORDS)
def test_a_seed_is_a_segmentation_in_every_thread(kind):
    tokenizer = fitted(kind, sampling=0.2)
    expected = [tokenizer.sample(TEXTS[1], seed) for seed in range(100)]
    found = {}

    def work(first):
        found[first] = [tokenizer.sample(TEXTS[1], seed % 100) for seed in range(first, first + 400)]

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work, args=(first,)) for first in (0, 10, 20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert found == {first: [expected[seed % 100] for seed in range(first, first + 400)] for first in (0, 10, 20)}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_says_where_it_comes_from(kind):
    assert "http" in inspect.getdoc(Tokenizer.registry[kind])


@pytest.mark.data
def test_real_sentences_come_back(shared_data):
    folder = shared_data / "multi30k"
    texts = [line for end in ("de", "en") for line in (folder / f"val.{end}").read_text("utf-8").splitlines()]
    for kind in KINDS:
        tokenizer = fitted(kind, texts, **({"size": 2000} if kind in SUBWORDS else {}))
        for text, ids in zip(texts, tokenizer.encode_all(texts), strict=True):
            expected = text if kind in ("char", "byte") else squeezed(text)
            assert tokenizer.decode(ids) == expected


def test_there_are_two_kinds_of_subwords():
    assert set(SUBWORDS) == {"unigram", "bpe"}


def test_white_space_is_squeezed_whatever_it_is():
    spaces = [chr(i) for i in range(0x3001) if chr(i).isspace()]
    assert "\u00a0" in spaces
    for space in spaces:
        for text in (f"a{space}b", f"{space}a b", f"a b{space}", f"a {space}b", space, "", "ä b", f"ä{space}"):
            assert subwords.squeezed(text) == squeezed(text)
