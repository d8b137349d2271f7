"""OpenNMT-py 3.5.1: Klein et al. 2017, https://arxiv.org/abs/1701.02810"""

from typing import Any

import yaml

from tools.bench.corpora import read_lines, vocabulary
from tools.bench.peers.peer import Job, Peer


class OpenNMT(Peer, kind="opennmt"):
    """LSTM, general attention, input feeding: its own default, which steps through a target one piece at a time."""

    name = "OpenNMT-py 3.5.1"
    installs = (
        ("--no-deps", "OpenNMT-py==3.5.1"),
        ("configargparse", "pyonmttok", "pyyaml", "sacrebleu", "rapidfuzz", "tensorboard", "six", "waitress", "flask"),
    )
    changed = (
        "installed without its dependencies, which pin torch below 2.3",
        "empty stand-ins for spacy, pyahocorasick and fasttext, which it imports for transforms that are not used",
        "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1, without which it cannot open its own checkpoints on this torch",
    )
    program = "run_opennmt.py"
    environment = (("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1"),)
    model = "input feeding"

    def files(self, job: Job) -> dict[str, str]:
        return {
            "train.yaml": yaml.safe_dump(self.config(job), sort_keys=False),
            "pieces.txt": "".join(f"{piece}\n" for piece in vocabulary(job.data)),
        }

    def config(self, job: Job) -> dict[str, Any]:
        sizes = job.sizes
        return {
            "data": {"train": {"path_src": f"{job.pieces}/train.src", "path_tgt": f"{job.pieces}/train.trg"}},
            "src_vocab": f"{job.folder}/pieces.txt",
            "tgt_vocab": f"{job.folder}/pieces.txt",
            "share_vocab": True,
            "save_model": f"{job.folder}/model",
            "save_checkpoint_steps": job.updates,
            "train_steps": job.updates,
            "report_every": job.updates,
            "valid_steps": 10 * job.updates,
            "encoder_type": "brnn",
            "decoder_type": "rnn",
            "rnn_type": "LSTM",
            "enc_layers": 1,
            "dec_layers": 1,
            "word_vec_size": sizes.embedding,
            "hidden_size": sizes.hidden,  # of both directions together
            "global_attention": "general",
            "dropout": [job.dropout],
            "batch_type": "sents",
            "batch_size": job.sentences,
            "normalization": "tokens",
            "bucket_size": len(read_lines(job.pieces / "train.src")),  # one pass: it fills this before its first step
            "optim": "adam",
            "learning_rate": 0.001,
            "max_grad_norm": 1.0,
            "world_size": 1,
            "gpu_ranks": [],
            "seed": 1,
        }
