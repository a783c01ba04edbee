"""Tangle again whenever a document is saved.

usage: python tangle.py [DOCUMENT.md] watch [--then COMMAND] [--out DIR]

  --then COMMAND   run a command after each time that the document could be tangled; if
                   it is still running when the next one is due, it is stopped
  --out DIR        write into DIR in the place of build/

Ctrl-C ends it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import time

from literate.core.diagnostics import DocumentError, Problem
from literate.core.programs import check_syntax
from literate.tool.command_line import (
    Options,
    UsageError,
    no_others,
    output_folder,
    parse_options,
    read_document,
    shown,
)
from literate.tool.forms import outputs_and_forms
from literate.tool.outputs import OutputError, Plan, alone

INTERVAL = 0.01  # seconds between two looks at the document
SETTLED = 0.015  # seconds that a document must have been left alone
PATIENCE = 0.5  # seconds for which a document may be missing, or empty, in a save

Stamp = tuple[int, int, int, int]  # what tells a file from what it was before


def main(path: str, arguments: list[str]) -> int:
    """Watch a document until Ctrl-C; return 130. Raises UsageError."""
    options = parse_options(arguments, __doc__, then=None, out=None)
    no_others(options, "watch")
    if not os.path.exists(path):
        raise UsageError(f"{path}: no such document to watch")
    watcher = Watcher(path, options)
    gc.enable()
    try:
        while True:
            watcher.look()
            time.sleep(INTERVAL)
    finally:
        watcher.stop_command()


class Watcher:
    """A document as it was when last seen, and what was said about it."""

    def __init__(self, path: str, options: Options) -> None:
        self.path = path
        self.options = options
        self.done: Stamp | None = None  # what was dealt with
        self.seen: Stamp | None = None
        self.since = 0.0  # when it was seen first
        self.problems: list[Problem] = []
        self.message = ""  # that the outputs cannot be written, or the document read
        self.command: subprocess.Popen | None = None

    def look(self) -> None:
        """Tangle if the document was saved, and has been left alone since."""
        self._look_after_command()
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
            self._start_command()

    def _write(self) -> list[str]:
        with alone(os.path.dirname(self.path)):
            document = read_document(self.path)
            folder = output_folder(self.path, self.options.out)
            plan = Plan(outputs_and_forms(document), folder, shown(self.path))
            check_syntax(plan.unproven)
            edits = plan.edits()
            if edits:
                raise OutputError(edits)
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

    # The command

    def _start_command(self) -> None:
        if self.options.then:
            self.stop_command()
            self.command = subprocess.Popen(
                self.options.then, shell=True, start_new_session=os.name != "nt"
            )

    def _look_after_command(self) -> None:
        status = self.command.poll() if self.command else None
        if status is not None:
            self.command = None
            if status:
                _say(f"{self.options.then}: ended with exit status {status}")

    def stop_command(self) -> None:
        """End the command and what it started, if it is still running."""
        if self.command and self.command.poll() is None:
            with contextlib.suppress(OSError):
                if os.name == "nt":
                    self.command.terminate()
                else:
                    os.killpg(self.command.pid, signal.SIGTERM)
            self.command.wait()
        self.command = None


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
