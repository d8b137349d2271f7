"""JoeyNMT 2.3.0: Kreutzer et al. 2019, https://arxiv.org/abs/1907.12484"""

from typing import Any

import yaml

from tools.bench.corpora import vocabulary
from tools.bench.peers.peer import Job, Peer

SPECIALS = ("<unk>", "<pad>", "<s>", "</s>")


class JoeyNMT(Peer, kind="joeynmt"):
    """LSTM, Luong attention, input feeding, which is the only way that it has."""

    name = "JoeyNMT 2.3.0"
    installs = (
        ("--no-deps", "joeynmt==2.3.0"),
        ("importlib_metadata", "tensorboard", "sacrebleu", "sacremoses", "sentencepiece", "subword-nmt", "packaging"),
        ("matplotlib", "seaborn", "pyyaml", "pandas", "datasets", "six", "protobuf", "pillow", "plotly"),
    )
    changed = (
        "installed without its dependencies, some of which no longer install, and with importlib_metadata, "
        "which it needs and does not name",
        "scheduling `decaying`: its default passes an option to torch's plateau scheduler that is gone",
        "its searches are handed the shortest length: the option of that name does not reach them",
    )
    program = "run_joeynmt.py"
    environment = (("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1"),)
    model = "input feeding"

    def files(self, job: Job) -> dict[str, str]:
        pieces = [*SPECIALS, *(piece for piece in vocabulary(job.data) if piece not in SPECIALS)]
        return {
            "joey.yaml": yaml.safe_dump(self.config(job), sort_keys=False),
            "pieces.txt": "".join(f"{piece}\n" for piece in pieces),
        }

    def config(self, job: Job) -> dict[str, Any]:
        sizes = job.sizes

        def side(language: str) -> dict[str, Any]:
            return {
                "lang": language,
                "max_length": 200,
                "lowercase": False,
                "level": "word",  # the text is cut already
                "tokenizer_type": "none",
                "voc_file": f"{job.folder}/pieces.txt",
            }

        recurrent = {"rnn_type": "lstm", "num_layers": 1, "dropout": job.dropout}
        embeddings = {"embedding_dim": sizes.embedding, "scale": False}
        return {
            "name": "bench",
            "joeynmt_version": "2.3.0",
            "model_dir": f"{job.folder}/model",
            "use_cuda": False,
            "fp16": False,
            "random_seed": 1,
            "data": {
                "train": f"{job.pieces}/train",
                "dev": f"{job.pieces}/valid",
                "test": f"{job.pieces}/test",
                "dataset_type": "plain",
                "src": side("src"),
                "trg": side("trg"),
                "special_symbols": {
                    **dict(zip(("unk_token", "pad_token", "bos_token", "eos_token"), SPECIALS, strict=True)),
                    **{"unk_id": 0, "pad_id": 1, "bos_id": 2, "eos_id": 3},
                },
            },
            "testing": {
                "beam_size": 1,
                "beam_alpha": 1.0,
                "batch_size": job.decoded,
                "batch_type": "sentence",
                "max_output_length": job.answer,
                "eval_metrics": [],
                "n_best": 1,
            },
            "training": {
                "optimizer": "adam",
                "learning_rate": 0.001,
                "scheduling": "decaying",
                "decrease_factor": 1.0,
                "patience": 1_000_000,
                "learning_rate_min": 1e-9,
                "clip_grad_norm": 1.0,
                "batch_size": job.sentences,
                "batch_type": "sentence",
                "normalization": "tokens",
                "loss": "crossentropy",
                "label_smoothing": 0.0,
                "epochs": 1000,
                "updates": job.updates,
                "validation_freq": 10 * job.updates,
                "logging_freq": 10 * job.updates,
                "early_stopping_metric": "loss",
                "overwrite": True,
                "shuffle": True,
                "print_valid_sents": [],
            },
            "model": {
                "initializer": "xavier_uniform",
                "embed_initializer": "normal",
                "bias_initializer": "zeros",
                "tied_embeddings": False,
                "tied_softmax": False,
                "encoder": {
                    "type": "recurrent",
                    "hidden_size": sizes.encoder,
                    "bidirectional": True,
                    "embeddings": embeddings,
                    **recurrent,
                },
                "decoder": {
                    "type": "recurrent",
                    "hidden_size": sizes.hidden,
                    "attention": "luong",
                    "input_feeding": True,
                    "init_hidden": "bridge",
                    "hidden_dropout": job.dropout,
                    "embeddings": embeddings,
                    **recurrent,
                },
            },
        }
