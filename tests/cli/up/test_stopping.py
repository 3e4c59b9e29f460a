"""What signals mean, in a process of its own: they are taken over for good."""

import signal
import subprocess
import sys

import pytest

CODE = """\
import os
from recthinker.cli.up.stopping import Stopping
stopping = Stopping()
for number in {numbers}:
    os.kill(os.getpid(), number)
    stopping.wait(60)
print(stopping.is_wanted, stopping.is_urgent)
"""


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ((), "False False"),
        ((signal.SIGINT,), "True False"),
        ((signal.SIGINT, signal.SIGINT), "True True"),
        ((signal.SIGTERM,), "True True"),
        ((signal.SIGHUP,), "True True"),
    ],
)
def test_the_first_ctrl_c_waits_and_all_else_does_not(numbers: tuple[signal.Signals, ...], told: str) -> None:
    code = CODE.format(numbers=[int(number) for number in numbers])
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert found.stdout.strip() == told
