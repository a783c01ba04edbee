"""The sessions and transcripts of a document: run them, compare what they print.

A `pycon` block is a session with Python, in the form that doctest reads; a `console`
block is a transcript of commands, each after `$ `. An example prints exactly what is
shown, unless a comment in it says otherwise, as in doctest: `# doctest: +ELLIPSIS`,
`+NORMALIZE_WHITESPACE`, `+SKIP`, and `+NUMBER`, which compares numbers only as
precisely as they are written.
"""

from __future__ import annotations

import contextlib
import doctest
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from difflib import ndiff
from pathlib import Path

from literate.core.diagnostics import Problem
from literate.core.document import Document, Example
from literate.core.programs import tangle

HOME = Path(__file__).resolve().parents[2]
LIMIT = 1_000_000  # bytes that one command may print
TIMEOUT = 60.0  # seconds that one session may take
_SHOWN = 24  # lines of a difference that a message shows

NUMBER = doctest.register_optionflag("NUMBER")
_DIRECTIVE = r"[ \t]*#[ \t]*doctest:[ \t]*([^\n'\"]*)$"
_COMMAND = re.compile(r"\$ (.*)")
_PYTHON = re.compile(r"(^|[|&;(]\s*)python3?(?= |$)")
_DECIMAL = re.compile(r"[+-]?(?:\d+\.\d*|\.\d+|\d+(?=e))(?:e[+-]?\d+)?", re.IGNORECASE)


class Promise:
    """An example of a session: what is typed, and what it is shown to print.

    `index` is the place of its first line in the document, from 0; `source` takes
    `typed` lines, and `wanted`, with its `wanted_error`, takes `shown` lines.
    """

    def __init__(self, index: int, source: str, wanted: str, typed: int) -> None:
        self.index = index
        self.source = source
        self.wanted = wanted
        self.typed = typed
        self.shown = wanted.count("\n")
        self.wanted_error: str | None = None
        self.flags = 0


class Session:
    """A block of examples: its `kind`, `pycon` or `console`, its `line` and chapter."""

    def __init__(self, kind: str, example: Example) -> None:
        self.kind = kind
        self.line = example.line
        self.chapter = example.chapter
        self.promises: list[Promise] = []

    @property
    def name(self) -> str:
        """What a report or a test calls the session."""
        chapter = self.chapter.text if self.chapter else "before the first chapter"
        return f"{chapter}, line {self.line}"


class Result:
    """What became of a promise: the `problem`, None if it is kept.

    `printed` is what the document should show in its place; None if there is nothing
    that could be put there.
    """

    def __init__(
        self, promise: Promise, problem: Problem | None, printed: str | None = None
    ) -> None:
        self.promise = promise
        self.problem = problem
        self.printed = printed


def find_sessions(document: Document) -> tuple[list[Session], list[Problem]]:
    """Return a document's sessions, and what is wrong in how they are written."""
    sessions, problems = [], []
    for example in document.examples:
        kind = (example.info.lower().split() or [""])[0]
        if kind in ("pycon", "console"):
            session = Session(kind, example)
            read = _read_pycon if kind == "pycon" else _read_console
            problems += read(document, session, example.lines)
            sessions.append(session)
    return sessions, problems


def _read_pycon(
    document: Document, session: Session, lines: list[str]
) -> list[Problem]:
    text = "".join(line.rstrip("\r\n") + "\n" for line in lines)
    try:
        examples = doctest.DocTestParser().get_examples(text, document.name)
    except ValueError as error:
        number = re.match(r"line (\d+) ", str(error))
        index = session.line + int(number[1]) - 1 if number else session.line
        message = re.sub(r"^line \d+ of the docstring for \S+ ", "", str(error))
        return [document.problem(index, 0, 1, f"not a session: {message}")]
    problems = []
    read_to = 0
    for example in examples:
        problems += _stray(document, session, lines, read_to, example.lineno)
        typed = _typed_lines(lines, example)
        promise = Promise(
            session.line + example.lineno, example.source, example.want, typed
        )
        promise.wanted_error = example.exc_msg
        promise.flags = sum(flag for flag, on in example.options.items() if on)
        session.promises.append(promise)
        read_to = example.lineno + typed + promise.shown
    return problems + _stray(document, session, lines, read_to, len(lines))


def _typed_lines(lines: list[str], example: doctest.Example) -> int:
    """Return how many lines an example's source takes, a last bare ... included."""
    typed = example.source.count("\n")
    last = example.lineno + typed
    if last < len(lines) and lines[last].strip() == "...":
        typed += 1
    return typed


def _stray(
    document: Document, session: Session, lines: list[str], start: int, end: int
) -> list[Problem]:
    """Return a problem for the first line that belongs to no example."""
    for number in range(start, end):
        if lines[number].strip():
            message = "this line belongs to no example, so nothing compares it"
            hint = "show a blank line of output as <BLANKLINE>"
            index = session.line + number
            return [document.problem(index, 0, 1, message, hint)]
    return []


def _read_console(
    document: Document, session: Session, lines: list[str]
) -> list[Problem]:
    number = 0
    while number < len(lines):
        start, match = number, _COMMAND.match(lines[number])
        if not match:
            message = "a transcript begins with a command, after $ and a space"
            return [document.problem(session.line + number, 0, 1, message)]
        command = match[1].rstrip("\r\n")
        number += 1
        while command.endswith("\\") and number < len(lines):
            command = command[:-1] + lines[number].strip().removeprefix("> ")
            number += 1
        typed = number - start
        while number < len(lines) and not _COMMAND.match(lines[number]):
            number += 1
        shown = lines[start + typed : number]
        wanted = "".join(line.rstrip("\r\n") + "\n" for line in shown)
        directive = re.search(_DIRECTIVE, command)
        source = command[: directive.start()] if directive else command
        promise = Promise(session.line + start, source, wanted, typed)
        for option in re.findall(r"\+(\w+)", directive[1] if directive else ""):
            promise.flags |= doctest.OPTIONFLAGS_BY_NAME.get(option, 0)
        session.promises.append(promise)
    return []


class Bench:
    """Where sessions are run: a folder that holds what the document says now.

    A context manager; the folder lives as long as it does. Sessions of Python start in
    `build/`, commands in the folder above, where the tangler is as well.
    """

    def __init__(self, document: Document, timeout: float = TIMEOUT) -> None:
        """Find the sessions; `problems` says what is wrong in how they are written.

        Raises DocumentError if the document cannot be tangled.
        """
        self.document = document
        self.timeout = timeout
        self.outputs = {output.path: output for output in tangle(document)}
        self.sessions, self.problems = find_sessions(document)
        self._results: dict[int, list[Result]] = {}

    def __enter__(self) -> Bench:
        self._place = tempfile.TemporaryDirectory(
            prefix="verify-", ignore_cleanup_errors=True
        )
        self.folder = Path(os.path.realpath(self._place.name))
        for output in self.outputs.values():
            file = self.folder / output.path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(output.text.encode())
        (self.folder / "build").mkdir(exist_ok=True)
        return self

    def __exit__(self, *exception: object) -> None:
        self._place.cleanup()

    def results(self, session: Session) -> list[Result]:
        """Return what became of each promise of a session.

        The chapter's earlier sessions are run before it, each once.
        """
        if session.line not in self._results:
            if session.kind == "console":
                self._run_commands(session)
            else:
                self._run_chapter(session)
        return self._results[session.line]

    # Sessions with Python

    def _run_chapter(self, session: Session) -> None:
        chapter = [
            other
            for other in self.sessions
            if other.kind == "pycon" and other.chapter is session.chapter
        ]
        task = {
            "filename": self.document.name,
            "sessions": [
                [{"line": p.index + 1, "source": p.source} for p in _run_of(other)]
                for other in chapter
            ],
        }
        with _Child(task, self.folder / "build") as child:
            failure = ""
            for other in chapter:
                results = self._results[other.line] = []
                child.start_clock(self.timeout)
                for promise in _run_of(other):
                    report = None if failure else child.next_report()
                    if report is None:
                        problem = self._lost(promise, failure or child.failure())
                        results.append(Result(promise, problem))
                        failure = "not run: an earlier example ended the interpreter"
                    else:
                        results.append(self._judge(promise, report))

    def _lost(self, promise: Promise, message: str) -> Problem:
        line = self.document.lines[promise.index].rstrip()
        return self.document.problem(promise.index, 0, len(line), message)

    def _judge(self, promise: Promise, report: dict) -> Result:
        """Compare what an example did with what is shown."""
        if report["limit"]:
            message = f"prints more than {LIMIT:,} characters"
            return Result(promise, self._lost(promise, message))
        printed = _ended(report["out"])
        error = report["error"]
        if error is not None and promise.wanted_error is None:
            problem = self._lost(promise, f"ends with {error.strip()}")
            detail = self._mapped(report["traceback"])
            hint = "if it is meant to, show the traceback under it"
            return Result(promise, replace(problem, detail=detail, hint=hint))
        if is_kept(promise, printed, error):
            return Result(promise, None)
        if error is not None:
            shown = "Traceback (most recent call last):\n  ...\n" + _ended(error)
            return self._different(promise, shown)
        blank = re.sub(r"(?m)^[ \t]*$(?=\n)", "<BLANKLINE>", printed)
        return self._different(promise, blank)

    def _different(self, promise: Promise, printed: str) -> Result:
        """Return a result that shows where output and document first differ."""
        wanted = promise.wanted.splitlines()
        got = printed.splitlines()
        number = next(
            (n for n, pair in enumerate(zip(wanted, got)) if pair[0] != pair[1]),
            min(len(wanted), len(got)),
        )
        if number < len(wanted):
            message = "not what the example prints"
            index = promise.index + promise.typed + number
        else:
            message = "prints more than is shown"
            index = promise.index + promise.typed + number - 1
        source = self.document.lines[index].rstrip("\r\n")
        column, length = 0, len(source)
        if number < len(wanted) and number < len(got):
            column = len(source) - len(wanted[number])
            same = _equal_start(wanted[number], got[number])
            column, length = column + same, len(wanted[number]) - same
        problem = self.document.problem(index, column, max(1, length), message)
        lines = [
            line.rstrip("\n") for line in ndiff(wanted, got) if not line.startswith("?")
        ]
        if len(lines) > _SHOWN:
            lines = [*lines[:_SHOWN], f"... and {len(lines) - _SHOWN:,} lines more"]
        detail = "\n".join(["- shown, + printed:", *(f"  {line}" for line in lines)])
        return Result(promise, replace(problem, detail=detail), printed)

    def _mapped(self, text: str) -> str:
        """Return a traceback in which the program's lines are the document's."""

        def place(match: re.Match[str]) -> str:
            output = self.outputs.get(f"build/{match[1]}")
            if output is None:
                return match[0]
            origin = output.origin(int(match[2]))
            return f'File "{self.document.name}", line {origin.line}'

        folder = re.escape(str(self.folder / "build") + os.sep)
        return re.sub(rf'File "{folder}([^"]*)", line (\d+)', place, text)

    # Transcripts

    def _run_commands(self, session: Session) -> None:
        self._bring_tangler()
        results = self._results[session.line] = []
        for promise in _run_of(session):
            printed, failure = _run_command(promise.source, self.folder, self.timeout)
            if failure:
                results.append(Result(promise, self._lost(promise, failure)))
            elif _agree(promise.wanted, printed, promise.flags):
                results.append(Result(promise, None))
            else:
                results.append(self._different(promise, printed))

    def _bring_tangler(self) -> None:
        """Copy the tangler and the document beside the build, unless they are there."""
        document = self.folder / Path(self.document.name).name
        if document.exists():
            return
        document.write_bytes("".join(self.document.lines).encode())
        shutil.copy(HOME / "tangle.py", self.folder)
        shutil.copytree(
            HOME / "literate",
            self.folder / "literate",
            ignore=shutil.ignore_patterns("__pycache__"),
        )


class _Child:
    """An interpreter in a process of its own, and its reports as they come."""

    def __init__(self, task: dict, folder: Path) -> None:
        self.task = task
        self.folder = folder
        self.reports: queue.Queue[bytes] = queue.Queue()
        self.timeout = TIMEOUT
        self.late = False

    def __enter__(self) -> _Child:
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [sys.executable, str(HOME / "literate" / "core" / "interpreter.py")],
            cwd=self.folder,
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            start_new_session=os.name != "nt",
        )
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(self.task).encode())
            self.process.stdin.close()
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()
        return self

    def __exit__(self, *exception: object) -> None:
        _kill(self.process)
        self.listener.join(1)  # longer only if a grandchild got away with the pipe
        if not self.listener.is_alive():
            self.process.stdout.close()
        self.errors.close()

    def _listen(self) -> None:
        with contextlib.suppress(ValueError, OSError):
            for line in self.process.stdout:
                self.reports.put(line)
        self.reports.put(b"")

    def start_clock(self, timeout: float) -> None:
        """Begin a session, which has `timeout` seconds."""
        self.timeout = timeout
        self.end = time.monotonic() + timeout

    def next_report(self) -> dict | None:
        """Return the next example's report; None if there will be none."""
        try:
            line = self.reports.get(timeout=max(0.001, self.end - time.monotonic()))
        except queue.Empty:
            self.late = True
            _kill(self.process)
            return None
        return json.loads(line) if line.endswith(b"\n") else None

    def failure(self) -> str:
        """Say why there is no report."""
        if self.late:
            return f"still running after {self.timeout:g} seconds; it was stopped"
        status = self.process.wait()
        return f"ended the interpreter, {_status(status)}{self._last_words()}"

    def _last_words(self) -> str:
        self.errors.seek(0)
        words = self.errors.read(LIMIT).decode("utf-8", "replace").split("\n")
        said = [line for line in words if line.strip()]
        return f": {said[-1]}" if said else ""


def _run_command(command: str, folder: Path, timeout: float) -> tuple[str, str]:
    """Return what a command prints, and what went wrong in running it."""
    command = _PYTHON.sub(lambda match: match[1] + _quoted(sys.executable), command)
    process = subprocess.Popen(
        command,
        shell=True,
        cwd=folder,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=os.name != "nt",
    )
    late = threading.Event()

    def stop() -> None:
        late.set()
        _kill(process)

    clock = threading.Timer(timeout, stop)
    clock.start()
    try:
        printed = process.stdout.read(LIMIT + 1)
        if len(printed) > LIMIT:
            return "", f"prints more than {LIMIT:,} bytes; it was stopped"
        process.wait()
    finally:
        clock.cancel()
        _kill(process)
        process.stdout.close()
    if late.is_set():
        return "", f"still running after {timeout:g} seconds; it was stopped"
    text = printed.decode("utf-8", "replace").replace("\r\n", "\n")
    return _ended(text), ""


def _run_of(session: Session) -> list[Promise]:
    """Return the promises of a session that are to be run."""
    return [p for p in session.promises if not p.flags & doctest.SKIP]


def is_kept(promise: Promise, printed: str, error: str | None) -> bool:
    """Tell whether an example did what is shown for it.

    `error` is how the exception that ended it presents itself; None if none did.
    """
    if error is None or promise.wanted_error is None:
        is_meant = error is None and promise.wanted_error is None
        return is_meant and _agree(promise.wanted, printed, promise.flags)
    return _agree(promise.wanted_error, error, promise.flags)


def _agree(wanted: str, printed: str, flags: int) -> bool:
    """Tell whether what is printed is what is shown."""
    if flags & NUMBER:
        printed = _as_precise(wanted, printed)
    return doctest.OutputChecker().check_output(_ended(wanted), _ended(printed), flags)


def _as_precise(wanted: str, printed: str) -> str:
    """Return the output with the document's numbers for those as good as equal."""
    shown, got = _DECIMAL.findall(wanted), list(_DECIMAL.finditer(printed))
    if len(shown) != len(got):
        return printed
    for text, match in reversed([*zip(shown, got)]):
        mantissa, _, exponent = text.lower().partition("e")
        places = len(mantissa.partition(".")[2]) - int(exponent or 0)
        if abs(float(text) - float(match[0])) <= 10.0**-places:
            printed = printed[: match.start()] + text + printed[match.end() :]
    return printed


def _equal_start(one: str, other: str) -> int:
    """Return how many characters two different lines begin with alike."""
    pairs = enumerate(zip(one, other))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _quoted(path: str) -> str:
    return f'"{path}"' if " " in path else path


def _environment() -> dict[str, str]:
    """Return surroundings in which a program prints the same for everybody."""
    return {
        **os.environ,
        "PYTHONIOENCODING": "utf-8",
        "PYTHON_COLORS": "0",
        "NO_COLOR": "1",
        "COLUMNS": "80",
        "TERM": "dumb",
    }


def _status(status: int) -> str:
    if status >= 0:
        return f"with exit status {status}"
    try:
        return f"by {signal.Signals(-status).name}"
    except ValueError:
        return f"by signal {-status}"


def _kill(process: subprocess.Popen) -> None:
    """End a process that we started, and what it started."""
    with contextlib.suppress(OSError):
        if os.name != "nt":
            os.killpg(process.pid, signal.SIGKILL)
        elif process.poll() is None:
            process.kill()
    process.wait()
