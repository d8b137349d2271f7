"""Keras on torch: run_keras.py FOLDER classify | characters, with the sizes in FOLDER/job.json"""

import sys
import time

import keras
import numpy as np
import torch
from hook import read_job, tell
from keras import layers


def seconds_of(work, rounds: int, warm: int) -> list:
    """Seconds of each of so many calls after the first."""
    found = []
    for i in range(rounds + warm):
        start = time.perf_counter()
        work(i)
        if i >= warm:
            found.append(time.perf_counter() - start)
    return sorted(found)


def middle(values: list) -> float:
    return values[len(values) // 2]


def classify(job: dict) -> dict:
    """Texts a second: training, and labeling by predict_on_batch."""
    rows, length, sizes = job["texts"], job["length"], job["classifier"]
    recurrence = layers.LSTM(sizes["hidden"], return_sequences=True)
    model = keras.Sequential(
        [
            keras.Input((length,), dtype="int32"),
            layers.Embedding(sizes["vocabulary"], sizes["embedding"]),
            layers.Bidirectional(recurrence),
            layers.GlobalMaxPooling1D(),
            layers.Dense(sizes["classes"]),
        ]
    )
    compiled(model)
    chance = np.random.default_rng(0)
    x = chance.integers(1, sizes["vocabulary"], (rows, length)).astype("int32")
    y = chance.integers(0, sizes["classes"], rows)
    train = middle(seconds_of(lambda i: model.train_on_batch(x, y), job["rounds"], 3))
    label = middle(seconds_of(lambda i: model.predict_on_batch(x), job["rounds"], 3))
    return {"train": rows / train, "label": rows / label}


def characters(job: dict) -> dict:
    """Characters a second: training, and writing one text or many by calling a stateful model."""
    rows, chunk, sizes = job["rows"], job["chunk"], job["characters"]
    model = keras.Sequential([keras.Input((chunk,), dtype="int32"), *language(sizes, stateful=False)])
    compiled(model)
    chance = np.random.default_rng(0)
    x = chance.integers(1, sizes["vocabulary"], (rows, chunk + 1)).astype("int32")
    train = middle(seconds_of(lambda i: model.train_on_batch(x[:, :-1], x[:, 1:]), max(3, job["rounds"] // 4), 2))
    found = {"train": rows * chunk / train}
    for count in (1, rows):
        stepper = keras.Sequential(
            [keras.Input((1,), batch_size=count, dtype="int32"), *language(sizes, stateful=True)]
        )
        stepper.set_weights(model.get_weights())

        @torch.inference_mode()
        def write(i: int, stepper=stepper, count=count) -> None:
            last = torch.full((count, 1), 2)
            for _ in range(job["written"]):
                logits = stepper(last, training=False)[:, 0]
                last = torch.multinomial(torch.softmax(logits, -1), 1)

        found[f"write {count}"] = count * job["written"] / middle(seconds_of(write, 3, 1))
    return found


def language(sizes: dict, stateful: bool) -> list:
    cells = [layers.LSTM(sizes["hidden"], return_sequences=True, stateful=stateful) for _ in range(sizes["layers"])]
    embedding = layers.Embedding(sizes["vocabulary"], sizes["embedding"])
    return [embedding, *cells, layers.Dense(sizes["vocabulary"])]


def compiled(model) -> None:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(1e-3, global_clipnorm=1.0), loss=loss)


if __name__ == "__main__":
    job = read_job(sys.argv[1])
    tell({"classify": classify, "characters": characters}[sys.argv[2]](job))
