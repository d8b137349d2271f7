"""Where to compute and in how many bits: what was asked for, checked against what this machine can do.

device = find_device("auto")
precision = choose_precision("auto", device)
with precision.autocast(): ...
"""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from s2s.errors import DeviceError, suggest
from s2s.nn.products import int8_trouble

Name = Literal["fp32", "bf16", "fp16", "int8"]
DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
NATIVE = ("avx512_bf16", "amx_bf16", "bf16")  # as /proc/cpuinfo calls them on x86 and ARM
HALF_CORES, BF16_CORES = (7, 0), (8, 0)  # the CUDA capabilities that brought the matrix units: Volta, Ampere


def find_device(name: str = "auto", where: str = "training.device") -> torch.device:
    """auto: the first CUDA device, else the CPU (mps only when it is asked for). Raises DeviceError."""
    kind, _, number = name.partition(":")
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if kind not in ("cpu", "cuda", "mps") or (number and not number.isdecimal()):
        raise DeviceError(where, f"there is no device called {name!r}", suggest_device(name))
    if kind == "cuda":
        require_cuda(name, where)
    there = devices()
    if name not in there:
        raise DeviceError(where, f"there is no {name!r} on this machine", f"here there is: {', '.join(there)}")
    return torch.device(name)


def suggest_device(name: str) -> str:
    """The nearest device; `gpu` and `CUDA` mean a device that may not be here, but is worth its own message."""
    kind, sign, number = name.lower().partition(":")
    meant = {"gpu": "cuda", "nvidia": "cuda", "cuda": "cuda", "metal": "mps", "mps": "mps"}.get(kind)
    options = f"the options are: {', '.join(['auto', *devices()])}"
    return f"did you mean {meant + sign + number!r}? {options}" if meant else suggest(name, ["auto", *devices()])


def overlooked(name: str) -> str:
    """Why `auto` is the CPU on a machine that has an NVIDIA GPU, one line; "" where there is nothing to say."""
    if name != "auto" or torch.cuda.is_available() or not gpu_driver():
        return ""
    built = torch.version.cuda is not None or torch.version.hip is not None
    why = "cannot use its driver: see nvidia-smi" if built else "is a build for the CPU only"
    return f"this machine has an NVIDIA GPU, and torch {torch.__version__} {why}"


def devices() -> list[str]:
    """What find_device can find here: cpu, cuda, cuda:0, ..., mps."""
    cuda = ["cuda", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))] if torch.cuda.is_available() else []
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return ["cpu", *cuda, *mps]


def require_cuda(name: str, where: str) -> None:
    """Say which of the three usual reasons it is that there is no GPU."""
    if torch.cuda.is_available():
        return
    cpu = "training.device=cpu" if where.startswith("training") else "--device cpu"
    on_cpu = f"or set {cpu}"
    if torch.version.cuda is None and torch.version.hip is None:
        what = f"{name!r} was asked for, and torch {torch.__version__} is a build for the CPU only"
        what += ", though this machine has an NVIDIA GPU" if gpu_driver() else ""
        raise DeviceError(where, what, f"install a build with CUDA: https://pytorch.org/get-started/locally, {on_cpu}")
    if gpu_driver():
        what = f"{name!r} was asked for, and torch {torch.__version__} cannot use the GPU's driver"
        raise DeviceError(where, what, f"see what nvidia-smi says and what CUDA_VISIBLE_DEVICES is set to, {on_cpu}")
    raise DeviceError(where, f"{name!r} was asked for, and this machine has no GPU", f"set {cpu}")


def gpu_driver() -> bool:
    return Path("/proc/driver/nvidia/version").exists()


def widest(device: torch.device) -> torch.dtype:
    """What sums are kept in: Apple's GPUs have no 64 bits."""
    return torch.float32 if device.type == "mps" else torch.float64


@dataclass(frozen=True)
class Precision:
    """The numbers that layers compute in; weights and optimizer stay in 32 bits.

    name    fp32, bf16 or fp16; int8 in decoding only, for weights of 8 bits
    why     one line: why this one
    scaler  for what computes in fp16, all or in parts, a GradScaler, whose state_dict() is plain values; else None
    """

    name: Name
    device: torch.device
    why: str
    scaler: torch.amp.GradScaler | None = field(default=None, compare=False)

    def autocast(self) -> AbstractContextManager[object]:
        """Around the forward pass and the loss, in training, validation and decoding alike; not around backward."""
        return torch.autocast(self.device.type, dtype=DTYPES[self.name]) if self.name in DTYPES else nullcontext()


def choose_precision(name: str, device: torch.device, where: str = "training.precision") -> Precision:
    """auto, fp32, bf16 or fp16 on this device. Raises DeviceError where the device cannot.

    auto   on CUDA: bf16 from Ampere on, fp16 on Volta and Turing, fp32 before;
           on the CPU: bf16 where it has instructions for it and a small LSTM comes out right, else fp32;
           elsewhere fp32
    """
    if name not in ("auto", "fp32", *DTYPES):
        raise DeviceError(where, f"there is no precision called {name!r}", suggest(name, ["auto", "fp32", *DTYPES]))
    if device.type == "cuda":
        chosen = on_cuda(name, device)
        set_tf32(chosen)
        return chosen
    if name == "fp32":
        return Precision("fp32", device, "asked for")
    if device.type == "cpu":
        return on_cpu(name, device, where)
    if name == "auto":
        return Precision("fp32", device, f"{device.type} is used in 32 bits only")
    raise DeviceError(where, f"{name} on {device.type} is not supported", "set training.precision=fp32, or auto")


def choose_decoding_precision(name: str, device: torch.device, where: str = "precision") -> Precision:
    """The same for a model that has learned, which may have weights of 8 bits too: int8, on the CPU."""
    if name != "int8":
        return choose_precision(name, device, where)
    trouble = int8_trouble() if device.type == "cpu" else f"it is for the CPU, and the device is {device.type}"
    if trouble:
        raise DeviceError(where, f"int8 does not work here: {trouble}", "use auto, or fp32")
    return Precision("int8", device, "asked for")


def on_cuda(name: str, device: torch.device) -> Precision:
    capability = torch.cuda.get_device_capability(device)
    gpu = f"{torch.cuda.get_device_name(device)} (CUDA capability {capability[0]}.{capability[1]})"
    if name == "auto":
        best: Name = "bf16" if capability >= BF16_CORES else "fp16" if capability >= HALF_CORES else "fp32"
        why = f"{gpu} " + ("has no units for less than 32 bits" if best == "fp32" else f"computes fastest in {best}")
    else:
        best, why = ("fp32" if name == "fp32" else "bf16" if name == "bf16" else "fp16"), "asked for"
        if name == "bf16" and capability < BF16_CORES:
            why += f", though {gpu} only emulates it: slow"
    return Precision(best, device, f"{why}; {INSIDE[best]}", scaler_for(best, device))


# What a GPU computes in where it is not in what was chosen; cuDNN's recurrences know no bf16 under autocast.
INSIDE = {
    "fp32": "TF32 is off",
    "fp16": "what stays in 32 bits is in TF32",
    "bf16": "fused recurrences are in fp16, as cuDNN has them, and what stays in 32 bits is in TF32",
}


def set_tf32(precision: Precision) -> None:
    """One rule for products and convolutions, where torch has two: fp32 means all of its bits, less means speed."""
    if precision.device.type == "cuda":
        exact = precision.name == "fp32"
        torch.set_float32_matmul_precision("highest" if exact else "high")
        torch.backends.cudnn.allow_tf32 = not exact


def scaler_for(name: str, device: torch.device) -> torch.amp.GradScaler | None:
    """Gradients in fp16 vanish below 6e-8: they are scaled up before backward. bf16 reaches as far as fp32, but on CUDA
    torch hands every fused recurrence to cuDNN in fp16 whatever autocast says (ATen/cudnn/AutocastRNN.cpp)."""
    half = name == "fp16" or (name == "bf16" and device.type == "cuda")
    return torch.amp.GradScaler(device.type) if half else None


def on_cpu(name: str, device: torch.device, where: str) -> Precision:
    if name == "fp16":
        raise DeviceError(where, "fp16 needs a GPU", "set training.precision=bf16, fp32 or auto")
    native = native_bf16()
    if name == "auto" and not native:
        return Precision("fp32", device, "this CPU has no bf16 instructions")
    trouble = bf16_trouble()
    if name == "auto":
        if trouble:
            return Precision("fp32", device, f"this CPU has bf16 instructions, but {trouble}")
        return Precision("bf16", device, f"this CPU has bf16 instructions ({native}), and a small LSTM comes out right")
    if trouble:
        raise DeviceError(where, f"bf16 does not work on this CPU: {trouble}", "set training.precision=fp32, or auto")
    return Precision("bf16", device, "asked for" if native else "asked for, though this CPU only emulates it: slow")


@cache
def native_bf16() -> str:
    """The names of the CPU's bf16 instructions, or "" where there are none or the system does not tell."""
    try:
        words = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return ""
    return ", ".join(name for name in NATIVE if name in words)


@cache
def bf16_trouble() -> str:
    """ "" if a small LSTM under bf16 autocast gives what it gives in fp32, padded and packed, with its gradients."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        lstm, x = nn.LSTM(16, 16, batch_first=True), torch.randn(3, 5, 16)
    packed = nn.utils.rnn.pack_padded_sequence(x, torch.tensor([5, 4, 2]), batch_first=True)
    try:
        for given in (x, packed):
            results = []
            for on in (False, True):
                lstm.zero_grad()
                with torch.autocast("cpu", dtype=torch.bfloat16, enabled=on):
                    out = lstm(given)[0]
                    data = out if given is x else out.data
                data.float().square().sum().backward()
                gradients = [p.grad.clone() for p in lstm.parameters() if p.grad is not None]
                results.append([data.detach().float(), *gradients])
            for full, half in zip(*results):
                if not (full - half).norm() <= 0.05 * full.norm():  # bf16 keeps 8 bits: about 0.005 is usual
                    return "an LSTM comes out wrong"
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            lstm.eval()(x)
    except RuntimeError as error:
        return f"torch refuses an LSTM: {str(error).splitlines()[0]}"
    return ""
