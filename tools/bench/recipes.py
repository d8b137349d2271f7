"""The measured work as recipes of s2s: a translator, a character model and a classifier, at the sizes of a setting."""

from pathlib import Path

from s2s.recipe import Recipe, parse_recipe
from tools.bench.setting import Setting

DROPOUT = 0.2

TRANSLATION = """
name: bench-translation
task: {{kind: translation, tokenizer: {{kind: word, punctuation: keep}}, metrics: [bleu]}}
data: {{kind: text, path: "{folder}/pieces", source: src, target: trg, validation: valid, test: test}}
model:
  encoder: {{kind: rnn, cell: lstm, embedding: {embedding}, hidden: {encoder}, dropout: {dropout}}}
  head: {{kind: decoder, cell: lstm, embedding: {embedding}, hidden: {hidden}, attention: general, dropout: {dropout}}}
training:
  epochs: null
  steps: {steps}
  batch_size: {sentences}
  batch_unit: sentences
  optimizer: {{kind: adam, learning_rate: 1e-3}}
  precision: {precision}
  device: cpu
  validation_search: null
  validate_every: 1000000
  samples: 0
"""

CHARACTERS = """
name: bench-characters
task: {{kind: language-model, chunk: {chunk}, jitter: false}}
data: {{kind: lines, path: "{path}", hold_out: 0}}
model:
  encoder: none
  head: {{kind: language-model, cell: lstm, embedding: {embedding}, hidden: {hidden}, layers: {layers}}}
training:
  epochs: null
  steps: {steps}
  batch_size: {rows}
  batch_unit: sentences
  optimizer: {{kind: adam, learning_rate: 1e-3}}
  precision: {precision}
  device: cpu
"""

CLASSIFICATION = """
name: bench-classification
task: {{kind: classification, source: {{kind: text, tokenizer: {{kind: word, punctuation: keep}}}}}}
data: {{kind: tsv, path: "{folder}", header: false, source: 0, target: 1, hold_out: 0}}
model:
  encoder: {{kind: rnn, cell: lstm, embedding: {embedding}, hidden: {hidden}}}
  head: {{kind: classifier, pooling: max}}
training:
  epochs: null
  steps: {steps}
  batch_size: {texts}
  batch_unit: sentences
  optimizer: {{kind: adam, learning_rate: 1e-3}}
  precision: {precision}
  device: cpu
"""


def translation(setting: Setting, folder: Path, precision: str = "fp32", steps: int = 1) -> Recipe:
    """256 units in two directions and a decoder of 512 with attention, on the pieces of corpora.pairs()."""
    sizes = setting.scale.translation
    return parse_recipe(
        TRANSLATION.format(
            folder=folder,
            embedding=sizes.embedding,
            encoder=sizes.encoder,
            hidden=sizes.hidden,
            dropout=DROPOUT,
            steps=steps,
            sentences=setting.scale.sentences,
            precision=precision,
        )
    )


def characters(setting: Setting, path: Path, precision: str = "fp32", steps: int = 1) -> Recipe:
    sizes, scale = setting.scale.characters, setting.scale
    return parse_recipe(
        CHARACTERS.format(
            path=path,
            chunk=scale.chunk,
            rows=scale.rows,
            embedding=sizes.embedding,
            hidden=sizes.hidden,
            layers=sizes.layers,
            steps=steps,
            precision=precision,
        )
    )


def classification(setting: Setting, folder: Path, precision: str = "fp32", steps: int = 1) -> Recipe:
    sizes, scale = setting.scale.classifier, setting.scale
    return parse_recipe(
        CLASSIFICATION.format(
            folder=folder,
            embedding=sizes.embedding,
            hidden=sizes.hidden,
            texts=scale.texts,
            steps=steps,
            precision=precision,
        )
    )
