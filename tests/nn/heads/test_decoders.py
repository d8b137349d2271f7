"""Every decoder, with every attention and cell: steps equal whole targets, and nobody minds the neighbors."""

import itertools

import pytest
import torch

from s2s.config import configure
from s2s.nn import stack
from s2s.nn.bridge import Bridge
from s2s.nn.cells import Cell
from s2s.nn.encoders.base import Encoder
from s2s.nn.heads.base import Head
from s2s.nn.heads.decoder import DecoderState, shift_right
from s2s.registry import options_of
from s2s.tensors import BOS, EOS, EncoderOutput, FieldSpec, all_real, detach, select
from tests.helpers.small_models import (
    ATTENTIONS,
    FEWEST,
    HEADS,
    NEEDS_ATTENTION,
    SOURCES,
    TARGETS,
    VOCABULARY,
    WIDTH,
    batch_of,
    build,
    close,
    loss_of,
    reverse,
    small,
)

CELLS = sorted(Cell.registry)
BRIDGES = sorted(Bridge.registry)
CHANGES = {  # every option of an encoder or a decoder, and a value that is not its default
    "cell": "gru",
    "attention": "scaled-dot",
    "embedding": 7,
    "hidden": 10,
    "layers": 3,
    "bidirectional": False,
    "dropout": 0.2,
    "locked": True,
    "word_dropout": 0.6,
    "residual": True,
    "layer_norm": True,
    "bridge": "linear",
    "tied_output": True,
}


def attentions(head):
    return ATTENTIONS if head in NEEDS_ATTENTION else [None, *ATTENTIONS]


def stepped(model, batch):
    """Logits [B, T, V], state and weights of a target read one piece at a time."""
    memory, state = model.head.start(model.encode(batch.source))
    ids, outputs = torch.full((len(batch.target.data),), BOS), []
    for t in range(batch.target.data.shape[1]):
        outputs.append(model.head.step(ids, memory, state))
        state, ids = outputs[-1].state, batch.target.data[:, t]
    weights = None if outputs[0].weights is None else torch.stack([o.weights for o in outputs], 1)
    return torch.stack([o.logits for o in outputs], 1), state, weights


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("head", HEADS)
def test_steps_equal_the_whole_target(head, cell):
    batch = batch_of()
    dressed = {"residual": True, "layer_norm": True, "tied_output": True, "bridge": "linear"}
    dresses = itertools.cycle([{}, {"layers": 3}, dressed])
    pairs = list(zip(attentions(head), dresses))
    for attention, more in pairs[CELLS.index(cell) % 2 :: 2]:  # each attention with half of the cells
        model = build({"cell": cell}, {"kind": head, "cell": cell, "attention": small(attention), **more})
        output = model(batch)
        logits, state, weights = stepped(model, batch)
        close(logits.flatten(0, 1)[batch.label_positions], output.logits)
        close(state, output.state)
        assert (weights is None) == (attention is None)
        if weights is not None:
            close(weights, output.weights)
            close(weights.sum(-1), torch.ones(weights.shape[:2]))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("head", HEADS)
def test_padding_and_neighbors_change_nothing(head, cell):
    """The same sentence alone, and in a batch with padding to spare. (test_stack.py has every encoder.)"""
    together = batch_of(extra=2)
    ends = torch.tensor([len(t) for t in TARGETS]).cumsum(0).tolist()
    shapes = itertools.cycle(itertools.product((1, 2), (0, 1)))
    for attention, (ways, more) in zip(attentions(head), shapes):
        model = build(
            {"cell": cell, "bidirectional": ways == 2, "layers": 1 + more},
            {
                "kind": head,
                "cell": cell,
                "layers": FEWEST[head] + more,
                "attention": small(attention),
                "bridge": "copy",
            },
        )
        output = model(together)
        _, start = model.head.start(model.encode(together.source))
        for i, source, target in ((0, SOURCES[0], TARGETS[0]), (1, SOURCES[1], TARGETS[1])):
            alone = batch_of([source], [target])
            encoded = model.encode(alone.source)
            wanted = model.head(encoded, alone)
            close(output.logits[ends[i] - len(target) : ends[i]], wanted.logits)
            close(select(start.cells, torch.tensor([i])), model.head.start(encoded)[1].cells)
            if attention:
                close(output.weights[i, : len(target), : len(source)], wanted.weights[0])
                assert not output.weights[i, :, len(source) :].any()


@pytest.mark.parametrize("head", HEADS)
def test_a_target_in_two_parts_is_the_target_in_one(head):
    """The state that comes out is the state that goes on."""
    model = build(head={"kind": head})
    batch = batch_of(targets=[[5, 6, 7, 8, 9], [4, 4, 6, 10, 2], [7, 8, 9, 10, 2]])
    encoded = model.encode(batch.source)
    ids = shift_right(batch.target.data)
    memory, state = model.head.start(encoded)
    whole = model.head.run(ids, memory, state)
    left = model.head.run(ids[:, :2], memory, state)
    again, state = model.head.start(encoded, detach(left.state))
    right = model.head.run(ids[:, 2:], again, state)
    close(torch.cat([left.vectors, right.vectors], 1), whole.vectors)
    close(right.state, whole.state)


@pytest.mark.parametrize("head", HEADS)
def test_hypotheses_can_be_reordered(head):
    model = build(head={"kind": head})
    memory, state = model.head.start(model.encode(batch_of().source))
    state = model.head.step(torch.tensor([5, 6, 7]), memory, state).state
    order = torch.tensor([2, 0, 0, 1])
    after = model.head.step(torch.tensor([4, 5, 6, 7]), select(memory, order), select(state, order))
    for row, (origin, last) in enumerate(zip(order.tolist(), [4, 5, 6, 7])):
        one = torch.tensor([origin])
        alone = model.head.step(torch.tensor([last]), select(memory, one), select(state, one))
        close(after.logits[row], alone.logits[0])
        assert isinstance(after.state, DecoderState)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("head", HEADS)
def test_gradient_reaches_every_parameter(head, cell):
    options = {"cell": cell, "layers": 2, "layer_norm": True, "residual": True}
    pairs = list(zip(attentions(head), itertools.cycle(["mean", *BRIDGES])))
    for attention, bridge in pairs[CELLS.index(cell) % 2 :: 2]:  # each attention with half of the cells
        model = build(options, {"kind": head, "attention": small(attention), "bridge": bridge, **options})
        loss_of(model, batch_of()).backward()
        lost = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().max() > 1e-9]
        assert lost == [], (attention, bridge)


def test_every_option_has_a_change():
    known = {*CHANGES, "look_everywhere"}  # a penalty, which changes no logits: test_images.py has it
    assert known == set(options_of(Encoder.registry["rnn"])) | set(options_of(Head.registry["decoder"]))
    assert all(set(options_of(Head.registry[head])) <= known for head in HEADS)


@pytest.mark.parametrize("option", sorted(CHANGES))
@pytest.mark.parametrize("head", HEADS)
def test_every_option_trains_and_does_something(head, option):
    """Twice as encoder and as head, the same seed: the logits differ from those without it, and gradients flow."""
    batch = batch_of()
    for side, kind in (("encoder", "rnn"), ("head", head)):
        family = Encoder if side == "encoder" else Head
        if option not in options_of(family.registry[kind]):
            continue
        deep = {"layers": 2, "dropout": 0.3 if option == "locked" else 0.0}
        logits = []
        for change in ({}, {option: CHANGES[option]}):
            model = build(**{"head": {"kind": head, "layers": 2}} | {side: {"kind": kind, **deep, **change}}).train()
            torch.manual_seed(1)
            logits.append(model(batch).logits)
        logits[1].square().sum().backward()
        assert logits[1].isfinite().all()
        assert not torch.allclose(*logits)


@pytest.mark.parametrize("head", HEADS)
def test_whole_targets_take_one_call_of_each_cell(head):
    model = build(head={"kind": head, "layers": 2})
    calls = []
    for cell in model.head.stack.cells:
        cell.register_forward_hook(lambda *_: calls.append(1))
    model(batch_of())
    assert len(calls) == (2 if head in ("decoder", "gnmt") else 2 * 5)
    assert Head.registry[head].whole == (head in ("decoder", "gnmt"))


@pytest.mark.parametrize("head", HEADS)
def test_nothing_waits_for_the_gpu(head, monkeypatch):
    """What would synchronize: reading a number out of a tensor, or bringing one to the CPU."""
    model, batch = build(head={"kind": head, "dropout": 0.1, "locked": True}).train(), batch_of()

    def refuse(*args, **options):
        raise AssertionError("waits for the GPU")

    monkeypatch.setattr(stack, "all_real", lambda lengths, time: False)  # as it is on a GPU: see the next test
    for name in ("item", "tolist", "cpu", "numpy", "nonzero", "__bool__", "__int__", "__float__", "__index__"):
        monkeypatch.setattr(torch.Tensor, name, refuse)
    model(batch).logits.sum().backward()


def test_whether_all_is_real_is_asked_of_the_cpu_only():
    lengths = torch.tensor([3, 3])
    assert all_real(lengths, 3)
    assert not all_real(lengths, 4)
    assert not all_real(torch.tensor([3, 2]), 3)
    assert not all_real(lengths.to("meta"), 3)  # which has no numbers to look at


def test_logits_are_at_real_positions_only():
    model, batch = build(), batch_of()
    output = model(batch)
    assert output.logits.shape == (batch.tokens, VOCABULARY) == (9, VOCABULARY)
    assert output.weights.shape == (3, 5, 6)


def test_what_has_been_read_when_a_piece_must_be_said():
    assert shift_right(torch.tensor([[5, 6, 2], [7, 2, 0]])).tolist() == [[BOS, 5, 6], [BOS, 7, 2]]


@pytest.mark.parametrize("head", HEADS)
def test_no_piece_sees_itself_or_what_follows(head):
    model = build(head={"kind": head})
    logits = [stepless(model, batch_of(targets=[[5, 6, last, 2]] * 3)) for last in (7, 8)]
    close(logits[0][:, :3], logits[1][:, :3])
    assert not torch.allclose(logits[0][:, 3], logits[1][:, 3])


def stepless(model, batch):
    return model(batch).logits.view(3, 4, -1)


def test_decoder_as_equations():
    """h = cell(embedding);  context = attention(h);  logits = W tanh(R [h; context])"""
    model, batch = build(), batch_of()
    head = model.head
    memory, state = head.start(model.encode(batch.source))
    h, _ = head.stack.cells[0](head.embed(shift_right(batch.target.data)), tuple(p[:, 0] for p in state.cells))
    context, _ = head.attention(h, memory)
    logits = head.out(torch.tanh(head.combine(torch.cat([h, context], -1))))
    close(model(batch).logits, logits.flatten(0, 1)[batch.label_positions])


def test_gnmt_as_equations():
    """The first layer's output queries; context joins the input of every layer above."""
    model, batch = build(head={"kind": "gnmt", "layers": 3, "residual": True}), batch_of()
    head = model.head
    memory, state = head.start(model.encode(batch.source))
    start = [tuple(part[:, layer] for part in state.cells) for layer in range(3)]
    h, _ = head.stack.cells[0](head.embed(shift_right(batch.target.data)), start[0])
    context, weights = head.attention(h, memory)
    for layer in (1, 2):
        h = h + head.stack.cells[layer](torch.cat([h, context], -1), start[layer])[0]
    logits = head.out(torch.tanh(head.combine(torch.cat([h, context], -1))))
    output = model(batch)
    close(output.logits, logits.flatten(0, 1)[batch.label_positions])
    close(output.weights, weights)


def test_luong_as_equations():
    """h = cell([embedding; what was settled on before]);  it starts from zeros."""
    model, batch = build(head={"kind": "luong"}), batch_of()
    head = model.head
    memory, state = head.start(model.encode(batch.source))
    cells, feed, logits = tuple(p[:, 0] for p in state.cells), torch.zeros(3, 1, WIDTH), []
    for now in head.embed(shift_right(batch.target.data)).split(1, 1):
        h, cells = head.stack.cells[0](torch.cat([now, feed], -1), cells)
        feed = torch.tanh(head.combine(torch.cat([h, head.attention(h, memory)[0]], -1)))
        logits.append(head.out(feed))
    close(model(batch).logits, torch.cat(logits, 1).flatten(0, 1)[batch.label_positions])


def test_bahdanau_as_equations():
    """The top state before queries;  h = cell([embedding; context]);  the readout sees h, context and embedding."""
    model, batch = build(head={"kind": "bahdanau", "layers": 2}), batch_of()
    head = model.head
    memory, state = head.start(model.encode(batch.source))
    low, top = (tuple(part[:, layer] for part in state.cells) for layer in range(2))
    logits = []
    for now in head.embed(shift_right(batch.target.data)).split(1, 1):
        context, _ = head.attention(top[0][:, None], memory)
        h, low = head.stack.cells[0](torch.cat([now, context], -1), low)
        h, top = head.stack.cells[1](h, top)
        logits.append(head.out(torch.tanh(head.combine(torch.cat([h, context, now], -1)))))
    close(model(batch).logits, torch.cat(logits, 1).flatten(0, 1)[batch.label_positions])


@pytest.mark.parametrize("head", sorted(set(HEADS) - NEEDS_ATTENTION))
@pytest.mark.parametrize("bridge", ["zeros", "mean"])
def test_a_decoder_that_listens_to_nothing(head, bridge):
    """A language model to be: no source position, no attention."""
    decoder = configure(Head, {"kind": head, "attention": None, "embedding": 6, "hidden": 8, "bridge": bridge})(
        3, FieldSpec("ids", VOCABULARY)
    )
    silence = EncoderOutput(torch.zeros(3, 0, 3), torch.zeros(3, 0, dtype=torch.bool))
    output = decoder(silence, batch_of())
    assert output.logits.shape == (9, VOCABULARY)
    assert output.logits.isfinite().all()
    assert output.weights is None
    memory, state = decoder.start(silence)
    assert memory.values.shape == (3, 0, 0)
    assert decoder.step(torch.tensor([1, 1, 1]), memory, state).weights is None


@pytest.mark.parametrize("head", HEADS)
def test_bf16_autocast(head):
    """Parts in 16 bits meet parts in 32: bridges, feeds and states. Cells by hand: some CPUs have no bf16 lstm."""
    batch = batch_of()
    cells = itertools.cycle(["lstm-by-hand", "gru-by-hand"])
    for attention, bridge, cell in zip(ATTENTIONS, itertools.cycle(BRIDGES), cells):
        options = {"cell": cell, "layer_norm": True}
        model = build(options, {"kind": head, "attention": small(attention), "bridge": bridge, **options})
        wanted = model(batch).logits
        with torch.autocast("cpu", torch.bfloat16):
            got = model(batch).logits
            memory, state = model.head.start(model.encode(batch.source))
            first = model.head.step(torch.full((3,), BOS), memory, state)
        assert got.dtype == first.logits.dtype == torch.bfloat16
        close(got.float(), wanted, atol=0.1, rtol=0.1)
        close(first.logits.float(), wanted[[0, 3, 8]], atol=0.1, rtol=0.1)
        got.float().square().sum().backward()


@pytest.mark.parametrize("head", HEADS)
def test_learns_by_heart_and_writes_it(head):
    """Four sentences to be said backwards; then written, greedily, one piece at a time."""
    sources = [[5, 6, 7, EOS], [8, 5, EOS], [9, 4, 10, 6, EOS], [7, EOS]]
    batch = batch_of(sources, reverse(sources))
    model = build({"embedding": 16, "hidden": 16}, {"kind": head, "embedding": 16, "hidden": 32}).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-2)
    for _ in range(120):
        loss = loss_of(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss < 0.02:
            break
    assert loss < 0.1
    model.eval()
    memory, state = model.head.start(model.encode(batch.source))
    ids, written = torch.full((4,), BOS), []
    for _ in range(5):
        output = model.head.step(ids, memory, state)
        ids, state = output.logits.argmax(-1), output.state
        written.append(ids)
    rows = torch.stack(written, 1).tolist()
    assert [row[: row.index(EOS) + 1] for row in rows] == reverse(sources)
