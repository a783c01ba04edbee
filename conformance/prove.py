"""Prove the checker: `python -m conformance.prove`.

The book's own programs must pass, and each mutant must fail where its mistake is.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from conformance.mutants import MUTANTS, Mutant
from literate.core.document import Document, parse
from literate.core.programs import tangle

HOME = Path(__file__).resolve().parent
BOOK = HOME.parent / "microgpt.md"
OWN = re.compile(r"build/microgpt(_\w+)?\.py")


class MissingLibrary(Exception):
    """A program needs a library that is not installed; the message names it."""


def check(program: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Check a program of the book as a port; return how that ended."""
    port = [sys.executable, HOME / "ports" / "book.py", program]
    return subprocess.run(
        [sys.executable, HOME / "check.py", *options, "--", *port],
        capture_output=True,
        encoding="utf-8",
    )


def write_programs(book: Document, folder: Path) -> list[Path]:
    """Write the program and its engines into a folder; return their paths."""
    outputs = [output for output in tangle(book) if OWN.fullmatch(output.path)]
    for output in outputs:
        (folder / Path(output.path).name).write_text(output.text, encoding="utf-8")
    return [folder / Path(output.path).name for output in outputs]


def fault_of_program(program: Path) -> str:
    """Return what a check says against a program, "" if all holds.

    Raises MissingLibrary.
    """
    done = check(program)
    if missing := re.search(r"This engine needs (\w+)", done.stderr):
        raise MissingLibrary(missing[1])
    return done.stdout + done.stderr if done.returncode else ""


def fault_of_mutant(mutant: Mutant, book: Document, folder: Path) -> str:
    """Return what a check does not find as it should, "" if it does."""
    path = folder / "mutant.py"
    path.write_text(mutant.program(book), encoding="utf-8")
    done = check(path)
    found = re.search(r"(?m)^(\w+) +differs.*\n +first +([^[\n]+)", done.stdout)
    place = found.groups() if found else ("", "")
    status = 1 if mutant.level else 0
    if (done.returncode, place) == (status, (mutant.level, mutant.name)):
        return ""
    return done.stdout + done.stderr


def main() -> int:
    """Check all programs and all mutants; return 0 if each does as it should."""
    book = parse(BOOK.read_bytes().decode(), BOOK.name)
    faults = 0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for program in write_programs(book, folder):
            try:
                fault, result = fault_of_program(program), "passes"
            except MissingLibrary as missing:
                fault = f"{missing} is not installed" if os.environ.get("CI") else ""
                result = f"skipped: {missing} is not installed"
            faults += tell(program.name, result, fault)
        for name, mutant in MUTANTS.items():
            result = f"fails at {mutant.level}: {mutant.name}"
            result = result if mutant.level else "passes, as it should"
            faults += tell(name, result, fault_of_mutant(mutant, book, folder))
    return min(faults, 1)


def tell(name: str, result: str, fault: str) -> bool:
    """Print what became of a program; tell whether there is a fault."""
    print(f"{name:30} {f'WRONG: should be: {result}' if fault else result}")
    print(fault, end="", flush=True)
    return bool(fault)


if __name__ == "__main__":
    sys.exit(main())
