"""Language models: a text in chunks is the text, a step is a sequence of length one, and regularization is what it says."""

import pytest
import torch

from s2s.config import configure
from s2s.errors import RecipeError
from s2s.nn.cells import Cell
from s2s.nn.encoders.base import Encoder
from s2s.nn.encoders.none import NoEncoder  # noqa: F401  (registers it)
from s2s.nn.heads.base import Head
from s2s.nn.heads.language_model import LanguageModel  # noqa: F401  (registers it)
from s2s.nn.model import build_model
from s2s.tasks.losses import cross_entropy
from s2s.tensors import EOS, Batch, FieldSpec, Padded, detach

V = 11


def model_for(seed: int = 1, **options):
    torch.manual_seed(seed)
    head = {"kind": "language-model", "embedding": 6, "hidden": 7, **options}
    return build_model(configure(Encoder, "none"), configure(Head, head), FieldSpec("nothing"), FieldSpec("ids", V))


def batch_of(ids: torch.Tensor, lengths=None, first: int = EOS, fresh: bool = True) -> Batch:
    lengths = torch.full((len(ids),), ids.shape[1]) if lengths is None else torch.tensor(lengths)
    target = Padded(ids, lengths)
    positions = target.valid.flatten().nonzero().squeeze(1)
    return Batch(
        torch.zeros(len(ids), 0), target, positions, start_ids=torch.full((len(ids),), first), is_first_chunk=fresh
    )


def text(rows: int = 2, length: int = 12) -> torch.Tensor:
    return torch.randint(4, V, (rows, length), generator=torch.Generator().manual_seed(3))


VARIANTS = [
    {"cell": "lstm"},
    {"cell": "gru", "layers": 2},
    {"cell": "rnn", "embedding": None},
    {"cell": "lstm", "layers": 2, "residual": True, "layer_norm": True, "tied_output": True, "embedding": 7},
]


@pytest.mark.parametrize("options", VARIANTS, ids=range(len(VARIANTS)))
def test_chunks_with_a_carried_state_are_the_text(options):
    model, ids = model_for(**options).eval(), text()
    whole = model(batch_of(ids)).logits.view(2, 12, V)
    state, parts = None, []
    for start, end in ((0, 5), (5, 6), (6, 12)):
        first = ids[:, start - 1] if start else torch.full((2,), EOS)
        batch = batch_of(ids[:, start:end])._replace(start_ids=first)
        output = model(batch, state)
        state = detach(output.state)
        parts.append(output.logits.view(2, end - start, V))
    torch.testing.assert_close(torch.cat(parts, 1), whole)


@pytest.mark.parametrize("options", VARIANTS, ids=range(len(VARIANTS)))
def test_steps_are_the_sequence(options):
    model, ids = model_for(**options).eval(), text()
    whole = model(batch_of(ids)).logits.view(2, 12, V)
    memory, state = model.head.start(model.encode(torch.zeros(2, 0)))
    last = torch.full((2,), EOS)
    for t in range(12):
        output = model.head.step(last, memory, state)
        torch.testing.assert_close(output.logits, whole[:, t])
        last, state = ids[:, t], output.state


def test_padding_and_neighbors_change_nothing():
    model, ids = model_for().eval(), text(3, 9)
    together = model(batch_of(ids, [4, 9, 6])).logits.split([4, 9, 6])
    for i, length in enumerate((4, 9, 6)):
        torch.testing.assert_close(model(batch_of(ids[i : i + 1, :length])).logits, together[i])


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_weight_drop_is_a_mask_on_the_recurrent_weights(cell):
    torch.manual_seed(5)
    dropped = configure(Cell, {"kind": cell, "weight_drop": 0.5})(4, 6)
    plain = configure(Cell, cell)(4, 6)
    plain.load_state_dict(dropped.state_dict())
    x = torch.randn(3, 8, 4)
    torch.manual_seed(9)
    outputs, _ = dropped.train()(x)
    outputs.sum().backward()
    torch.manual_seed(9)
    mask = torch.nn.functional.dropout(torch.ones_like(plain.core.weight_hh_l0), 0.5)
    original = plain.core.weight_hh_l0.detach().clone()
    with torch.no_grad():
        plain.core.weight_hh_l0.mul_(mask)
    expected, _ = plain(x)
    expected.sum().backward()
    torch.testing.assert_close(outputs, expected)
    torch.testing.assert_close(dropped.core.weight_hh_l0.grad, plain.core.weight_hh_l0.grad * mask)
    assert dropped.core.weight_hh_l0.equal(original)
    torch.testing.assert_close(dropped.eval()(x)[0], choose_like(dropped, cell)(x)[0])
    lengths = torch.tensor([8, 2, 5])
    torch.testing.assert_close(dropped(x, None, lengths)[0][1, :2], dropped(x[1:2, :2])[0][0])


def choose_like(cell, kind):
    plain = configure(Cell, kind)(4, 6)
    plain.load_state_dict(cell.state_dict())
    return plain.eval()


def test_penalties_are_their_formulas():
    model, ids = model_for(activation=2.0, slowness=3.0).train(), text(2, 5)
    lengths = [5, 3]
    batch = batch_of(ids, lengths)
    outputs, _ = model.head.stack(model.head.read(torch.cat([batch.start_ids[:, None], ids[:, :-1]], 1)))
    expected = 0.0
    for row, length in enumerate(lengths):
        h = outputs[row, :length]
        expected += 2 * h.square().mean(-1).sum().item() + 3 * (h[1:] - h[:-1]).square().mean(-1).sum().item()
    assert model(batch).penalty.item() == pytest.approx(expected, rel=1e-5)
    assert model.eval()(batch).penalty is None


def test_type_dropout_takes_a_piece_away_wherever_it_stands():
    head = model_for(type_dropout=0.5, embedding=6).head.train()
    vectors = head.embed(torch.arange(4, V).repeat(2, 3))
    gone = vectors.abs().sum(-1) == 0
    assert 0 < int(gone.sum()) < gone.numel()
    assert all(gone[:, i].equal(gone[:, i + V - 4]) for i in range(V - 4))
    kept = vectors[~gone] / head.embed.eval()(torch.arange(4, V).repeat(2, 3))[~gone]
    assert kept.allclose(torch.full_like(kept, 2.0))


def test_a_text_is_learned_by_heart_and_written():
    model, ids = model_for(cell="gru", hidden=24).train(), text(1, 10)
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(150):
        loss = cross_entropy(model(batch_of(ids)), batch_of(ids)).total
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    memory, state = model.eval().head.start(model.encode(torch.zeros(1, 0)))
    last, written = torch.tensor([EOS]), []
    for _ in range(10):
        output = model.head.step(last, memory, state)
        last, state = output.logits.argmax(-1), output.state
        written.append(int(last))
    assert written == ids[0].tolist()


def test_tied_output_needs_equal_widths():
    with pytest.raises(RecipeError, match="as wide as the last layer: 6 is not 7"):
        model_for(tied_output=True)
    tied = model_for(tied_output=True, embedding=7)
    assert tied.head.out.weight is tied.head.embed.weight
