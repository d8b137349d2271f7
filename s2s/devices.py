"""Where to compute and in how many bits: what was asked for, checked against what this machine can do.

device = find_device("auto")
precision = choose_precision("auto", device)                # to train; choose_writing_precision() to write
with precision.autocast(): ...

S2S_BF16=0 has a CPU with bf16 instructions treated as one without; so has an ONEDNN_MAX_CPU_ISA below them.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import torch
from torch import nn

from s2s.errors import DeviceError, suggest
from s2s.execution import NumberFormat
from s2s.inference.native import linear as native_linear

DTYPES: dict[str, torch.dtype] = {NumberFormat.BF16: torch.bfloat16, NumberFormat.FP16: torch.float16}
WITHOUT_BF16 = ("SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX512_CORE", "AVX512_CORE_VNNI")  # of ONEDNN_MAX_CPU_ISA
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
    on_cpu = f"or {told(where, 'cpu')}"
    if torch.version.cuda is None and torch.version.hip is None:
        what = f"{name!r} was asked for, and torch {torch.__version__} is a build for the CPU only"
        what += ", though this machine has an NVIDIA GPU" if gpu_driver() else ""
        raise DeviceError(where, what, f"install a build with CUDA: https://pytorch.org/get-started/locally, {on_cpu}")
    if gpu_driver():
        what = f"{name!r} was asked for, and torch {torch.__version__} cannot use the GPU's driver"
        raise DeviceError(where, what, f"see what nvidia-smi says and what CUDA_VISIBLE_DEVICES is set to, {on_cpu}")
    raise DeviceError(where, f"{name!r} was asked for, and this machine has no GPU", told(where, "cpu"))


def told(where: str, value: str) -> str:
    """What to write instead: `set training.device=cpu` in a recipe; a verb has a flag, `use --device cpu`."""
    return f"set {where}={value}" if "." in where else f"use --{where} {value}"


def gpu_driver() -> bool:
    return Path("/proc/driver/nvidia/version").exists()


def widest(device: torch.device) -> torch.dtype:
    """What sums are kept in: Apple's GPUs have no 64 bits."""
    return torch.float32 if device.type == "mps" else torch.float64


@dataclass(frozen=True)
class Precision:
    """The numbers that layers compute in; weights and optimizer stay in 32 bits.

    name    fp32, bf16 or fp16; int8 to write in, for weights of 8 bits
    why     one line: why this one
    scaler  for what computes in fp16, all or in parts, a GradScaler, whose state_dict() is plain values; else None
    """

    name: NumberFormat
    device: torch.device
    why: str
    scaler: torch.amp.GradScaler | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", NumberFormat(self.name))  # by its word, too

    def autocast(self) -> AbstractContextManager[object]:
        """Around the forward pass and the loss, in training, validation and decoding alike; not around backward."""
        return torch.autocast(self.device.type, dtype=DTYPES[self.name]) if self.name in DTYPES else nullcontext()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """The same around one answer, without gradients; not in inference mode where there are 16 bits: there autocast
        keeps nothing, and casts every weight again at every step."""
        with torch.no_grad() if self.name in DTYPES else torch.inference_mode(), self.autocast():
            yield

    def to_write(self) -> "Precision":
        """What a model that trains in this writes in meanwhile, as choose_writing_precision("auto") has it."""
        return writing_on_cpu(self.device) if self.device.type == "cpu" else self


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
        return Precision(NumberFormat.FP32, device, "asked for")
    if device.type == "cpu":
        return on_cpu(name, device, where)
    if name == "auto":
        return Precision(NumberFormat.FP32, device, f"{device.type} is used in 32 bits only")
    raise DeviceError(where, f"{name} on {device.type} is not supported", told(where, "fp32, or auto"))


def choose_writing_precision(name: str, device: torch.device, where: str = "precision") -> Precision:
    """The same for a model that has learned and writes step by step. Raises DeviceError where the device cannot.

    auto   on the CPU fp32, whatever its instructions: the compiled steps of s2s/inference are made for 32 bits, and
           layers in bf16, one by one, are slower (docs/performance.md); else as in training
    int8   weights of 8 bits, where there are native kernels for them: refused where there are none
    """
    if name == NumberFormat.INT8:
        off_cpu = f"it is for the CPU, and the device is {device.type}" if device.type != "cpu" else ""
        if reason := off_cpu or native_linear.int8_unavailable():
            raise DeviceError(where, f"int8 does not work here: {reason}", "use auto, or fp32")
        return Precision(NumberFormat.INT8, device, "asked for")
    if name == "auto" and device.type == "cpu":
        return writing_on_cpu(device)
    return choose_precision(name, device, where)


def writing_on_cpu(device: torch.device) -> Precision:
    return Precision(NumberFormat.FP32, device, "the fastest to write in on a CPU, but for int8")


def on_cuda(name: str, device: torch.device) -> Precision:
    capability = torch.cuda.get_device_capability(device)
    gpu = f"{torch.cuda.get_device_name(device)} (CUDA capability {capability[0]}.{capability[1]})"
    if name == "auto":
        half = NumberFormat.BF16 if capability >= BF16_CORES else NumberFormat.FP16
        best = half if capability >= HALF_CORES else NumberFormat.FP32
        why = f"{gpu} " + ("has no units for less than 32 bits" if best == "fp32" else f"computes fastest in {best}")
    else:
        best, why = NumberFormat(name), "asked for"
        if name == "bf16" and capability < BF16_CORES:
            why += f", though {gpu} only emulates it: slow"
    return Precision(best, device, f"{why}; {INSIDE[best]}", scaler_for(best, device))


# What a GPU computes in where it is not in what was chosen; cuDNN's recurrences know no bf16 under autocast.
INSIDE = {
    NumberFormat.FP32: "TF32 is off",
    NumberFormat.FP16: "what stays in 32 bits is in TF32",
    NumberFormat.BF16: "fused recurrences are in fp16, as cuDNN has them, and what stays in 32 bits is in TF32",
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
        raise DeviceError(where, "fp16 needs a GPU", told(where, "bf16, fp32 or auto"))
    native = native_bf16()
    if name == "auto" and not native:
        return Precision(NumberFormat.FP32, device, "this CPU has no bf16 instructions")
    trouble = bf16_trouble()
    if name == "auto":
        if trouble:
            return Precision(NumberFormat.FP32, device, f"this CPU has bf16 instructions, but {trouble}")
        return Precision(
            NumberFormat.BF16, device, f"this CPU has bf16 instructions ({native}), and a small LSTM comes out right"
        )
    if trouble:
        raise DeviceError(where, f"bf16 does not work on this CPU: {trouble}", told(where, "fp32, or auto"))
    return Precision(
        NumberFormat.BF16, device, "asked for" if native else "asked for, though this CPU only emulates it: slow"
    )


@cache
def native_bf16() -> str:
    """The names of the CPU's bf16 instructions, or "" where there are none, or none that may be used."""
    if os.environ.get("S2S_BF16") == "0" or os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper() in WITHOUT_BF16:
        return ""
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
