"""A language model for tests: a few sentences, learned by heart in a second or two, at any level of pieces."""

from functools import cache
from types import SimpleNamespace

import torch
from torch import nn

from s2s.config import configure
from s2s.data.fields.base import Nothing
from s2s.data.fields.text import TextField, with_eos
from s2s.data.tokenizers.base import Tokenizer
from s2s.decoding.search import Search
from s2s.devices import Precision
from s2s.nn.encoders.base import Encoder
from s2s.nn.heads.base import Head
from s2s.nn.model import Model, build_model
from s2s.predictors.language_model import START, LanguageModelPredictor
from s2s.tensors import Batch, FieldSpec

LINES = [
    "the cat sat on the mat.",
    "the dog ran to the door!",
    "",
    "a cat can't run, a dog can.",
    "el niño comió ñoquis.",
]
TOKENIZERS = {
    "char": {"kind": "char"},
    "byte": {"kind": "byte"},
    "word": {"kind": "word"},
    "bpe": {"kind": "bpe", "size": 60},
}


def model_for(size: int, seed: int = 0, **options) -> Model:
    torch.manual_seed(seed)
    head = {"kind": "language-model", "embedding": 24, "hidden": 64, **options}
    if head["kind"] == "decoder":
        head |= {"attention": None, "bridge": "zeros"}
    return build_model(
        configure(Encoder, "none"),
        configure(Head, head, "model.head"),
        FieldSpec("nothing"),
        FieldSpec("ids", size, "v"),
    )


def generator_for(
    tokenizer: str = "char", lines=LINES, trained: bool = False, seed: int = 0, **options
) -> LanguageModelPredictor:
    field = TextField(tokenizer=configure(Tokenizer, TOKENIZERS[tokenizer]))
    field.fit(lines)
    model = model_for(len(field.tokenizer), seed, **options)
    if trained:
        learn(model, with_eos(field.tokenizer.encode_all(lines)))
    task = SimpleNamespace(source=Nothing(), target=field, metrics=())
    recipe = SimpleNamespace(
        name="toy", decoding=configure(Search, "sample"), task=SimpleNamespace(kind="language-model")
    )
    device = torch.device("cpu")
    return LanguageModelPredictor(recipe, task, model, Precision("fp32", device, "asked for"))  # type: ignore[arg-type]


def learn(model: Model, lines, steps: int = 800) -> None:
    """Every line by heart, as what follows a line break."""
    field = TextField(tokenizer=configure(Tokenizer, "char"))
    target = field.collate(lines)
    positions = target.valid.flatten().nonzero().squeeze(1)
    batch = Batch(torch.zeros(len(lines), 0), target, positions, start_ids=torch.full((len(lines),), START))
    optimizer = torch.optim.Adam(model.parameters(), 2e-2)
    for _ in range(steps):
        loss = nn.functional.cross_entropy(model(batch).logits, batch.labels, reduction="sum")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss < 12:  # which line it is, nobody can know
            break


@cache
def known(tokenizer: str = "char") -> LanguageModelPredictor:
    """A generator that knows LINES by heart."""
    return generator_for(tokenizer, trained=True)
