"""What a run notes of its circumstances: enough to tell two runs apart, or to have one again."""

import platform
import time
from importlib.metadata import version
from typing import Any

import torch

from s2s.api.prepare import DataBundle
from s2s.devices import Precision
from s2s.recipe import Recipe

PACKAGES = ("s2s", "torch", "sentencepiece", "sacrebleu", "datasets", "numpy")


def manifest(recipe: Recipe, data: DataBundle, precision: Precision) -> dict[str, Any]:
    """All that manifest.json says of a run that begins; `resumed` comes to it when the run is carried on."""
    fields = {side: getattr(data.task, side).fingerprint for side in ("source", "target")}
    return {"seed": recipe.seed, **circumstances(precision), **about_run(data), "fields": fields}


def circumstances(precision: Precision) -> dict[str, Any]:
    """When, where and with what: a run may be carried on in others."""
    on_gpu = precision.device.type == "cuda"
    return {
        "made": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "device": str(precision.device),
        **({"gpu": torch.cuda.get_device_name(precision.device), "cuda": torch.version.cuda} if on_gpu else {}),
        "precision": precision.name,
        "threads": torch.get_num_threads(),
        "versions": {name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
        "machine": platform.machine(),
    }


def about_run(data: DataBundle) -> dict[str, Any]:
    """What the data is: hashes of what was read and of its rows, and the report."""
    return {"data": data.fingerprints, "contents": data.contents, "report": data.report.to_dict()}
