"""A run of every kind there is, as small as it can be: made once a session, used by every verb."""

import json
from pathlib import Path

import numpy as np

import s2s
from s2s.data.synthetic.shapes import generate

TRAINING = """
training:
  {epochs: null, steps: STEPS, batch_size: 8, batch_unit: sentences, precision: fp32, device: cpu, samples: 0,
   optimizer: {kind: adam, learning_rate: 1e-2}, validation_search: {kind: greedy, max_length: 8}}
decoding: {kind: greedy, max_length: 8}
"""
WORDS = "{kind: text, tokenizer: word}"
RNN = "{kind: rnn, cell: gru, embedding: 8, hidden: 8}"
CNN = "{kind: cnn, width: 8, patch: 8, stages: 1}"
PROJECT = "{kind: project, width: 8}"
DECODER = "{kind: decoder, cell: gru, embedding: 8, hidden: 8, bridge: linear, attention: additive}"
IMAGE = "{kind: image, size: 32}"

RECIPES = {
    "translation": (f"{{kind: translation, source: {WORDS}, target: {WORDS}}}", "DATA/pairs", RNN, DECODER),
    "chat": ("{kind: chat, tokenizer: word}", "{kind: dialogues, path: DATA/talk.jsonl, hold_out: 1}", RNN, DECODER),
    "caption-picture": (f"{{kind: captioning, source: {IMAGE}, target: {WORDS}}}", "DATA/pictures", CNN, DECODER),
    "caption-vectors": (f"{{kind: captioning, source: numbers, target: {WORDS}}}", "DATA/arrays", PROJECT, DECODER),
    "caption-vector": (f"{{kind: captioning, source: numbers, target: {WORDS}}}", "DATA/flat", PROJECT, DECODER),
    "classify-text": ("classification", "DATA/labels", RNN, "classifier"),
    "classify-several": ("{kind: classification, target: labels}", "DATA/several", RNN, "classifier"),
    "classify-picture": (f"{{kind: classification, source: {IMAGE}}}", "DATA/kinds", CNN, "classifier"),
    "classify-vectors": ("{kind: classification, source: numbers}", "DATA/sorts", PROJECT, "classifier"),
    "tag-text": ("tagging", "DATA/tags", RNN, "tagger"),
    "tag-vectors": ("{kind: tagging, source: numbers}", "DATA/steps", PROJECT, "tagger"),
    "language-model": (
        "{kind: language-model, chunk: 8}",
        "{kind: lines, path: DATA/pairs/train.en, hold_out: 0.2}",
        "none",
        "{kind: language-model, cell: gru, embedding: 8, hidden: 8}",
    ),
    "own-answer": ("{kind: shout, tokenizer: word}", "DATA/pairs", RNN, DECODER),
}
READERS = {
    "pairs": "{kind: text, path: DATA/pairs, source: en, target: es}",
    "pictures": "{kind: imagefolder, path: DATA/pictures, target: caption}",
    "kinds": "{kind: imagefolder, path: DATA/pictures, target: sort}",
    "arrays": "{kind: arrayfolder, path: DATA/arrays, target: caption}",
    "sorts": "{kind: arrayfolder, path: DATA/arrays, target: sort}",
    "flat": "{kind: features, path: DATA/flat, target: en}",
    "steps": "{kind: features, path: DATA/steps, target: tags}",
    "labels": "{kind: text, path: DATA/pairs, source: en, target: label}",
    "several": "{kind: text, path: DATA/pairs, source: en, target: labels}",
    "tags": "{kind: text, path: DATA/pairs, source: en, target: tags}",
}
OWN = """
from s2s.tasks.translation import Translation

class Shout(Translation, kind="shout"):
    '''Answers in its own way: for a test.'''

    searches = False

    def answer(self, model, sources, search, *, device, batch_size=64):
        return [self.source.decode(source[:-1]).upper() for source in sources]
"""

ENGLISH = ["one red house", "two red houses", "one black cat", "two black cats", "three white cats", "the house is red"]
SPANISH = ["una casa roja", "dos casas rojas", "un gato negro", "dos gatos negros", "tres gatos", "la casa es roja"]
SORTS = ["house", "house", "cat", "cat", "cat", "house"]
SEVERAL = ["house, red", "house, red", "cat, black", "cat", "cat, white", "house, red"]
TAGS = ["N A H", "N A H", "N A C", "N A C", "N A C", "N H V A"]
SPLITS = ("train", "validation")


def write_data(folder: Path) -> None:
    """The same six examples on every side that a source and a target may have."""
    chance = np.random.default_rng(1)
    sides = {"en": ENGLISH, "es": SPANISH, "label": SORTS, "labels": SEVERAL, "tags": TAGS}
    pictures = [picture.data for picture, _ in zip((p for p, _ in generate("test")), ENGLISH)]
    for name in ("pairs", "flat", "steps"):
        (folder / name).mkdir(parents=True)
    for split in SPLITS:
        for ending, lines in sides.items():
            (folder / "pairs" / f"{split}.{ending}").write_text("".join(f"{line}\n" for line in lines))
        np.save(folder / "flat" / f"{split}.npy", chance.normal(size=(6, 5)).astype(np.float32))
        (folder / "flat" / f"{split}.en").write_text("".join(f"{line}\n" for line in ENGLISH))
        np.save(folder / "steps" / f"{split}.npy", chance.normal(size=(6, 3, 5)).astype(np.float32))
        (folder / "steps" / f"{split}.tags").write_text("N A H\n" * 3 + "N A C\n" * 3)
        for name, ending in (("pictures", "png"), ("arrays", "npy")):
            here = folder / name / split
            here.mkdir(parents=True)
            for i, picture in enumerate(pictures):
                if ending == "png":
                    (here / f"{i}.png").write_bytes(picture)
                else:
                    np.save(here / f"{i}.npy", chance.normal(size=(3 + i, 5)).astype(np.float32))
            records = (
                {"file_name": f"{i}.{ending}", "caption": ENGLISH[i], "sort": SORTS[i]} for i in range(len(ENGLISH))
            )
            (here / "metadata.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    talks = [{"turns": [ENGLISH[i], SPANISH[i], ENGLISH[(i + 1) % 6]]} for i in range(6)]
    (folder / "talk.jsonl").write_text("".join(json.dumps(talk) + "\n" for talk in talks))
    (folder / "own.py").write_text(OWN)


def make_run(kind: str, data: Path, out: Path, steps: int = 2) -> Path:
    """Train one, and give its folder."""
    task, reader, encoder, head = RECIPES[kind]
    reader = READERS.get(reader.removeprefix("DATA/"), reader)
    text = f"name: {kind}\ntask: {task}\ndata: {reader}\nmodel: {{encoder: {encoder}, head: {head}}}\n{TRAINING}"
    if kind.startswith("own"):
        text += "uses: own.py\n"
    recipe = data / f"{kind}.yaml"
    recipe.write_text(text.replace("DATA", str(data)).replace("STEPS", str(steps)))
    s2s.train(s2s.read_recipe(recipe), out)
    return out
