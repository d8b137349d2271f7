"""An environment for each peer, from the package registry, in a folder that is kept.

python = environment(setting.work, "opennmt", peer.installs)
"""

import subprocess
import sys
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

# For all of them, and before their own dependencies: those may ask for one that is years old, or for another machine.
TORCH = "torch==2.13.0"


def environment(work: Path, name: str, installs: Sequence[Sequence[str]], before: Sequence[Sequence[str]] = ()) -> Path:
    """The Python of this peer's environment. `installs` are the arguments of pip, one call after the other.

    before  the same for what must be there, or be built, before torch is
    It is made again when these change. Raises RuntimeError with the end of what pip said.
    """
    folder = work / "environments" / name
    python = folder / "bin" / "python"
    steps = [("numpy", "setuptools<81", "wheel"), *before, (TORCH,), *installs]
    done = folder / f"installed-{digest(steps)}"
    if done.exists():
        return python
    print(f"making an environment for {name} (once; minutes)", file=sys.stderr, flush=True)
    call([sys.executable, "-m", "venv", "--clear", str(folder)])
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for arguments in steps:
        call([*pip, *arguments])
    done.touch()
    return python


def digest(steps: Sequence[Sequence[str]]) -> str:
    return blake2b(repr([list(step) for step in steps]).encode(), digest_size=4).hexdigest()


def call(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{(done.stdout + done.stderr)[-3000:]}")
