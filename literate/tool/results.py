"""What becomes of a document's examples when they are run."""

from __future__ import annotations

import doctest
import itertools
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from literate.core import interpreter
from literate.core.children import Child
from literate.core.diagnostics import Problem
from literate.core.document import Document
from literate.core.programs import tangle
from literate.core.sessions import CONSOLE, PYCON, Session
from literate.tool.outputs import write_into

HOME = Path(__file__).resolve().parents[2]
TIMEOUT = 60.0  # seconds that one session may take
SURROUNDINGS = {  # in which a program prints the same for everybody
    "PYTHONIOENCODING": "utf-8",
    "PYTHON_COLORS": "0",
    "NO_COLOR": "1",
    "COLUMNS": "80",
    "TERM": "dumb",
}
_BLANK = doctest.BLANKLINE_MARKER
_PYTHON_COMMAND = re.compile(r"(^|[|&;] *|-- )python3?(?= )")


@dataclass
class Result:
    """What became of an example of a session: the `problem`, None if it is kept.

    `printed` is what should be shown instead; None if the example is kept, or if there
    is nothing to be shown.
    """

    session: Session
    example: doctest.Example
    problem: Problem | None = None
    printed: str | None = None

    def lines(self) -> list[str]:
        """Return what was printed as lines of the document, without their endings."""
        lines = self.printed.split("\n")[:-1]
        if self.session.kind == CONSOLE:
            return lines
        return [
            _BLANK if line.isascii() and not line.strip() else line for line in lines
        ]


def results(
    document: Document, sessions: list[Session], timeout: float = TIMEOUT
) -> list[Result]:
    """Run sessions of a document; return what became of each example, in order.

    The sessions of a chapter share their names, and each may take `timeout` seconds.
    Sessions with Python run in the `build/` of what the document says now, and commands
    in the folder above it, where the document and the tangler are too.

    Raises DocumentError if the document cannot be tangled.
    """
    with tempfile.TemporaryDirectory(
        prefix="verify-", ignore_cleanup_errors=True
    ) as place:
        workplace = _Workplace(document, Path(place).resolve(), timeout)
        chapters = itertools.groupby(sessions, key=lambda session: session.chapter)
        return [
            result for _, chapter in chapters for result in workplace.run([*chapter])
        ]


class _Workplace:
    """A folder in which the examples of a document run."""

    def __init__(self, document: Document, place: Path, timeout: float) -> None:
        self.document = document
        self.timeout = timeout
        outputs = tangle(document)
        self.outputs = {output.path: output for output in outputs}
        self.task, self.reports = place / "task", place / "reports"
        self.folder = place / "home"
        (self.folder / "build").mkdir(parents=True)
        write_into(str(self.folder), outputs)
        text = "".join(document.lines)
        (self.folder / Path(document.name).name).write_bytes(text.encode())
        shutil.copy(HOME / "tangle.py", self.folder)
        ignored = shutil.ignore_patterns("__pycache__")
        for name in ("literate", "conformance"):
            shutil.copytree(HOME / name, self.folder / name, ignore=ignored)

    def run(self, sessions: list[Session]) -> list[Result]:
        """Run the sessions of a chapter; return what became of each example."""
        every = [Result(s, example) for s in sessions for example in _run_of(s)]
        examples = [_in_python(result) for result in every]
        names, name = {"__name__": "__main__"}, self.document.name
        test = doctest.DocTest(examples, names, name, name, 0, None)
        self.task.write_bytes(pickle.dumps(test))
        self.reports.write_bytes(b"")
        failure = self._run_task([len(_run_of(session)) for session in sessions])
        reports = self._read_reports()
        for result, report in zip(every, reports):
            if "message" in report:
                detail = self._in_document(report["detail"], examples)
                result.problem = self._at(result.example, report["message"], detail)
            elif not report["kept"]:
                result.printed = report["printed"]
                result.problem = self._different(result, report["detail"])
        for result in every[len(reports) :]:
            result.problem = self._at(result.example, failure)
            failure = "not run: an earlier example ended the interpreter"
        return every

    def _run_task(self, counts: list[int]) -> str:
        """Run the task; return why it ended too early, "" if it did not.

        `counts` are the numbers of the examples in each session.
        """
        command = [sys.executable, interpreter.__file__, self.task, self.reports]
        nowhere = dict.fromkeys(["stdin", "stdout", "stderr"], subprocess.DEVNULL)
        folder = self.folder / "build"
        with Child(
            command, cwd=folder, env=os.environ | SURROUNDINGS, **nowhere
        ) as child:
            for expected in itertools.accumulate(counts):
                end = time.monotonic() + self.timeout
                while len(self._read_reports()) < expected:
                    status = child.poll()
                    if status is not None:
                        return f"ended the interpreter, with exit status {status}"
                    if time.monotonic() > end:
                        limit = f"{self.timeout:g} seconds"
                        return f"still running after {limit}; it was stopped"
                    time.sleep(0.01)
        return ""

    def _read_reports(self) -> list[dict]:
        lines = self.reports.read_text(encoding="ascii").split("\n")
        return [json.loads(line) for line in lines[:-1]]

    def _at(self, example: doctest.Example, message: str, detail: str = "") -> Problem:
        """Return a problem at what is typed in an example."""
        source = self.document.lines[example.lineno].rstrip()
        hint = "if it is meant to, show the traceback under it" if detail else ""
        problem = self.document.problem(example.lineno, 0, len(source), message, hint)
        return replace(problem, detail=detail)

    def _different(self, result: Result, detail: str) -> Problem:
        """Return a problem where the output and the document first differ."""
        example, lines = result.example, self.document.lines
        shown = result.session.shown(example)
        wanted = [lines[n].rstrip("\r\n")[example.indent :] for n in shown]
        printed = result.lines()
        number = _same_start(wanted, printed)
        column, message = 0, "not what the example prints"
        if number == len(wanted):
            message = "prints more than is shown"
        elif number < len(printed):
            same = _same_start(wanted[number], printed[number])
            column = example.indent + same
        index = min(shown.start + number, shown.stop - 1)
        length = len(lines[index].rstrip("\r\n")) - column
        problem = self.document.problem(index, column, max(1, length), message)
        return replace(problem, detail=detail)

    def _in_document(self, text: str, examples: list[doctest.Example]) -> str:
        """Return a traceback in which sessions and programs are the document."""

        def moved(match: re.Match[str]) -> str:
            line = int(match["line"])
            if match["example"]:
                line += examples[int(match["example"])].lineno
            else:
                path = match["path"].replace(os.sep, "/")
                line = self.outputs[path].origin(line).line
            return f'File "{self.document.name}", line {line}'

        programs = "|".join(re.escape(os.path.normpath(path)) for path in self.outputs)
        program = re.escape(f"{self.folder}{os.sep}") + f"(?P<path>{programs})"
        session = r"<doctest .*?\[(?P<example>\d+)\]>"
        return re.sub(
            rf'File "(?:{program}|{session})", line (?P<line>\d+)', moved, text
        )


def _same_start(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many items two sequences begin with alike."""
    pairs = enumerate(zip(one, other))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))


def _run_of(session: Session) -> list[doctest.Example]:
    """Return the examples of a session that are to be run."""
    return [e for e in session.examples if not e.options.get(doctest.SKIP)]


def _in_python(result: Result) -> doctest.Example:
    """Return an example as the interpreter runs it, a command as a call."""
    example = result.example
    if result.session.kind == PYCON:
        return example
    python = f'"{sys.executable}"'
    command = _PYTHON_COMMAND.sub(lambda match: match[1] + python, example.source)
    return doctest.Example(f"__shell__({command!r})", example.want)
