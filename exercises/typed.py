"""Code that a reader has typed: run as if typed into Python, and kept from harm.

Such code may end by an error, by printing too much, by leaving, or by wanting more
memory than there is. Whatever it does, what runs it goes on.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
import json
import linecache
import math
import os
import random
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

LIMIT = 20_000  # characters that typed code may print
ENDINGS = {
    "flood": f"Ended here: more than {LIMIT:,} characters were printed.",
    "exit": "Ended here: the code asked Python to exit.",
    "memory": "Ended here: there is not enough memory for this. What was stored is "
    "forgotten; the next run begins afresh.",
}

UNPRINTABLE = "an error that cannot be printed"

_listeners: list[Callable[[str], object]] = []  # they hear what live code prints


def listen(tell: Callable[[str], object]) -> None:
    """Let `tell` have each line that live code prints, as soon as it is printed."""
    _listeners.append(tell)


def tell(text: str) -> None:
    """Tell those who listen."""
    for listener in _listeners:
        listener(text)


# Modules that typed code shares with those who run it: what it changes in them is
# undone afterwards.
SHARED = (builtins, json, math, os, random, sys)


class TypedCode:
    """A text to be run with a program.

    `output` is what it printed, and `ending` how it ended: None at the end of
    the text, "error", or a key of ENDINGS.
    """

    def __init__(
        self, text: str, name: str, program: ModuleType, is_live: bool = False
    ) -> None:
        """Take a text; tracebacks call it `name`, and `program` is its microgpt.

        Those who `listen` hear at once what it prints if it `is_live`.
        """
        self.text = text
        self.name = name
        self.program = program
        self.ending: str | None = None
        self.screen = Screen(is_live)

    @property
    def output(self) -> str:
        return self.screen.shown()

    def run(self, names: dict) -> None:
        """Run the text up to its first error."""
        with confined(self.program, self.screen):
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
        for statement in self._statements():
            start = len(self.output)
            error = self._do(statement, names)
            yield self.output[start:], error
            if self.ending not in (None, "error"):
                return

    def _statements(self) -> list[ast.Interactive] | list[str]:
        """Return the statements; the whole text if Python cannot read it."""
        try:
            return _together(ast.parse(self.text, self.name).body)
        except Exception:  # it is raised again where the text is run
            return [self.text]

    def _do(self, statement: ast.Interactive | str, names: dict) -> str | None:
        """Run a statement, set `ending`, and return the last line of its error."""
        self.ending, error = None, None
        own, before = vars(builtins), vars(builtins).copy()
        try:
            mode = "exec" if isinstance(statement, str) else "single"
            code = compile(statement, self.name, mode, dont_inherit=True)
            try:
                exec(code, names)
            finally:
                own.update(before)  # what follows needs them
        except Flood:
            self.ending = "flood"
        except SystemExit:
            self.ending = "exit"
        except MemoryError:
            names.clear()
            self.ending = "memory"
        except BaseException as fault:
            self.ending = "error"
            error = last_line(fault)
            self.screen.add(_traceback(fault, _home(self.program)))
        if self.ending in ENDINGS:
            self.screen.add(ENDINGS[self.ending])
        return error


class Flood(BaseException):
    """More was printed than anybody will read."""


class Screen(io.StringIO):
    """What is printed, as long as it is not too much.

    It is kept apart from the stream, which code can wind back, close or write to.
    Of a live one, those who `listen` hear while it goes on.
    """

    def __init__(self, is_live: bool = False) -> None:
        super().__init__()
        self._shown = ""
        self._told = 0 if is_live else math.inf  # characters that listeners have heard

    def shown(self) -> str:
        """Return what was printed, and the messages."""
        return self._shown

    def write(self, text: str) -> int:
        super().write(text)  # it refuses what is no text
        self.seek(0)
        self.truncate()
        room = max(0, LIMIT - len(self._shown))
        self._shown += text[:room]
        self._tell()
        if len(text) > room:
            raise Flood
        return len(text)

    def _tell(self) -> None:
        end = self._shown.rfind("\n") + 1
        if end > self._told:
            tell(self._shown[self._told : end])
            self._told = end

    def add(self, message: str) -> None:
        """Add a message, on a line of its own; of a long one, its two ends."""
        if len(message) > LIMIT:
            message = f"{message[: LIMIT // 2]}\n…\n{message[-LIMIT // 2 :]}"
        is_inside = self._shown[-1:] not in ("", "\n")
        self._shown += "\n" * is_inside + message.rstrip("\n") + "\n"


@contextlib.contextmanager
def confined(program: ModuleType, screen: Screen) -> Iterator[None]:
    """Let code import `program` as microgpt and print to `screen`, beside the names.

    The program of those who run it stays out of its reach.
    """
    folder, change = os.getcwd(), os.chdir
    streams = sys.stdin, sys.stdout, sys.stderr
    modules = sys.modules.copy()
    kept = [(vars(module), vars(module).copy()) for module in SHARED]
    sys.modules["microgpt"] = program
    sys.stdin, sys.stdout, sys.stderr = _NoKeys(), screen, screen
    os.chdir(_desk(_home(program)))
    os._exit = sys.exit
    try:
        yield
    finally:
        for own, before in kept:
            own.update(before)
        sys.modules.update(modules)
        sys.stdin, sys.stdout, sys.stderr = streams
        change(folder)


def _home(program: ModuleType) -> Path:
    """Return the folder that has the program's files."""
    return Path(program.__file__).parent


def _desk(home: Path) -> Path:
    """Return the folder that code is run in: what is in build/ is there, afresh."""
    desk = home / "desk"
    desk.mkdir(exist_ok=True)
    for name in ("microgpt.py", "names.txt"):
        shutil.copyfile(home / name, desk / name)
    return desk


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


def last_line(error: BaseException) -> str:
    """Return the last line of a traceback, which says what is wrong."""
    try:
        return traceback.format_exception_only(type(error), error)[-1]
    except BaseException:  # the error is the reader's own, and so is its text
        return UNPRINTABLE


def _traceback(error: BaseException, home: Path) -> str:
    """Return a traceback without the frames of this module."""
    try:
        whole = traceback.TracebackException.from_exception(error)
        whole.stack[:] = [frame for frame in whole.stack if frame.filename != __file__]
        lines = whole.format() if whole.stack else whole.format_exception_only()
        return "".join(lines).replace(f"{home}{os.sep}", "")
    except (MemoryError, RecursionError):
        raise
    except BaseException:  # the error is the reader's own, and so is its text
        return UNPRINTABLE
