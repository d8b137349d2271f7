"""Fields of names: what goes in comes back, and what cannot be a name is refused with a sentence."""

import numpy as np
import pytest

from s2s.config import configure
from s2s.data.batches import make_batch
from s2s.data.fields.base import Field
from s2s.data.fields.categorical import MAX_LABELS, ONCE, UNSEEN
from s2s.errors import DataError, RunError

VALUES = {
    "label": ["good", "bad", " good ", "so so"],
    "labels": ["good, new", "bad", "new", "bad,good,new"],
    "tags": ["DET NOUN", "VERB", "NOUN VERB DET"],
}


def fitted(kind, values=None):
    field = configure(Field, kind)()
    field.fit(values or VALUES[kind])
    return field


@pytest.mark.parametrize("kind", sorted(VALUES))
def test_what_goes_in_comes_back(kind, tmp_path):
    field = fitted(kind)
    arrays = field.encode_all(VALUES[kind])
    said = [field.decode(array[0] if kind == "label" else array) for array in arrays]
    assert (
        said
        == {
            "label": ["good", "bad", "good", "so so"],
            "labels": ["good, new", "bad", "new", "bad, good, new"],
            "tags": VALUES["tags"],
        }[kind]
    )
    assert field.names == sorted(field.names)
    assert all(array.dtype == field.dtype for array in arrays)
    field.save(tmp_path, "target")
    again = configure(Field, kind)()
    again.load(tmp_path, "target")
    assert again.names == field.names
    assert again.fingerprint == field.fingerprint != fitted(kind, ["a b", "c,d"]).fingerprint
    assert (field.space.modality, field.space.size) == (kind, 3)


def test_batches_have_the_shapes_that_heads_expect():
    label, labels, tags = (fitted(kind) for kind in ("label", "labels", "tags"))
    assert label.collate(label.encode_all(["so so", "bad"])).tolist() == [2, 0]
    assert labels.collate(labels.encode_all(["new,bad", "good"])).tolist() == [[1, 0, 1], [0, 1, 0]]
    padded = tags.collate(tags.encode_all(["VERB", "NOUN DET"]))
    assert padded.lengths.tolist() == [1, 2]
    assert padded.data[1].tolist() == [1, 0]


def test_a_separator_of_ones_own():
    field = configure(Field, {"kind": "labels", "separator": "|"})()
    field.fit(["a, b|c", "d"])
    assert field.names == ["a, b", "c", "d"]
    assert field.decode([0, 2]) == "a, b| d"


def test_mistakes_have_a_sentence(tmp_path):
    with pytest.raises(DataError, match="the columns the right way round"):
        fitted("label", [f"text {i}" for i in range(MAX_LABELS + 1)])
    alone = [f"text {i}" for i in range(ONCE + 1)]
    with pytest.raises(DataError, match=r"has 21 values, no two of them equal \('text 0', .*\n.*the right way round"):
        fitted("label", alone)
    assert fitted("label", alone[1:]).space.size == ONCE  # few rows may all differ
    assert fitted("label", [*alone, "text 0"]).space.size == ONCE + 1
    with pytest.raises(DataError, match="has one value only: 'good'"):
        fitted("label", ["good", "good"])
    with pytest.raises(RunError, match="is missing"):
        configure(Field, "label")().load(tmp_path, "target")


@pytest.mark.parametrize(("kind", "value"), [("label", "goood"), ("labels", "new, goood"), ("tags", "DET goood VERB")])
def test_a_name_that_training_does_not_have_is_no_class_and_no_answer(kind, value):
    """It has no number, so no loss knows of it; the other names of its row are where they were."""
    field = fitted(kind)
    (ids,) = field.encode_all([value])
    assert np.count_nonzero(ids == UNSEEN) == 1
    assert field.unseen([value, VALUES[kind][0]]) == [["goood"], []]
    batch = make_batch(field, field, [ids], [ids])
    if kind == "labels":
        assert batch.target.tolist() == [[0, 0, 1]]
        assert batch.label_positions.tolist() == [0]
    elif kind == "tags":
        assert batch.target.data.tolist() == [[0, -1, 2]]
        assert batch.labels.tolist() == [0, 2]
    else:
        assert (batch.labels.tolist(), batch.tokens) == ([], 0)


def test_a_list_is_all_names_of_its_row():
    assert fitted("labels").together(["new", "good"]) == "new, good"
    assert fitted("tags").together(["DET", "NOUN"]) == "DET NOUN"
    assert fitted("tags").together(["a  b", "", "c"]) == "a_b _ c"  # as many as there were
    assert fitted("label").together(["good"]) == "good"
    with pytest.raises(DataError, match=r"a row has 2 labels \('good', 'bad'\)\n.*task.target=labels"):
        fitted("label").together(["good", "bad"])
    with pytest.raises(
        DataError, match=r"a label in a list holds ',', which stands between labels: 'a, b'\n.*separator"
    ):
        fitted("labels").together(["a, b"])
    bar = configure(Field, {"kind": "labels", "separator": "|"})()
    assert bar.split(bar.together(["a, b", "c"])) == ["a, b", "c"]
