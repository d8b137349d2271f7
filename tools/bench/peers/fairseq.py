"""fairseq 0.12.2: Ott et al. 2019, https://arxiv.org/abs/1904.01038"""

from tools.bench.corpora import vocabulary
from tools.bench.peers.peer import Job, Peer


class Fairseq(Peer, kind="fairseq"):
    """Its `lstm`, which feeds the attention's output back to the next step."""

    name = "fairseq 0.12.2"
    before = (
        ("cython<3",),
        ("--no-deps", "--no-build-isolation", "fairseq==0.12.2"),
    )
    installs = (
        ("hydra-core>=1.3", "omegaconf>=2.3", "cffi", "regex", "sacrebleu", "tqdm", "bitarray", "scikit-learn"),
    )
    changed = (
        "built before torch is there, without its extensions for torch, whose sources the package lacks; "
        "it needs none of them for this work",
        "installed without its dependencies: hydra-core and omegaconf of today in place of the pinned ones",
        "dataclasses may have instances as defaults, which Python 3.11 forbids where they have no hash: they get one",
        "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1, without which it cannot open its own checkpoints on this torch",
    )
    program = "run_fairseq.py"
    environment = (("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1"),)
    model = "input feeding"

    def files(self, job: Job) -> dict[str, str]:
        return {
            "dict.txt": "".join(f"{piece} 1\n" for piece in vocabulary(job.data)),
            "preprocess.txt": "\n".join(self.preprocessing(job)),
            "train.txt": "\n".join(self.training(job)),
            "generate.txt": "\n".join(self.generation(job)),
        }

    def preprocessing(self, job: Job) -> list[str]:
        return [
            *("--source-lang", "src", "--target-lang", "trg"),
            *("--trainpref", f"{job.pieces}/train", "--validpref", f"{job.pieces}/valid"),
            *("--testpref", f"{job.pieces}/test"),
            *("--srcdict", f"{job.folder}/dict.txt", "--joined-dictionary"),
            *("--destdir", f"{job.folder}/binary"),
        ]

    def training(self, job: Job) -> list[str]:
        sizes = job.sizes
        return [
            f"{job.folder}/binary",
            *("--task", "translation", "--arch", "lstm", "--criterion", "cross_entropy", "--cpu"),
            *("--encoder-embed-dim", str(sizes.embedding), "--encoder-hidden-size", str(sizes.encoder)),
            *("--encoder-layers", "1", "--encoder-bidirectional"),
            *("--decoder-embed-dim", str(sizes.embedding), "--decoder-hidden-size", str(sizes.hidden)),
            *("--decoder-out-embed-dim", str(sizes.hidden), "--decoder-layers", "1", "--decoder-attention", "1"),
            *("--dropout", str(job.dropout), "--optimizer", "adam", "--lr", "0.001", "--lr-scheduler", "fixed"),
            *("--clip-norm", "1.0", "--batch-size", str(job.sentences), "--max-update", str(job.updates)),
            *("--save-dir", f"{job.folder}/checkpoints", "--no-epoch-checkpoints", "--disable-validation"),
            *("--num-workers", "0", "--log-format", "none", "--seed", "1", "--reset-optimizer"),
        ]

    def generation(self, job: Job) -> list[str]:
        return [
            f"{job.folder}/binary",
            *("--path", f"{job.folder}/checkpoints/checkpoint_last.pt", "--cpu"),
            *("--batch-size", str(job.decoded), "--num-workers", "0"),
            *("--min-len", str(job.answer), "--max-len-a", "0", "--max-len-b", str(job.answer)),
        ]
