"""Bridges: the decoder starts in its own shape, whatever the encoder's was."""

import pytest
import torch

from s2s.config import configure
from s2s.errors import RecipeError
from s2s.nn.bridge import Bridge
from s2s.tensors import EncoderOutput
from tests.helpers.small_models import close

BRIDGES = sorted(Bridge.registry)
VALID = torch.tensor([[True, True, True], [True, False, False]])


def encoded(parts=2, layers=2, width=8):
    torch.manual_seed(0)
    memory = torch.randn(2, 3, width)
    return EncoderOutput(memory, VALID, tuple(torch.randn(2, layers, width) for _ in range(parts)))


def make(kind, memory=8, hidden=8, parts=2, layers=2):
    torch.manual_seed(1)
    return configure(Bridge, kind)(memory, hidden, parts, layers)


@pytest.mark.parametrize("ours", [(1, 1), (2, 3), (1, 2)])
@pytest.mark.parametrize("theirs", [(0, 1), (1, 1), (2, 1), (1, 3), (2, 2)])
@pytest.mark.parametrize("kind", BRIDGES)
def test_any_encoder_starts_any_decoder(kind, theirs, ours):
    parts, layers = ours
    state = make(kind, parts=parts, layers=layers)(encoded(*theirs))
    assert [part.shape for part in state] == [(2, layers, 8)] * parts


@pytest.mark.parametrize("kind", BRIDGES)
def test_it_says_whether_it_needs_the_encoders_state(kind):
    with_state = encoded()
    bridge = make(kind)
    other = with_state._replace(state=tuple(part + 1 for part in with_state.state))
    changed = any(not torch.equal(a, b) for a, b in zip(bridge(with_state), bridge(other)))
    assert changed == bridge.uses_state


def test_linear_has_a_matrix_for_each_part():
    source = encoded()
    bridge = make("linear", hidden=6)
    for ours, theirs, f in zip(bridge(source), source.state, bridge.maps):
        close(ours, torch.tanh(theirs @ f.weight.T + f.bias))
    assert len(bridge.maps) == 2


def test_layers_that_do_not_match():
    source = encoded(parts=1, layers=2)
    (h,) = source.state
    close(make("copy", parts=1, layers=1)(source), (h[:, 1:],))
    close(make("copy", parts=1, layers=2)(source), (h,))
    close(make("copy", parts=1, layers=4)(source), (torch.stack([h[:, 0], h[:, 1], h[:, 1], h[:, 1]], 1),))


def test_parts_that_do_not_match():
    gru, lstm = encoded(parts=1), encoded(parts=2)
    close(make("copy", parts=2)(gru), (gru.state[0], gru.state[0]))
    close(make("copy", parts=1)(lstm), (lstm.state[0],))


def test_mean_is_over_what_is_valid():
    source = encoded()
    bridge = make("mean", hidden=6, layers=3)
    average = torch.stack([source.memory[0].mean(0), source.memory[1, 0]])
    for part, f in zip(bridge(source), bridge.maps):
        for layer in range(3):
            close(part[:, layer], torch.tanh(average @ f.weight.T + f.bias))
    junk = source._replace(memory=source.memory.masked_fill(~VALID[..., None], 99.0))
    close(bridge(source), bridge(junk))


def test_zeros():
    assert not any(part.any() for part in make("zeros", hidden=6)(encoded()))


@pytest.mark.parametrize("kind", ["linear", "copy"])
def test_a_source_without_a_state_gives_its_mean(kind):
    source = encoded(parts=0)
    average = torch.stack([source.memory[0].mean(0), source.memory[1, 0]])
    bridge = make(kind, parts=1, layers=1)
    close(bridge(source), bridge(source._replace(state=(average[:, None],))))


def test_copy_needs_equal_sizes():
    with pytest.raises(RecipeError) as error:
        make("copy", hidden=6)
    assert str(error.value) == (
        "copy needs equal sizes: the encoder's state is 8 wide, the decoder's 6\n"
        "  use bridge: linear, or a decoder with hidden: 8 (a bidirectional encoder's state is twice its hidden size)"
    )
    make("copy", hidden=8)
