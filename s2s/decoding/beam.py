"""Beam search: the best few hypotheses of every row side by side, all on tensors."""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from s2s.decoding.filters import Filter
from s2s.decoding.search import Hypothesis, Search, Step, find_limits, score_pieces, source_mask, split_finished, strip
from s2s.errors import RecipeError
from s2s.inference.native.scores import top
from s2s.registry import ComponentConfig, NonNegativeFloat, NonNegativeInt, PositiveInt
from s2s.tensors import EOS, Tree, repeat, select, tree_map

IMPOSSIBLE = float("-inf")


class Beams(NamedTuple):
    """Hypotheses of every row, best first. J is K, or 2K candidates."""

    rank: Tensor  # [B, J], log probability after the filters: what beams are compared by
    log_probability: Tensor  # [B, J], the model's own
    ids: Tensor  # [B, J, t]
    coverage: Tensor  # [B, J, S], attention each source position has had; [B, J, 0] where nobody asks


class Finished(NamedTuple):
    """The best finished hypotheses of every row, best first; minus infinity where there are fewer."""

    score: Tensor  # [B, K]
    log_probability: Tensor  # [B, K]
    ids: Tensor  # [B, K, t], EOS and then PAD at the end


@Search.register("beam")
@torch.no_grad()
def beam(
    step: Step,
    memory: Any,
    state: Any,
    first: Tensor,
    *,
    beam_size: PositiveInt = 5,
    nbest: PositiveInt = 1,
    length_penalty: NonNegativeFloat = 1.0,
    coverage_penalty: NonNegativeFloat = 0.0,
    early_stopping: bool = True,
    min_length: NonNegativeInt = 0,
    max_length: PositiveInt = 200,
    min_ratio: NonNegativeFloat = 0.0,
    max_ratio: NonNegativeFloat | None = None,
    filters: tuple[ComponentConfig[Filter], ...] = (),
    allow_unknown: bool = False,
) -> list[list[Hypothesis]]:
    """Keep the best few hypotheses at every step: Sutskever et al. 2014, https://arxiv.org/abs/1409.3215

    score = log_probability / length ** length_penalty + coverage_penalty * sum over s of log(min(attention to s, 1)),
    where length counts EOS. length_penalty: 0 for none, 1 for the mean of a token. The coverage term is from
    Wu et al. 2016, https://arxiv.org/abs/1609.08144, and needs a model with attention.

    early_stopping: a row is done when beam_size hypotheses have ended and none that goes on is likelier than all of
    them, or earlier where no other can overtake the nbest; false: only then, which finds the best score of all in
    reach, but looks long for it.
    min_length, max_length: tokens; EOS counts as one for max_length. min_ratio, max_ratio: the same
    times the length of the source (and 10 more for max_ratio). filters: what not to write.
    """
    if nbest > beam_size:
        raise RecipeError("nbest", f"asks for {nbest} hypotheses of {beam_size} beams", f"set beam_size to {nbest}")
    limits = find_limits(
        memory, first, min_length=min_length, max_length=max_length, min_ratio=min_ratio, max_ratio=max_ratio
    )
    beams, ended = start(first, beam_size)
    valid, rows = source_mask(memory), list(range(len(first)))
    left: list[tuple[list[int], Finished, Finished]] = []
    shared = getattr(step, "shares_memory", False)  # beams of a row then look at one memory, side by side
    memory = memory if shared else repeat(memory, beam_size)
    state, last = repeat((state, first), beam_size)
    for t in range(limits.steps):
        output = step(last, memory, state)
        if coverage_penalty > 0:
            beams = look(beams, output.weights)
        shortest = repeat(limits.shortest, beam_size)
        log_probabilities, scores = score_pieces(
            output.logits, beams.ids.flatten(0, 1), shortest, filters, allow_unknown
        )
        candidates, origin = extend(beams, log_probabilities, scores)
        ends = candidates.ids[..., -1] == EOS
        # As many EOS as fit into the beam end a hypothesis; one that ranks below would not have been written.
        best = Beams(*(item[:, :beam_size] for item in candidates))
        best = best._replace(rank=best.rank.masked_fill(~ends[:, :beam_size], IMPOSSIBLE))
        ended = merge(ended, finish(best, valid, length_penalty, coverage_penalty))
        rank, chosen = candidates.rank.masked_fill(ends, IMPOSSIBLE).topk(beam_size)
        beams = rows_of(candidates, chosen)._replace(rank=rank)
        origin = origin.gather(1, chosen) + beam_size * torch.arange(len(rows), device=first.device)[:, None]
        state, last = select(output.state, origin.flatten()), beams.ids[..., -1].flatten()

        # A hypothesis that goes on can only lose probability, and coverage can only cost; the most it may gain
        # is length, up to the longest allowed. What cannot overtake the nbest even so never will.
        reach = beams.rank[:, 0] / limits.longest**length_penalty
        likelier = beams.log_probability[:, 0] > ended.log_probability.amax(1)
        enough = (ended.score[:, -1] > IMPOSSIBLE) & ~likelier & early_stopping
        cut_off = (t + 1 >= limits.longest) & ~enough
        leaving, staying = split_finished(enough | cut_off | (ended.score[:, nbest - 1] >= reach))
        if not leaving:
            continue
        index = torch.tensor(leaving, device=first.device)
        rest = finish(beams, valid, length_penalty, coverage_penalty)
        rest = rest._replace(score=rest.score.masked_fill(~cut_off[:, None], IMPOSSIBLE))
        left.append(([rows[i] for i in leaving], *select((ended, rest), index)))
        if not staying:
            break
        rows = [rows[i] for i in staying]
        index = torch.tensor(staying, device=first.device)
        beams, ended, limits, valid = select((beams, ended, limits, valid), index)
        each = (index[:, None] * beam_size + torch.arange(beam_size, device=first.device)).flatten()
        memory = select(memory, index if shared else each)
        state, last = select((state, last), each)
    found: dict[int, list[Hypothesis]] = {}
    for numbers, good, rest in left:
        found.update(zip(numbers, read_hypotheses(good, rest, nbest), strict=True))
    return [found[row] for row in range(len(first))]


def start(first: Tensor, beam_size: int) -> tuple[Beams, Finished]:
    """Beams that have written nothing: all equal, so that only the first may speak."""
    none = torch.full((len(first), beam_size), IMPOSSIBLE, device=first.device)
    rank = none.clone()
    rank[:, 0] = 0.0
    ids = first.new_zeros(len(first), beam_size, 0)
    return Beams(rank, rank, ids, rank[..., None][..., :0]), Finished(none, none, ids)


def look(beams: Beams, weights: Tensor | None) -> Beams:
    """Add the attention [B * K, S] of this step to the coverage."""
    if weights is None:
        raise RecipeError("coverage_penalty", "needs attention, and this model has none", "set coverage_penalty to 0")
    weights = weights.float().view(*beams.rank.shape, -1)
    return beams._replace(coverage=beams.coverage + weights if beams.coverage.shape[-1] else weights)


def extend(beams: Beams, log_probabilities: Tensor, scores: Tensor) -> tuple[Beams, Tensor]:
    """The best 2K continuations [B, 2K] of K beams by one piece, best first, and the beam each comes from.

    At most K of these are EOS, so that K others are left.
    """
    (rows, size), vocabulary = beams.rank.shape, scores.shape[-1]
    rank, origin, piece = top(scores.view(rows, size, vocabulary), beams.rank, 2 * size)
    grown = rows_of(beams, origin)
    gain = log_probabilities.view(rows, -1).gather(1, origin * vocabulary + piece)
    ids = torch.cat([grown.ids, piece[..., None]], -1)
    return Beams(rank, grown.log_probability + gain, ids, grown.coverage), origin


def finish(beams: Beams, valid: Tensor | None, length_penalty: float, coverage_penalty: float) -> Finished:
    """The same hypotheses with their final scores."""
    score = beams.rank / beams.ids.shape[-1] ** length_penalty
    if coverage_penalty > 0:
        missing = beams.coverage.clamp(1e-6, 1.0).log()  # a half-precision weight may be 0
        if valid is not None:
            missing = missing.masked_fill(~valid[:, None], 0.0)
        score = score + coverage_penalty * missing.sum(-1)
    return Finished(score, beams.log_probability, beams.ids)


def merge(old: Finished, new: Finished) -> Finished:
    """The best K of both, where `new` is one piece longer."""
    both = Finished(*(torch.cat(pair, 1) for pair in zip(old._replace(ids=functional.pad(old.ids, (0, 1))), new)))
    score, chosen = both.score.topk(old.score.shape[1])
    return rows_of(both, chosen)._replace(score=score)


def rows_of(tree: Tree, index: Tensor) -> Tree:
    """Columns of every tensor [B, J, ...]: index [B, I] says which, for each row."""
    return tree_map(lambda t: torch.take_along_dim(t, index.view(*index.shape, *[1] * (t.dim() - 2)), 1), tree)


def read_hypotheses(ended: Finished, cut: Finished, nbest: int) -> list[list[Hypothesis]]:
    """Lists of hypotheses, best first, of those that ended and those that were cut off."""
    rows = []
    for good, rest in zip(zip(*map(Tensor.tolist, ended)), zip(*map(Tensor.tolist, cut)), strict=True):
        found = [Hypothesis(strip(ids), score, total) for score, total, ids in zip(*good) if score > IMPOSSIBLE]
        found += [Hypothesis(strip(ids), score, total, False) for score, total, ids in zip(*rest) if score > IMPOSSIBLE]
        score, total, ids = (item[0] for item in rest)  # what a model that allows nothing has written
        found = sorted(found, key=lambda one: one.score, reverse=True) or [Hypothesis(strip(ids), score, total, False)]
        rows.append(found[:nbest])
    return rows
