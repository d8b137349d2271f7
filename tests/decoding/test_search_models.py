"""Searches on real decoders: what a search says of its answer is what the model says when it is taught that answer."""

import pytest
import torch

from s2s.config import configure
from s2s.decoding import Search
from s2s.nn.encoders.base import Encoder
from s2s.nn.heads.base import Head
from s2s.nn.model import build_model
from s2s.tensors import BOS, EOS, Batch, FieldSpec, Padded
from tests.helpers.table_model import whole

SOURCES = [[5, 6, 7, 2], [8, 2], [9, 4, 10, 6, 5, 2], [4, 4, 2], [10, 2]]


def padded(rows):
    rows = [torch.tensor(row) for row in rows]
    return Padded(torch.nn.utils.rnn.pad_sequence(rows, batch_first=True), torch.tensor([len(row) for row in rows]))


def build(kind):
    torch.manual_seed(1)
    head = Head.registry[kind]
    layers = getattr(head, "fewest_layers", 1)
    model = build_model(
        configure(Encoder, {"kind": "rnn", "embedding": 6, "hidden": 4}),
        configure(Head, {"kind": kind, "embedding": 6, "hidden": 8, "layers": layers}),
        FieldSpec("ids", 11),
        FieldSpec("ids", 11),
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)  # so that it has opinions
        biases = [p for name, p in model.head.named_parameters() if p.shape == (11,)]
        biases[-1][EOS] += 4.0  # and comes to an end
    return model.eval()


def search(model, sources, kind, **options):
    with torch.no_grad():
        memory, state = model.head.start(model.encode(padded(sources)))
    return configure(Search, {"kind": kind, **options})(
        model.head.step, memory, state, torch.tensor([BOS] * len(sources))
    )


@pytest.mark.parametrize("head", ["bahdanau", "decoder", "gnmt", "luong"])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("greedy", {}),
        ("sample", {"count": 3}),
        ("beam", {"beam_size": 3, "nbest": 3}),
        ("beam", {"beam_size": 3, "coverage_penalty": 0.3, "max_ratio": 1.0, "filters": ["no-repeat"]}),
    ],
)
def test_a_search_says_what_a_teacher_hears(head, kind, options):
    model = build(head)
    found = search(model, SOURCES, kind, min_length=3, max_length=12, **options)
    assert all(len(h.ids) >= 3 for row in found for h in row)  # whatever the weights: several steps are compared
    for row, hypotheses in enumerate(found):
        alone = search(model, [SOURCES[row]], kind, min_length=3, max_length=12, **options)[0]
        assert [h.ids for h in alone] == [h.ids for h in hypotheses]
        for h in hypotheses:
            target = padded([whole(h)])
            batch = Batch(padded([SOURCES[row]]), target, torch.arange(len(whole(h))))
            with torch.no_grad():
                taught = model(batch).logits.log_softmax(-1).gather(1, batch.labels[:, None]).sum().item()
            assert h.log_probability == pytest.approx(taught, abs=1e-4)
