"""Which device and which precision come of every wish, and the sentence where there is none."""

import re
from contextlib import nullcontext

import pytest
import torch
from torch import nn

from s2s import devices as module
from s2s.devices import Precision, bf16_trouble, choose_precision, devices, find_device, native_bf16
from s2s.errors import DeviceError

CPU = torch.device("cpu")
GPU = torch.device("cuda")


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def own_tf32():
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    yield
    torch.set_float32_matmul_precision(before[0])
    torch.backends.cudnn.allow_tf32 = before[1]


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


def gpu(monkeypatch, capability):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Some GPU")


def cpu(monkeypatch, native, trouble=""):
    monkeypatch.setattr(module, "native_bf16", lambda: native)
    monkeypatch.setattr(module, "bf16_trouble", lambda: trouble)


def test_devices_without_a_gpu(no_gpu):
    assert find_device("auto") == find_device("cpu") == CPU
    assert devices() == ["cpu"]


def test_devices_with_two_gpus(two_gpus):
    assert find_device("auto") == find_device("cuda") == GPU
    assert find_device("cuda:1") == torch.device("cuda:1")
    assert find_device("cpu") == CPU
    with pytest.raises(
        DeviceError, match="there is no 'cuda:2' on this machine\n  here there is: cpu, cuda, cuda:0, cuda:1"
    ):
        find_device("cuda:2")


@pytest.mark.parametrize(
    ("name", "build", "driver", "sentence"),
    [
        (
            "cuda",
            None,
            False,
            "'cuda' was asked for, and torch .* is a build for the CPU only\n  install a build with CUDA",
        ),
        ("cuda:0", None, True, "CPU only, though this machine has an NVIDIA GPU"),
        ("cuda", "12.4", False, "this machine has no GPU\n  set training.device=cpu"),
        ("cuda", "12.4", True, "cannot use the GPU's driver\n  see what nvidia-smi says"),
        ("mps", None, False, "there is no 'mps' on this machine\n  here there is: cpu"),
        ("tpu", None, False, "no device called 'tpu'\n  .*the options are: auto, cpu"),
        ("cuda:one", None, False, "no device called 'cuda:one'"),
        ("cpu:1", None, False, "there is no 'cpu:1'"),
        ("", None, False, "no device called ''"),
    ],
)
def test_a_device_that_is_not_there(no_gpu, monkeypatch, name, build, driver, sentence):
    monkeypatch.setattr(torch.version, "cuda", build)
    monkeypatch.setattr(torch.version, "hip", None)
    monkeypatch.setattr(module, "gpu_driver", lambda: driver)
    with pytest.raises(DeviceError, match=sentence) as caught:
        find_device(name)
    assert str(caught.value).startswith("training.device: ")


@pytest.mark.parametrize(
    ("native", "trouble", "name", "why"),
    [
        ("", "", "fp32", "no bf16 instructions"),
        ("avx512_bf16", "torch refuses an LSTM: no", "fp32", "has bf16 instructions, but torch refuses an LSTM"),
        ("avx512_bf16, amx_bf16", "", "bf16", r"\(avx512_bf16, amx_bf16\), and a small LSTM comes out right"),
    ],
)
def test_auto_on_the_cpu(monkeypatch, native, trouble, name, why):
    cpu(monkeypatch, native, trouble)
    chosen = choose_precision("auto", CPU)
    assert chosen.name == name
    assert re.search(why, chosen.why)
    assert chosen.scaler is None


def test_auto_never_tries_a_cpu_without_instructions(monkeypatch):
    cpu(monkeypatch, "")
    monkeypatch.setattr(module, "bf16_trouble", lambda: pytest.fail("the probe ran"))
    assert choose_precision("auto", CPU).name == "fp32"


def test_bf16_asked_for_on_the_cpu(monkeypatch):
    cpu(monkeypatch, "", "torch refuses an LSTM: could not create a primitive")
    with pytest.raises(DeviceError, match="bf16 does not work on this CPU: torch refuses an LSTM: could not"):
        choose_precision("bf16", CPU)
    cpu(monkeypatch, "")
    assert "slow" in choose_precision("bf16", CPU).why
    cpu(monkeypatch, "avx512_bf16")
    assert choose_precision("bf16", CPU).why == "asked for"


def test_what_the_cpu_cannot(monkeypatch):
    with pytest.raises(DeviceError, match=r"training\.precision: fp16 needs a GPU\n  set training\.precision=bf16"):
        choose_precision("fp16", CPU)
    with pytest.raises(DeviceError, match="no precision called 'fp8'"):
        choose_precision("fp8", CPU)
    with pytest.raises(DeviceError, match="bf16 on mps is not supported"):
        choose_precision("bf16", torch.device("mps"))
    assert choose_precision("auto", torch.device("mps")).name == "fp32"


@pytest.mark.filterwarnings("ignore:.*GradScaler.*")
@pytest.mark.parametrize(
    ("capability", "asked", "name", "why"),
    [
        ((9, 0), "auto", "bf16", "computes fastest in bf16"),
        ((8, 0), "auto", "bf16", "8.0"),
        ((7, 5), "auto", "fp16", "computes fastest in fp16"),
        ((6, 1), "auto", "fp32", "no units"),
        ((7, 5), "bf16", "bf16", "slow"),
        ((9, 0), "bf16", "bf16", "asked for"),
        ((9, 0), "fp16", "fp16", "asked for"),
        ((9, 0), "fp32", "fp32", "asked for; TF32 is off"),
        ((9, 0), "auto", "bf16", "fused recurrences are in fp16"),
        ((9, 0), "bf16", "bf16", "fused recurrences are in fp16"),
    ],
)
def test_on_a_gpu(own_tf32, monkeypatch, capability, asked, name, why):
    gpu(monkeypatch, capability)
    chosen = choose_precision(asked, GPU)
    assert chosen.name == name
    assert why in chosen.why
    # cuDNN's recurrences are in fp16 under every autocast: their gradients vanish without a scale, in "bf16" too
    assert (chosen.scaler is not None) == (name in ("fp16", "bf16"))
    exact = name == "fp32"
    assert torch.get_float32_matmul_precision() == ("highest" if exact else "high")
    assert torch.backends.cudnn.allow_tf32 == (not exact)


def test_this_machine_gets_what_it_can():
    chosen = choose_precision("auto", CPU)
    assert chosen.name == ("bf16" if native_bf16() and not bf16_trouble() else "fp32")
    assert chosen.why


@pytest.mark.skipif(bool(bf16_trouble()), reason="bf16 does not work on this CPU")
def test_autocast_computes_in_bf16_and_keeps_weights():
    chosen, linear = choose_precision("bf16", CPU), nn.Linear(3, 3)
    with chosen.autocast():
        out = linear(torch.ones(1, 3))
    out.float().sum().backward()
    assert out.dtype == torch.bfloat16
    assert linear.weight.dtype == linear.weight.grad.dtype == torch.float32


def test_fp32_changes_nothing():
    with choose_precision("fp32", CPU).autocast() as inside:
        assert nn.Linear(3, 3)(torch.ones(1, 3)).dtype == torch.float32
    assert isinstance(choose_precision("fp32", CPU).autocast(), nullcontext)
    assert inside is None


def test_the_probe_notices_refusal_and_wrong_numbers(monkeypatch):
    probe = bf16_trouble.__wrapped__
    real = nn.LSTM.forward

    def refuses(self, *args):
        if torch.is_autocast_enabled("cpu"):
            raise RuntimeError("could not create a primitive\nmore")
        return real(self, *args)

    def wrong(self, *args):
        with torch.autocast("cpu", enabled=False):  # whether or not this CPU could
            out, state = real(self, *args)
        noise = 1.5 if torch.is_autocast_enabled("cpu") else 1.0
        return (out._replace(data=out.data * noise) if hasattr(out, "_replace") else out * noise), state

    monkeypatch.setattr(nn.LSTM, "forward", refuses)
    assert probe() == "torch refuses an LSTM: could not create a primitive"
    monkeypatch.setattr(nn.LSTM, "forward", wrong)
    assert probe() == "an LSTM comes out wrong"


def test_the_probe_draws_no_random_numbers():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    bf16_trouble.__wrapped__()
    assert torch.equal(torch.rand(3), expected)


def test_native_bf16_reads_the_flags(monkeypatch):
    read = native_bf16.__wrapped__
    monkeypatch.delenv("S2S_BF16", raising=False)
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    for text, found in [("flags : fma avx512_bf16 amx_bf16", "avx512_bf16, amx_bf16"), ("flags : avx512f", "")]:
        monkeypatch.setattr(module.Path, "read_text", lambda *_, text=text, **__: text)
        assert read() == found

    def missing(*_, **__):
        raise FileNotFoundError

    monkeypatch.setattr(module.Path, "read_text", missing)
    assert read() == ""


@pytest.mark.parametrize(
    ("build", "driver"), [(None, False), ("12.4", False), ("12.4", True)], ids=["cpu build", "no gpu", "bad driver"]
)
def test_a_hint_names_what_was_asked_with(no_gpu, monkeypatch, build, driver):
    """A recipe has a key; a verb has a flag, and no key of a recipe would change what it does."""
    monkeypatch.setattr(torch.version, "cuda", build)
    monkeypatch.setattr(torch.version, "hip", None)
    monkeypatch.setattr(module, "gpu_driver", lambda: driver)
    for where, hint, other in (
        ("training.device", "set training.device=cpu", "--device"),
        ("device", "use --device cpu", "training.device"),
    ):
        with pytest.raises(DeviceError) as caught:
            find_device("cuda", where)
        assert str(caught.value).endswith(hint)
        assert other not in str(caught.value)


def test_a_hint_about_bits_names_the_flag_of_a_verb(monkeypatch):
    cpu(monkeypatch, "", "an LSTM comes out wrong")
    for name, hint in (("bf16", "use --precision fp32, or auto"), ("fp16", "use --precision bf16, fp32 or auto")):
        with pytest.raises(DeviceError) as caught:
            choose_precision(name, CPU, "precision")
        assert str(caught.value).endswith(hint)
    with pytest.raises(DeviceError, match="use --precision fp32, or auto"):
        choose_precision("bf16", torch.device("mps"), "precision")


@pytest.mark.parametrize(
    ("variable", "value", "found"),
    [
        ("S2S_BF16", "0", ""),
        ("S2S_BF16", "1", "avx512_bf16"),
        ("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_VNNI", ""),
        ("ONEDNN_MAX_CPU_ISA", "avx2", ""),
        ("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_BF16", "avx512_bf16"),
    ],
)
def test_bf16_can_be_forbidden(monkeypatch, variable, value, found):
    monkeypatch.delenv("S2S_BF16", raising=False)
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr(module.Path, "read_text", lambda *_, **__: "flags : avx512_bf16")
    assert native_bf16.__wrapped__() == found


@pytest.mark.parametrize(("name", "inference"), [("fp32", True), ("int8", True), ("bf16", False)])
def test_an_answer_needs_no_gradients(name, inference):
    with Precision(name, CPU, "").answering():
        assert torch.is_inference_mode_enabled() is inference
        assert torch.is_autocast_enabled("cpu") is not inference
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()


def test_bf16_on_a_cpu_needs_no_scale():
    assert module.scaler_for("bf16", CPU) is None
    assert module.scaler_for("fp32", GPU) is None


@pytest.mark.parametrize(
    ("name", "meant"), [("gpu", "cuda"), ("GPU:1", "cuda:1"), ("CUDA", "cuda"), ("nvidia", "cuda"), ("MPS", "mps")]
)
def test_what_a_name_may_have_meant(no_gpu, name, meant):
    with pytest.raises(DeviceError, match=f"did you mean '{meant}'\\? the options are: auto, cpu"):
        find_device(name)


@pytest.mark.parametrize(
    ("name", "there", "driver", "build", "said"),
    [
        ("auto", False, True, None, "this machine has an NVIDIA GPU, and torch .* is a build for the CPU only"),
        ("auto", False, True, "12.4", "this machine has an NVIDIA GPU, and torch .* cannot use its driver"),
        ("auto", True, True, "12.4", "$"),
        ("auto", False, False, "12.4", "$"),
        ("cpu", False, True, None, "$"),
    ],
)
def test_a_gpu_that_auto_cannot_use_is_told_of(monkeypatch, name, there, driver, build, said):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    monkeypatch.setattr(torch.version, "cuda", build)
    monkeypatch.setattr(torch.version, "hip", None)
    monkeypatch.setattr(module, "gpu_driver", lambda: driver)
    assert re.match(said, module.overlooked(name))


def test_sums_are_in_64_bits_where_a_device_has_them():
    assert module.widest(CPU) == module.widest(GPU) == torch.float64
    assert module.widest(torch.device("mps")) == torch.float32


def test_chance_is_kept_on_every_device(monkeypatch):
    from s2s.training.seeds import random_state, set_random_state

    there = {"cuda": torch.tensor([1]), "mps": torch.tensor([2])}
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: there["cuda"])
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, device: there.update(cuda=state))
    monkeypatch.setattr(torch.mps, "get_rng_state", lambda: there["mps"])
    monkeypatch.setattr(torch.mps, "set_rng_state", lambda state: there.update(mps=state))
    for kind in ("cuda", "mps"):
        device, kept = torch.device(kind), there[kind]
        state = random_state(device)
        there[kind] = torch.tensor([9])
        set_random_state(state, device)
        assert there[kind] is kept
        set_random_state({"cpu": state["cpu"]}, device)  # of a run that comes from a CPU
