"""A worker that was forked after load() answers, as servers do it that load before they fork."""

import os
import subprocess
import sys

import pytest

from tests.predictors.test_paths import saved, writer

PROGRAM = """
import os, signal, sys, time
import torch
import s2s

torch.set_num_threads(2)
run = s2s.load(sys.argv[1], device="cpu")
wanted = run.predict(["films you"])
large = torch.ones(1 << 22)
large.add(1), torch.ones(500, 500) @ torch.ones(500, 500)   # wakes every thread there is
worker = os.fork()
if worker == 0:
    large.add(1), torch.ones(500, 500) @ torch.ones(500, 500)
    os._exit(7 if run.predict(["films you"]) == wanted else 1)
for _ in range(1200):
    done, status = os.waitpid(worker, os.WNOHANG)
    if done:
        large.add(1)   # here they wake again, too
        print("the worker left with", os.waitstatus_to_exitcode(status))
        break
    time.sleep(0.05)
else:
    os.kill(worker, signal.SIGKILL)
    print("the worker hangs")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nobody forks here")
@pytest.mark.parametrize("kernels", ["0", "1"])
def test_a_worker_that_was_forked_after_loading_answers(tmp_path, kernels):
    run = saved(tmp_path / "run", writer())
    environment = os.environ | {"OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2", "S2S_NATIVE": kernels}
    command = [sys.executable, "-c", PROGRAM, str(run)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.stdout == "the worker left with 7\n", done.stderr
