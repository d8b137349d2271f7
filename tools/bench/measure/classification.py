"""Classification: training on texts of one length, and labeling them."""

import dataclasses
from collections.abc import Iterator

import torch

from tools.bench import corpora, exchange, flops, machine, ours, plain, recipes
from tools.bench.setting import Setting
from tools.bench.tables import Table
from tools.bench.timing import Call, interleave

UPDATES = 5  # before labeling: how good the labels are does not change how long they take


def measure(setting: Setting) -> Iterator[Table]:
    yield training(setting)
    yield labeling(setting)


def training(setting: Setting) -> Table:
    folder, scale = corpora.labeled_texts(setting), setting.scale
    calls: dict[str, Call] = {}
    for precision in setting.precisions:
        own = ours.open_trainer(recipes.classification(setting, folder, precision), setting, precision)
        batches = own.first_batches(100)
        sizes = dataclasses.replace(scale.classifier, vocabulary=own.data.task.source.space.size)
        calls[f"s2s, {precision}"] = ours.learning(own.trainer, batches)
        for kind in ("fused", "usual"):
            torch.manual_seed(1)
            model = plain.Classifier(sizes)
            learner = plain.Learner(model, model.loss, precision)
            if kind == "usual":
                learner.optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
            calls[f"plain torch, {kind} Adam, {precision}"] = exchange.plain_learning(
                learner, batches, exchange.plain_texts
            )
    timed = interleave(calls, seconds=setting.seconds, warm=2)
    first = next(iter(timed))
    operations = flops.classifier_training(sizes, scale.length)
    peaks = machine.peaks(setting)
    table = Table(
        "Training, in texts a second",
        ("system", "texts/s", "of the peak, %", f"{first} is so many times as fast"),
    )
    for name, found in timed.items():
        share = 100 * found.rate * operations / peaks[name.rpartition(", ")[2]]
        table.add(name, found.rate, share, "" if name == first else str(timed[first].ratio(found)))
    table.notes.append(
        f"Embedding of {sizes.embedding} for {sizes.vocabulary:,} words, {sizes.hidden} LSTM units in each of two "
        f"directions, {scale.texts} texts of {scale.length} words a batch; "
        f"{operations / 1e6:.1f} million operations a text."
    )
    return table


def labeling(setting: Setting) -> Table:
    folder, scale = corpora.labeled_texts(setting), setting.scale
    recipe = recipes.classification(setting, folder, "fp32", steps=UPDATES)
    predictor = ours.trained(recipe, setting)
    texts = [line.partition("\t")[0] for line in corpora.head(folder / "train.tsv", 16 * scale.texts)]
    sizes = dataclasses.replace(scale.classifier, vocabulary=predictor.task.source.space.size)
    model = plain.Classifier(sizes).eval()

    @torch.inference_mode()
    def label(i: int) -> int:
        for start in range(0, len(texts), scale.texts):
            ids = predictor.task.source.collate(predictor.task.source.encode_all(texts[start : start + scale.texts]))
            model(ids.data).argmax(-1).tolist()
        return len(texts)

    def ours_label(i: int) -> int:
        with ours.batches_of(predictor, scale.texts):
            return len(predictor.predict(texts))

    calls: dict[str, Call] = {"s2s": ours_label, "plain torch": label}
    timed = interleave(calls, seconds=setting.seconds / 3)
    table = Table(
        "Labeling, in texts a second, from text to label", ("system", "texts/s", "s2s is so many times as fast")
    )
    for name, found in timed.items():
        table.add(name, found.rate, "" if name == "s2s" else str(timed["s2s"].ratio(found)))
    table.notes.append(f"Batches of {scale.texts}, fp32; both cut texts into words with the tokenizer of s2s.")
    return table
