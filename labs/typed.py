"""Code that a reader has typed: run as if typed into Python, and kept from harm.

Whatever it does, only it ends: by an error, by printing too much, by leaving, or by
wanting more memory than there is.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
import linecache
import os
import sys
import traceback
import types
from collections.abc import Iterator

from labs import models

LIMIT = 20_000  # characters that a code may print
ENDINGS = {
    "flood": f"Ended here: more than {LIMIT:,} characters were printed.",
    "exit": "Ended here: the code asked Python to exit.",
    "memory": "Ended here: there is not enough memory for this. What was stored is "
    "forgotten; the next run begins afresh.",
}


class Code:
    """A text to be run; `output` is what it printed, `ending` how it ended.

    `ending` is None at the end of the text, "error", or a key of ENDINGS.
    """

    def __init__(self, text: str, name: str) -> None:
        """Take a text; `name` is what tracebacks call it."""
        self.text = text
        self.name = name
        self.ending: str | None = None
        self.screen = Screen()

    @property
    def output(self) -> str:
        return self.screen.getvalue()

    def run(self, program: types.ModuleType, names: dict) -> None:
        """Run the text up to its first error."""
        with confined(program, self.screen):
            for _ in self.steps(names):
                if self.ending:
                    return

    def steps(self, names: dict) -> Iterator[tuple[str, str | None]]:
        """Run the text; yield what each statement printed, and the error it ended with.

        An error does not end the text before the caller does. Statements that share a
        line are one, as they are for Python's prompt.
        """
        lines = self.text.splitlines(keepends=True)
        linecache.cache[self.name] = (len(self.text), None, lines, self.name)
        names.setdefault("__builtins__", builtins)
        statements = [None]
        with contextlib.suppress(Exception):  # it is raised again below
            statements = _together(self._parse().body)
        for statement in statements:
            start = self.screen.tell()
            error = self._do(statement, names)
            yield self.output[start:], error
            if self.ending not in (None, "error"):
                return

    def _parse(self) -> ast.Module:
        return compile(self.text, self.name, "exec", ast.PyCF_ONLY_AST)

    def _do(self, statement: ast.Interactive | None, names: dict) -> str | None:
        """Run a statement, set `ending`, and return the last line of its error."""
        self.ending, error = None, None
        try:
            what = statement or self._parse()
            exec(compile(what, self.name, "single", dont_inherit=True), names)
        except Flood:
            self.ending = "flood"
        except SystemExit:
            self.ending = "exit"
        except MemoryError:
            names.clear()
            self.ending = "memory"
        except BaseException as fault:
            self.ending = "error"
            error = traceback.format_exception_only(type(fault), fault)[-1]
            self.screen.add(_traceback(fault))
        if self.ending in ENDINGS:
            self.screen.add(ENDINGS[self.ending])
        return error


class Flood(BaseException):
    """More was printed than anybody will read."""


class Screen(io.StringIO):
    """What is printed, as long as it is not too much."""

    def write(self, text: str) -> int:
        room = LIMIT - self.tell()
        super().write(text[: max(0, room)])
        if len(text) > room:
            raise Flood
        return len(text)

    def add(self, message: str) -> None:
        """Add a message, on a line of its own; of a long one, its two ends."""
        if len(message) > LIMIT:
            message = f"{message[: LIMIT // 2]}\n…\n{message[-LIMIT // 2 :]}"
        is_inside = self.getvalue()[-1:] not in ("", "\n")
        super().write("\n" * is_inside + message.rstrip("\n") + "\n")


@contextlib.contextmanager
def confined(program: types.ModuleType, screen: Screen) -> Iterator[None]:
    """Let code import `program` as microgpt and print to `screen`, beside the names.

    The labs' own program stays out of its reach.
    """
    folder, leave, book = os.getcwd(), os._exit, sys.modules["microgpt"]
    streams = sys.stdin, sys.stdout, sys.stderr
    sys.modules["microgpt"] = program
    sys.stdin, sys.stdout, sys.stderr = _NoKeys(), screen, screen
    os.chdir(models.HOME)
    os._exit = sys.exit
    try:
        yield
    finally:
        sys.modules["microgpt"] = book
        sys.stdin, sys.stdout, sys.stderr = streams
        os.chdir(folder)
        os._exit = leave


class _NoKeys(io.StringIO):
    """The keyboard of a page, which has none."""

    def readline(self, *_: int) -> str:
        raise EOFError("nobody can type here; write the answer into the code instead")

    read = readline


def _together(body: list[ast.stmt]) -> list[ast.Interactive]:
    """Return statements as they are run: those that share a line together."""
    groups: list[list[ast.stmt]] = []
    for node in body:
        if groups and node.lineno <= groups[-1][-1].end_lineno:
            groups[-1].append(node)
        else:
            groups.append([node])
    return [ast.Interactive(group) for group in groups]


def _traceback(error: BaseException) -> str:
    """Return a traceback without the frames of the labs."""
    whole = traceback.TracebackException.from_exception(error)
    whole.stack[:] = [frame for frame in whole.stack if frame.filename != __file__]
    lines = whole.format() if whole.stack else whole.format_exception_only()
    return "".join(lines).replace(f"{models.HOME}{os.sep}", "")
