"""Write the program yourself: a file for each task, and marks for what is in it.

Without an action, practice/ is made beside the document, with a file for each task in
which the functions have no bodies yet. What you wrote is never overwritten.

  check [TASK ...]     mark some tasks, or all that you have begun
  watch                mark a task whenever its file is saved
  hint TASK [NUMBER]   show a hint, the first if no other is asked for
  solution TASK        show the book's chunk
  run [ARGUMENTS]      put your functions into the book's program, and run it

A TASK is its name or its number. A check ends after 10 seconds. `run` leaves the whole
program in practice/microgpt.py; its arguments are those of the program.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from exercises import judging, tasks
from exercises.edits import EditedBook, Mistake, solution
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
    return action(Practice(path), options.rest)


class Practice:
    """The tasks of a document, and the reader's files for them."""

    def __init__(self, path: str) -> None:
        self.document = read_document(path)
        tangle(self.document)
        self.names = judging.path(self.document)
        if not self.names:
            raise UsageError(f"{self.document.name} has no tasks")
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
            "All other functions of the book are there; import nothing.",
            f"It is explained in {self.section(name)}.",
            f"python tangle.py practice check {name}",
            f"python tangle.py practice hint {name}",
        ]
        comment = "".join(f"# {line}".rstrip() + "\n" for line in head)
        code = judging.start(judging.find(name), self.document)
        return f"{comment}\n{code}"

    def section(self, name: str) -> str:
        """Return where the book explains a task."""
        told = tasks.words(self.document, name)
        return f"“{told.section}”, {self.document.name}:{told.line}"

    def text(self, name: str) -> str | None:
        """Return what the reader wrote; None if nothing is written yet."""
        file = self.file(name)
        try:
            text = file.read_text(encoding="utf-8-sig", errors="replace")
            return None if tasks.unwritten(text) else text
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UsageError(f"{file} cannot be read: {error.strerror}") from None
        except (SyntaxError, ValueError):  # so somebody has written in it
            return text

    def begun(self) -> dict[str, str]:
        """Return what the reader wrote, by task."""
        texts = {name: self.text(name) for name in self.names}
        return {name: text for name, text in texts.items() if text is not None}

    def find(self, word: str) -> str:
        """Return the task that is meant; raises UsageError if none is."""
        said = os.path.basename(word).lower().removesuffix(".py").replace("-", "_")
        for number, name in enumerate(self.names, start=1):
            stem = self.file(name).stem
            if said in (stem, stem[3:], str(number)):
                return name
        hint = did_you_mean(word, self.names)
        raise UsageError(f'there is no task "{word}"', hint)

    def mark(self, name: str, text: str) -> bool:
        """Mark an answer and say how it did; return whether it is right."""
        found = _judged(self.document, name, text)
        print(f"{self.file(name)}: {judging.report(found)}", flush=True)
        return found["passed"]


def _make(practice: Practice, _words: Sequence[str]) -> int:
    missing = [name for name in practice.names if not practice.file(name).exists()]
    try:
        practice.folder.mkdir(exist_ok=True)
        for name in missing:
            _write(practice.file(name), practice.start(name))
    except OSError as error:
        said = f"{practice.folder} cannot be written: {error.strerror}"
        raise UsageError(said) from None
    print(f"{practice.folder}: {len(missing)} of {len(practice.names)} files made")
    first = practice.names[0]
    if first in missing:
        print(f"Begin with {practice.file(first)}: {practice.section(first)}")
    else:
        print("To mark what you have written: python tangle.py practice check")
    return 0


def _check(practice: Practice, words: Sequence[str]) -> int:
    begun = practice.begun()
    asked = [practice.find(word) for word in words]
    for name in asked:
        if name not in begun:
            is_there = practice.file(name).exists()
            why = "has a function without a body" if is_there else "is not there"
            raise UsageError(f"{practice.file(name)} {why}")
    right = [name for name in asked or begun if practice.mark(name, begun[name])]
    if not asked:
        _tell_next(practice, right)
    return 0 if len(right) == len(asked or begun) else 1


def _tell_next(practice: Practice, right: list[str]) -> None:
    todo = [name for name in practice.names if name not in right]
    print(f"{len(right)} of {len(practice.names)} right.", end=" ")
    if todo:
        print(f"Next: {practice.file(todo[0])}: {practice.section(todo[0])}")
    else:
        print("The program is yours: python tangle.py practice run")


def _watch(practice: Practice, words: Sequence[str]) -> int:
    if words:
        raise UsageError(f"watch looks at all files; {words[0]} has no place here")
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


def _hint(practice: Practice, words: Sequence[str]) -> int:
    name = practice.find(_named(words))
    hints = tasks.words(practice.document, name).hints
    number = words[1] if len(words) > 1 else "1"
    if not number.isdecimal() or not 1 <= int(number) <= len(hints):
        raise UsageError(f"{name} has {len(hints)} hints", "then comes its solution")
    hint = f"{number} of {len(hints)}: {hints[int(number) - 1]}"
    print(textwrap.fill(hint, judging.WIDTH, break_on_hyphens=False))
    return 0


def _solution(practice: Practice, words: Sequence[str]) -> int:
    chunk = judging.find(practice.find(_named(words))).chunk
    print(solution(practice.document, chunk), end="")
    return 0


def _named(words: Sequence[str]) -> str:
    if not words:
        raise UsageError("which task? Name it, or give its number")
    return words[0]


def _run(practice: Practice, arguments: Sequence[str]) -> int:
    begun = practice.begun()
    edits = {judging.find(name).chunk: text for name, text in begun.items()}
    files = {judging.find(name).chunk: practice.file(name) for name in begun}
    whose = ", ".join(begun) or "none"
    print(f"Yours: {whose}. The rest is the book's.", file=sys.stderr)
    edited = EditedBook(practice.document, edits)
    program = practice.folder / "microgpt.py"
    try:
        text = edited.tangle().text
        outputs = tangle(practice.document)
        [names] = [each.text for each in outputs if each.path == judging.NAMES]
        practice.folder.mkdir(exist_ok=True)
        _write(program, text)
        _write(program.with_name("names.txt"), names)
        sys.argv = [str(program), *arguments]
        module = edited.load(practice.folder)
        with edited.explained():
            return _leaving(module.main)
    except Mistake as mistake:
        for place in mistake.places:
            file = files.get(place["chunk"], program)
            line = f":{place['line']}" if file != program else ""
            print(f"{file}{line}: {place['message']}", file=sys.stderr)
        return 1


def _leaving(main: Callable[[], int]) -> int:
    """Return the exit status of a program, also of one that leaves by SystemExit."""
    try:
        return main()
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 2


_ACTIONS = {
    "check": _check,
    "watch": _watch,
    "hint": _hint,
    "solution": _solution,
    "run": _run,
}


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
