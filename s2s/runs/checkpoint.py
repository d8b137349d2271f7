"""Tensors and plain values in one safetensors file: opening one executes no code.

tensors, values = pack_tree(tree)            # values is plain JSON that says where the tensors go
write_tensors(path, tensors, values)
tree = unpack_tree(*read_tensors(path))
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from s2s.errors import RunError
from s2s.files import atomic_write, explained_errno

DAMAGED = "copy it again from where it came, or train again into another folder"


def pack_tree(tree: Any) -> tuple[dict[str, Tensor], Any]:
    """Take a nest apart: its tensors by dotted name, and the rest as plain JSON values.

    The nest may hold dicts (any plain keys), lists, tuples, tensors, text, numbers, booleans and None;
    `unpack` gives it back exactly. A subclass of dict comes back as a dict. Raises TypeError for the rest.
    """
    tensors: dict[str, Tensor] = {}

    def plain(node: Any, name: str) -> Any:
        if isinstance(node, Tensor):
            unique = name or "value"
            while unique in tensors:  # {"a": {"b": x}, "a.b": y}
                unique += "'"
            tensors[unique] = node
            return {"$tensor": unique}
        if node is None or isinstance(node, bool | int | str):
            return node
        if isinstance(node, float):
            return float(node) if math.isfinite(node) else {"$float": repr(float(node))}  # JSON has no nan
        inner = f"{name}." if name else ""
        if isinstance(node, list):
            return [plain(item, f"{inner}{i}") for i, item in enumerate(node)]
        if type(node) is tuple:
            return {"$tuple": [plain(item, f"{inner}{i}") for i, item in enumerate(node)]}
        if isinstance(node, dict):
            if all(isinstance(key, str) and not key.startswith("$") for key in node):
                return {key: plain(item, f"{inner}{key}") for key, item in node.items()}
            return {"$items": [[plain(key, name), plain(item, f"{inner}{key}")] for key, item in node.items()]}
        raise TypeError(f"{name or 'the state'}: a {type(node).__name__} cannot be saved as plain values")

    return tensors, plain(tree, "")


def unpack_tree(tensors: Mapping[str, Tensor], values: Any) -> Any:
    """The nest that `pack` took apart."""
    if isinstance(values, list):
        return [unpack_tree(tensors, item) for item in values]
    if not isinstance(values, dict):
        return values
    if len(values) == 1:
        mark, inner = next(iter(values.items()))
        if mark == "$tensor":
            return tensors[inner]
        if mark == "$float":
            return float(inner)
        if mark == "$tuple":
            return tuple(unpack_tree(tensors, item) for item in inner)
        if mark == "$items":
            return {unpack_tree(tensors, key): unpack_tree(tensors, item) for key, item in inner}
    return {key: unpack_tree(tensors, item) for key, item in values.items()}


def write_tensors(path: Path, tensors: Mapping[str, Tensor], values: Any = None) -> None:
    """One safetensors file, written atomically; `values` is plain JSON. Raises RunError.

    A tensor that occurs under several names (tied weights) is stored once and given back under all of them.
    """
    kept, aliases = distinct_tensors(tensors)
    about = json.dumps({"values": values, "aliases": aliases}, allow_nan=False)
    # One key: safetensors writes several in any order, and equal weights are to be equal files.
    atomic_write(path, safetensors.torch.save(kept, metadata={"s2s": about}))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], Any]:
    """What write_tensors wrote, on the CPU. Raises RunError where the file is missing, foreign or damaged."""
    about = read_about(path)
    try:
        with explained_errno(path), safe_open(str(path), framework="pt", device="cpu") as file:
            # clone: what safetensors gives is a view of the file, and the file will be replaced
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        for alias, name in about["aliases"].items():
            tensors[alias] = tensors[name]
    except (SafetensorError, KeyError, TypeError, AttributeError) as error:
        raise RunError(str(path), f"is damaged: {error}", DAMAGED) from error
    return tensors, about["values"]


def read_values(path: Path) -> Any:
    """Only the plain values: reads no tensor."""
    return read_about(path)["values"]


def read_about(path: Path) -> dict[str, Any]:
    """The JSON that write_tensors put beside the tensors."""
    with explained_errno(path):
        with open(path, "rb") as probe:  # safetensors' own errors do not tell a missing file from a forbidden one
            if not probe.read(1):
                raise RunError(str(path), "is empty", DAMAGED)
        try:
            with safe_open(str(path), framework="pt", device="cpu") as file:
                metadata = file.metadata() or {}
        except SafetensorError as error:
            raise RunError(str(path), f"is damaged or cut short: {error}", DAMAGED) from error
    if "s2s" not in metadata:
        raise RunError(str(path), "was not written by s2s", "a run's weights are made by: s2s train RECIPE")
    try:
        about = json.loads(metadata["s2s"])
        return {"values": about["values"], "aliases": about["aliases"]}
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(str(path), "is damaged: its description cannot be read", DAMAGED) from error


def distinct_tensors(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Each tensor once, on the CPU, and which names are second names: safetensors refuses shared memory."""
    kept: dict[str, Tensor] = {}
    aliases: dict[str, str] = {}
    names: dict[tuple[object, ...], str] = {}
    storages: set[int] = set()
    for name, tensor in tensors.items():
        tensor = tensor.detach()
        key = (tensor.device, tensor.data_ptr(), tensor.dtype, tensor.shape, tensor.stride())
        if tensor.numel() and key in names:
            aliases[name] = names[key]
            continue
        names[key] = name
        tensor = tensor.cpu().contiguous()
        storage = tensor.untyped_storage().data_ptr()
        if storage in storages or tensor.untyped_storage().nbytes() != tensor.nbytes:  # part of something larger
            tensor = tensor.clone(memory_format=torch.contiguous_format)
        storages.add(storage)
        kept[name] = tensor
    return kept, aliases
