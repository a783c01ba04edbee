"""Signals that a process hears, although its parent ignores them."""

import signal


def hear_signals():
    """Let a process that begins hear what tests send; nohup makes all ignore SIGHUP."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
