"""Commands that are started: they end when they should, whatever they started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from literate.core.children import Child

HOME = Path(__file__).resolve().parents[2]
POSIX = pytest.mark.skipif(os.name == "nt", reason="process groups")


@POSIX
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_child_and_what_it_started_end_with_their_parent(number: int) -> None:
    command = "trap '' TERM HUP; sleep 60 & sleep 60"
    parent = subprocess.Popen(
        [
            *(sys.executable, "-c"),
            "import time; from literate.core.children import Child\n"
            f"Child({command!r}, shell=True); print('ready', flush=True)\n"
            "time.sleep(60)",
        ],
        cwd=HOME,
        stdout=subprocess.PIPE,
    )
    assert parent.stdout.readline() == b"ready\n"
    parent.send_signal(number)
    start = time.monotonic()
    parent.stdout.read()  # all who have inherited it are gone
    assert time.monotonic() - start < 10
    parent.stdout.close()
    parent.wait()


@POSIX
def test_what_a_child_started_ends_with_it() -> None:
    with Child("sleep 60 & exit 3", shell=True, stdout=subprocess.PIPE) as child:
        assert child.wait() == 3
        child.end()
        assert child.stdout.read() == b""
    assert child.returncode == 3


@POSIX
def test_a_patient_end_lets_a_child_say_goodbye() -> None:
    command = "trap 'echo bye; exit' TERM; echo hello; sleep 60 & wait"
    with Child(command, shell=True, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"hello\n"
        child.end(patience=10)
        assert child.stdout.read() == b"bye\n"


def test_an_end_does_not_wait_for_a_child_that_will_not_hear() -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready')"
    command = [sys.executable, "-uc", f"{code}; time.sleep(60)"]
    start = time.monotonic()
    with Child(command, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline().strip() == b"ready"
        child.end(patience=0.2)
    assert time.monotonic() - start < 10
