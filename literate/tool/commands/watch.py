"""Tangle again whenever the document is saved.

Ctrl-C ends it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time

from literate.core.children import Child
from literate.core.diagnostics import DocumentError, Problem
from literate.tool.command_line import (
    Parser,
    UsageError,
    output_folder,
    planned,
    shown,
)
from literate.tool.outputs import OutputError, alone

INTERVAL = 0.01  # seconds between two looks at the document
SETTLED = 0.015  # seconds that a document must have been left alone
PATIENCE = 0.5  # seconds for which a document may be missing, or empty, in a save

Stamp = tuple[int, int, int, int]  # what tells a file from what it was before


def main(path: str, arguments: list[str]) -> int:
    """Watch a document until Ctrl-C, SIGTERM or SIGHUP; return the exit status.

    Raises UsageError.
    """
    options = _parser().parse_args(arguments)
    if not os.path.exists(path):
        raise UsageError(f"{path}: no such document to watch")
    received: list[int] = []  # signals, which do not break into what is being done
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda n, _: received.append(n))
    watcher = Watcher(path, options.out, _Commands(path, options))
    try:
        while not received:
            watcher.look()
            time.sleep(INTERVAL)
    finally:
        watcher.commands.stop()
    return 128 + received[0]


def _parser() -> Parser:
    parser = Parser("watch", __doc__)
    add = parser.add_argument
    parser.add_out()
    add("--verify", action="store_true", help="verify after each success")
    add("--lint", action="store_true", help="lint after each success")
    add(
        "--then",
        metavar="COMMAND",
        help="run a command after each success; what is still running when the next "
        "one is due is stopped",
    )
    return parser


class Watcher:
    """A document as it was when last seen, and what was said about it."""

    def __init__(self, path: str, out: str | None, commands: _Commands) -> None:
        self.path = path
        self.out = out
        self.commands = commands
        self.done: Stamp | None = None  # what was dealt with
        self.seen: Stamp | None = None
        self.since = 0.0  # when it was seen first
        self.problems: list[Problem] = []
        self.message = ""  # that the outputs cannot be written, or the document read

    def look(self) -> None:
        """Tangle if the document was saved, and has been left alone since."""
        self.commands.look()
        stamp = _stamp(self.path)
        now = time.monotonic()
        if stamp != self.seen:
            self.seen, self.since = stamp, now
        if stamp == self.done:
            return
        unfinished = stamp is None or stamp[1] == 0
        if now - self.since >= (PATIENCE if unfinished else SETTLED):
            self.done = stamp
            self._tangle()

    def _tangle(self) -> None:
        """Tangle once; say what came, what went, and what was written."""
        start = time.perf_counter()
        try:
            done = self._write()
        except DocumentError as error:
            self._report(error.problems, "")
        except (OutputError, UsageError) as error:
            self._report([], str(error))
        else:
            self._report([], "")
            took = (time.perf_counter() - start) * 1000
            done = done or [f"{shown(self.path)}: nothing to be written"]
            _say(f"{', '.join(done)} ({took:.0f} ms)")
            self.commands.start()

    def _write(self) -> list[str]:
        with alone(output_folder(self.path, self.out)):
            plan = planned(self.path, self.out)
            plan.refuse_edits()
            return plan.apply()

    def _report(self, problems: list[Problem], message: str) -> None:
        """Say which problems there are now, and which are gone."""
        now = [_what(problem) for problem in problems]
        same = message == self.message and problems == self.problems
        if same and (problems or message):
            return
        _say(f"{time.strftime('%H:%M:%S')} {shown(self.path)}")
        for problem in self.problems:
            if _what(problem) not in now:
                _say(f"{problem.file}:{problem.line}: mended: {problem.message}")
        for problem in problems:
            _say(problem.render())
        if message:
            _say(message)
        count = len(problems) + bool(message)
        if count:
            _say(f"{count} problem{'s' * (count > 1)}")
        self.problems, self.message = problems, message


class _Commands:
    """What is run after each success, one command after the other."""

    def __init__(self, path: str, options: argparse.Namespace) -> None:
        ours = [sys.executable, sys.argv[0], path]
        self.wanted: list[str | list[str]] = []
        self.wanted += [[*ours, "verify"]] if options.verify else []
        self.wanted += [[*ours, "lint"]] if options.lint else []
        self.wanted += [options.then] if options.then else []
        self.waiting: list[str | list[str]] = []
        self.running: Child | None = None

    def start(self) -> None:
        """Run the commands from the first on; what is still running is stopped."""
        self.stop()
        self.waiting = list(self.wanted)

    def look(self) -> None:
        """Start the next command if the one before has ended."""
        status = self.running.poll() if self.running else 0
        if status:
            words = self.running.args
            said = words if isinstance(words, str) else words[-1]
            _say(f"{said}: ended with exit status {status}")
        if status is not None:
            self._end()
            self.running = self._start(self.waiting.pop(0)) if self.waiting else None

    def _start(self, command: str | list[str]) -> Child:
        return Child(command, shell=isinstance(command, str))

    def stop(self) -> None:
        """End the command that is running, and what it started."""
        self.waiting = []
        self._end()

    def _end(self) -> None:
        if self.running:
            self.running.end(PATIENCE)
        self.running = None


def _what(problem: Problem) -> tuple[str, str]:
    """Return what a problem is, wherever its line has moved."""
    return problem.message, problem.source


def _stamp(path: str) -> Stamp | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev


def _say(text: str) -> None:
    print(text, flush=True)
