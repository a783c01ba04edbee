"""Run the sessions of a chapter, in a process of its own, and report what they print.

`python interpreter.py` reads one JSON object from standard input: `filename`, and
`sessions`, lists of examples with the `line` where each begins and its `source`. What
each example prints goes to standard output as one line of JSON. Nothing that a session
does can spoil these reports: standard output is taken away from it first.
"""

from __future__ import annotations

import io
import json
import linecache
import os
import sys
import traceback

LIMIT = 1_000_000  # characters that one example may print


class OutputLimit(BaseException):
    """An example has printed more than anybody will read."""


class Capture(io.StringIO):
    """What an example prints, as long as it is not too much."""

    def write(self, text: str) -> int:
        if self.tell() + len(text) > LIMIT:
            raise OutputLimit
        return super().write(text)


def main() -> None:
    """Run all sessions in one namespace, as if typed into one interpreter."""
    task = json.load(sys.stdin)
    reports = os.fdopen(os.dup(1), "w", encoding="ascii")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    sys.path[0] = os.getcwd()
    filename = task["filename"]
    _show_sources(filename, task["sessions"])
    names = {"__name__": "__main__", "__builtins__": __builtins__}
    for session in task["sessions"]:
        for example in session:
            report = _run(example["source"], example["line"], filename, names)
            print(json.dumps(report), file=reports, flush=True)


def _run(source: str, line: int, filename: str, names: dict) -> dict[str, str | None]:
    """Return what an example prints and the exception that ends it, if one does."""
    capture = Capture()
    sys.stdout, before = capture, sys.stdout
    report = {"out": "", "error": None, "traceback": "", "limit": False}
    try:
        # Blank lines first, so that positions are those of the document.
        code = compile("\n" * (line - 1) + source, filename, "single", 0, True)
        exec(code, names)
    except OutputLimit:
        report["limit"] = True
    except BaseException as error:
        shown = traceback.format_exception_only(type(error), error)
        report["error"] = shown[-1]
        own = error.__traceback__.tb_next  # without the line above
        report["traceback"] = "".join(
            traceback.format_exception(type(error), error, own)
        )
    finally:
        sys.stdout = before
    report["out"] = capture.getvalue()
    return report


def _show_sources(filename: str, sessions: list) -> None:
    """Let tracebacks and `inspect` find the lines of the sessions."""
    lines: list[str] = []
    for example in (example for session in sessions for example in session):
        lines += ["\n"] * (example["line"] - 1 - len(lines))
        lines += example["source"].splitlines(keepends=True)
    linecache.cache[filename] = (1, None, lines, filename)


if __name__ == "__main__":
    main()
