"""Processes that tests start: what they hear, and whether they still run."""

import signal
import subprocess


def hear_signals():
    """Let a process that begins hear what tests send; nohup makes all ignore SIGHUP."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def is_running(pid):
    """Tell whether a process runs; one that nobody waits for is only listed."""
    command = ["ps", "-o", "stat=", "-p", str(pid)]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip()[:1] not in ("", "Z")
