"""Compiles kernels.c for this very machine, once, and opens it; or says why not.

    kernels = library()     # a ctypes library, or None
    kernels_unavailable()               # why it is None, or ""

The result is kept beside the source, as Python keeps its bytecode, or in $S2S_CACHE or ~/.cache/s2s where nobody may
write there. $CC names another compiler than cc; S2S_NATIVE=0 leaves all to torch.
"""

import ctypes
import hashlib
import os
import platform
import shlex
import subprocess
import tempfile
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path

import torch  # before the kernels, which then share its threads

from s2s.files import cache_folder

SOURCE = Path(__file__).with_name("kernels.c")
PLAIN_FLAGS = "-O3 -fno-math-errno -fno-trapping-math -shared -fPIC"
WAYS = [  # the first that the compiler takes
    "-march=native -mprefer-vector-width=512 -fopenmp",
    "-march=native -fopenmp",
    "-fopenmp-simd",
]
COMPILER_TIMEOUT_S = 120  # seconds for a compiler
SHARE = 1 << 14  # numbers that a thread should have to look at
Arguments = list[type]
POINTER, SIZE, NUMBER = ctypes.c_void_p, ctypes.c_long, ctypes.c_int
SIGNATURES: dict[str, Arguments] = {
    "log_softmax": [POINTER, SIZE, SIZE, NUMBER],
    "top": [POINTER, POINTER, SIZE, SIZE, SIZE, SIZE, POINTER, POINTER, POINTER, NUMBER],
    "products": [],
}
OF_PRODUCTS: dict[str, Arguments] = {
    "product": [POINTER, POINTER, POINTER, SIZE, POINTER, NUMBER],
    "lstm": [POINTER, POINTER, POINTER, SIZE, POINTER, POINTER, POINTER, NUMBER],
}


def library() -> ctypes.CDLL | None:
    """The kernels, compiled where they are not yet."""
    return loaded_library()[0]


def threads_for(numbers: int) -> int:
    """How many threads are worth waking for so many numbers to look at."""
    return min(torch.get_num_threads(), 1 + numbers // SHARE)


def kernels_unavailable() -> str:
    """Why there are no kernels, in one line, or ""."""
    return loaded_library()[1]


@cache
def loaded_library() -> tuple[ctypes.CDLL | None, str]:
    if os.environ.get("S2S_NATIVE") == "0":
        return None, "S2S_NATIVE is 0"
    try:
        return declared(ctypes.CDLL(str(compiled_library()))), ""
    except (OSError, subprocess.SubprocessError) as error:
        return None, failure_reason(error)


def declared(kernels: ctypes.CDLL) -> ctypes.CDLL:
    """With the types of all arguments; nothing is returned but by products()."""
    signatures = SIGNATURES | (OF_PRODUCTS if kernels.products() else {})
    for name, arguments in signatures.items():
        function = getattr(kernels, name)
        function.argtypes, function.restype = arguments, NUMBER if name == "products" else None
    return kernels


def compiled_library() -> Path:
    """The path of the compiled kernels. Raises OSError or SubprocessError where there are none to be had."""
    compiler = shlex.split(os.environ.get("CC") or "cc")
    folders = [SOURCE.parent / "__pycache__", cache_folder() / "native"]
    name = f"kernels-{source_digest(compiler)}.so"
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    with ExitStack() as stack:
        folder, own = room(folders, stack)
        run(compiler, own / name)
        os.replace(own / name, folder / name)  # whole or not there: others may be doing the same
    return folder / name


def source_digest(compiler: list[str]) -> str:
    """Of all that decides what comes out; home folders are shared by machines of different kinds."""
    try:
        about = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        about = []
    abilities = next((line for line in about if line.startswith(("flags", "Features"))), platform.processor())
    parts = [SOURCE.read_text(encoding="utf-8"), PLAIN_FLAGS, *WAYS, *compiler, platform.platform(), abilities]
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


def room(folders: list[Path], stack: ExitStack) -> tuple[Path, Path]:
    """The first folder that may be written to, and one in it that is gone at the end."""
    for folder in folders:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            return folder, Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder, prefix=".")))
    raise OSError(f"neither {' nor '.join(map(str, folders))} may be written to")


def run(compiler: list[str], out: Path) -> None:
    """The compiler, with the first of WAYS that it takes. Raises OSError or SubprocessError, for the last of them."""
    for way in WAYS:
        command = [*compiler, *PLAIN_FLAGS.split(), *way.split(), "-o", str(out), str(SOURCE), "-lm"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMPILER_TIMEOUT_S, check=False)
        if done.returncode == 0:
            return
    raise subprocess.CalledProcessError(done.returncode, compiler, stderr=done.stderr)


def failure_reason(error: Exception) -> str:
    """In one line."""
    if isinstance(error, FileNotFoundError):
        return f"there is no C compiler called {error.filename}"
    said = getattr(error, "stderr", None) or str(error)
    lines = [line for line in str(said).splitlines() if line.strip()]
    return f"the C compiler says: {lines[-1].strip()}" if isinstance(error, subprocess.SubprocessError) else lines[-1]
