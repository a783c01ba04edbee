"""Run the examples of a chapter in a process of its own, as Python's doctest does.

`python interpreter.py TASK REPORTS` reads a pickled `doctest.DocTest` from the file
TASK. For each example it appends a line of JSON to the file REPORTS: whether the
example is `kept`; if not, what it `printed`, or the `message` that says what else went
wrong, and in both cases the `detail` of that.
"""

from __future__ import annotations

import builtins
import doctest
import io
import json
import os
import pickle
import re
import subprocess
import sys
import traceback
from pathlib import Path

LIMIT = 1_000_000  # characters that one example may print
DETAIL = 2_000  # characters of what is printed that a difference shows


class TooMuch(BaseException):
    """An example has printed more than anybody will read."""


class Checker(doctest.OutputChecker):
    """Compares as doctest does, whose parser writes tabs as spaces."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        """Tell whether what an example printed is what is shown."""
        return super().check_output(want, got.expandtabs(), optionflags)


class Screen(io.TextIOBase):
    """Hands on what an example prints, as long as it is not too much."""

    def __init__(self, stream: io.TextIOBase) -> None:
        self.stream = stream
        self.room = LIMIT

    def write(self, text: str) -> int:
        self.room -= len(text)
        if self.room < 0:
            raise TooMuch(f"prints more than {LIMIT:,} characters")
        return self.stream.write(text)


class Runner(doctest.DocTestRunner):
    """Runs examples as doctest does, and appends its reports to a file."""

    def __init__(self, reports: str) -> None:
        super().__init__(Checker(), verbose=False)
        self.reports = reports
        self.screen: Screen | None = None

    def report_start(self, out, test, example) -> None:
        if self.screen is None:
            self.screen = Screen(sys.stdout)
        self.screen.room = LIMIT
        sys.stdout = self.screen

    def report_success(self, out, test, example, got) -> None:
        self._report(kept=True)

    def report_failure(self, out, test, example, got) -> None:
        if example.exc_msg is not None:
            got = _without_stack(got)
        detail = Checker().output_difference(
            example, got[:DETAIL], self.optionflags | doctest.REPORT_UDIFF
        )
        self._report(kept=False, printed=got, detail=detail)

    def report_unexpected_exception(self, out, test, example, exc_info) -> None:
        kind, error, frames = exc_info
        if kind is TooMuch:
            self._report(kept=False, message=str(error), detail="")
            return
        last = traceback.format_exception_only(kind, error)[-1]
        lines = traceback.format_exception(kind, error, frames.tb_next)
        message = f"ends with {last.strip()}"
        self._report(kept=False, message=message, detail="".join(lines))

    def _report(self, **report: bool | str) -> None:
        with open(self.reports, "a", encoding="ascii") as stream:
            print(json.dumps(report), file=stream)


def _without_stack(printed: str) -> str:
    """Return the first and the last of the traceback in an output, if there is one."""
    _, first, rest = printed.rpartition("Traceback (most recent call last):\n")
    last = re.sub(r"\A([ \t].*\n)*", "", rest)
    return f"{first}  ...\n{last}" if first else printed


def shell(command: str) -> None:
    """Run a command of a transcript in the folder above, and print what it prints."""
    with subprocess.Popen(
        command,
        shell=True,
        cwd="..",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        print(process.stdout.read(LIMIT + 1), end="")


def main(task: str, reports: str) -> None:
    """Run all examples in one namespace, as if typed into one interpreter."""
    own = str(Path(__file__).parent)
    sys.path[:] = [os.getcwd(), *(folder for folder in sys.path if folder != own)]
    builtins.__shell__ = shell
    with open(task, "rb") as stream:
        test = pickle.load(stream)
    Runner(reports).run(test)


if __name__ == "__main__":
    main(*sys.argv[1:])
