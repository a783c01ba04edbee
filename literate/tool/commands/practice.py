"""Write the program yourself: a file for each task, and marks for what is in it.

Without an action, practice/ is made beside the document, with a file for each task in
which the functions have no bodies yet. What you wrote is never overwritten.

  check [TASK]         mark a task, or all that you have begun
  watch                mark a task whenever its file is saved
  hint TASK [NUMBER]   show a hint, the first if no other is asked for
  solution TASK        show the book's chunk
  run [ARGUMENTS]      put your functions into the book's program, and run it

A TASK is its name or its number. A check ends after 10 seconds. `run` leaves the whole
program in practice/microgpt.py; its arguments are those of the program.
"""

from __future__ import annotations

import ast
import multiprocessing
import os
import runpy
import sys
import textwrap
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from exercises import judging, tasks
from exercises.edits import EditedBook, Mistake
from literate.core.diagnostics import did_you_mean
from literate.core.document import Document
from literate.core.programs import tangle
from literate.tool.command_line import Parser, UsageError, read_document, shown

FOLDER = "practice"
TIME = 10  # seconds that a check may take
INTERVAL = 0.2  # seconds between two looks at the files


def main(path: str, arguments: list[str]) -> int:
    """Make the files, or do what is asked with them; return the exit status.

    Raises UsageError and DocumentError.
    """
    parser = Parser("practice", __doc__)
    parser.add_argument("action", nargs="?", choices=_ACTIONS, metavar="ACTION")
    parser.add_argument("rest", nargs="...", help="what the action is for")
    options = parser.parse_args(arguments)
    action = _ACTIONS[options.action] if options.action else _make
    return action(Practice(path), *options.rest)


class Practice:
    """The tasks of a document, and the reader's files for them."""

    def __init__(self, path: str) -> None:
        self.document = read_document(path)
        tangle(self.document)
        self.names = judging.path(self.document)
        self.folder = Path(shown(path)).parent / FOLDER

    def file(self, name: str) -> Path:
        """Return the file of a task."""
        number = self.names.index(name) + 1
        return self.folder / f"{number:02d}_{name.replace('-', '_')}.py"

    def start(self, name: str) -> str:
        """Return what the file of a task begins with."""
        told = tasks.words(self.document, name)
        head = [
            f"Task {self.names.index(name) + 1} of {len(self.names)}: {name}",
            "",
            *textwrap.wrap(told.text, judging.WIDTH, break_on_hyphens=False),
            "",
            f"The book explains it before line {told.line} of {self.document.name}.",
            f"python tangle.py practice check {name}",
            f"python tangle.py practice hint {name}",
        ]
        comment = "".join(f"# {line}".rstrip() + "\n" for line in head)
        code = judging.start(judging.find(name), self.document)
        return f"{comment}\n{code}"

    def text(self, name: str) -> str | None:
        """Return what the reader wrote; None if nothing is written yet."""
        file = self.file(name)
        try:
            text = file.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{file} cannot be read: {error}") from None
        start = judging.start(judging.find(name), self.document)
        return None if _code(text) == _code(start) else text

    def begun(self) -> dict[str, str]:
        """Return what the reader wrote, by task."""
        texts = {name: self.text(name) for name in self.names}
        return {name: text for name, text in texts.items() if text is not None}

    def find(self, words: Sequence[str]) -> str:
        """Return the task that is meant; raises UsageError if none is."""
        if not words:
            raise UsageError("which task? Name it, or give its number")
        word = words[0]
        if word.isdecimal() and 1 <= int(word) <= len(self.names):
            return self.names[int(word) - 1]
        for name in self.names:
            if word in (name, self.file(name).name, str(self.file(name))):
                return name
        hint = did_you_mean(word, self.names)
        raise UsageError(f'there is no task "{word}"', hint)

    def mark(self, name: str, text: str) -> bool:
        """Mark an answer and say how it did; return whether it is right."""
        found = _judged(self.document, name, text)
        print(f"{self.file(name)}: {judging.report(found)}", flush=True)
        return found["passed"]


def _make(practice: Practice) -> int:
    made = 0
    try:
        practice.folder.mkdir(exist_ok=True)
        for name in practice.names:
            file = practice.file(name)
            if not file.exists():
                _write(file, practice.start(name))
                made += 1
    except OSError as error:
        raise UsageError(f"{practice.folder} cannot be written: {error}") from None
    print(f"{practice.folder}: {made} files made, {len(practice.names)} tasks")
    _tell_next(practice, [])
    return 0


def _check(practice: Practice, *words: str) -> int:
    if words:
        name = practice.find(words)
        text = practice.text(name)
        if text is None:
            raise UsageError(f"{practice.file(name)} has not been begun")
        return 0 if practice.mark(name, text) else 1
    begun = practice.begun()
    right = [name for name, text in begun.items() if practice.mark(name, text)]
    _tell_next(practice, right)
    return 0 if len(right) == len(begun) else 1


def _watch(practice: Practice) -> int:
    seen = {name: practice.text(name) for name in practice.names}
    print(f"Watching {practice.folder}. Ctrl-C ends it.", flush=True)
    while True:
        time.sleep(INTERVAL)
        for name in practice.names:
            text = practice.text(name)
            if text != seen[name]:
                seen[name] = text
                if text is not None:
                    practice.mark(name, text)


def _hint(practice: Practice, *words: str) -> int:
    name = practice.find(words)
    hints = tasks.words(practice.document, name).hints
    number = words[1] if len(words) > 1 else "1"
    if not number.isdecimal() or not 1 <= int(number) <= len(hints):
        raise UsageError(f"{name} has {len(hints)} hints", "then comes its solution")
    print(f"{number} of {len(hints)}: {hints[int(number) - 1]}")
    return 0


def _solution(practice: Practice, *words: str) -> int:
    chunk = judging.find(practice.find(words)).chunk
    print(tasks.solution(practice.document, chunk), end="")
    return 0


def _run(practice: Practice, *arguments: str) -> int:
    begun = practice.begun()
    edits = {judging.find(name).chunk: text for name, text in begun.items()}
    files = {judging.find(name).chunk: practice.file(name) for name in begun}
    try:
        program = EditedBook(practice.document, edits).tangle()
    except Mistake as mistake:
        for place in mistake.places:
            where = (
                f"{files[place['chunk']]}:{place['line']}: " if place["chunk"] else ""
            )
            print(f"{where}{place['message']}", file=sys.stderr)
        return 1
    names = next(o for o in tangle(practice.document) if o.path == judging.NAMES)
    practice.folder.mkdir(exist_ok=True)
    for output in (program, names):
        _write(practice.folder / output.path.partition("/")[2], output.text)
    sys.argv = [str(practice.folder / "microgpt.py"), *arguments]
    runpy.run_path(sys.argv[0], run_name="__main__")
    return 0


_ACTIONS = {
    "check": _check,
    "watch": _watch,
    "hint": _hint,
    "solution": _solution,
    "run": _run,
}


def _tell_next(practice: Practice, right: list[str]) -> None:
    todo = [name for name in practice.names if name not in right]
    print(f"{len(right)} of {len(practice.names)} right.", end=" ")
    if todo:
        line = tasks.words(practice.document, todo[0]).line
        place = f"{practice.document.name}:{line}"
        print(f"Next: {practice.file(todo[0])}, explained before {place}")
    else:
        print("The program is yours: python tangle.py practice run")


def _code(text: str) -> str:
    """Return what Python sees of a text; the text itself if Python cannot read it."""
    try:
        return ast.dump(ast.parse(text))
    except SyntaxError:
        return text


def _write(file: Path, text: str) -> None:
    new = file.with_suffix(".new")
    new.write_text(text, encoding="utf-8", newline="")
    new.replace(file)


def _judged(document: Document, name: str, text: str) -> dict:
    """Return what `judging.check` does, which has a process and TIME for itself."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(
        target=_judge, args=(document, name, text, theirs), daemon=True
    )
    process.start()
    theirs.close()
    try:
        if ours.poll(TIME):
            return ours.recv()
        came = f"no end after {TIME} seconds; is there a loop that goes on for ever?"
    except EOFError:
        came = "the answer has ended Python itself"
    finally:
        process.kill()
        process.join()
    mark = {"ok": False, "what": "the check", "came": came, "hint": ""}
    return {"passed": False, "marks": [mark], "output": ""}


def _judge(document: Document, name: str, text: str, told: Connection) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    told.send(judging.check_alone(name, text, document))
