"""How many lines of code does each part of the house have?

Counted are lines that are not blank, comment or docstring, of the files that git
tracks; of the program, as it is tangled, its algorithm and its comfort. The tests are
left out: they may be as long as they need to be.

Usage: python -m experiments.speed.lines
"""

from __future__ import annotations

import ast
import io
import subprocess
import tokenize
from collections import Counter
from pathlib import Path

from experiments.programs import is_docstring

ROOT = Path(__file__).resolve().parents[2]
EMPTY = {
    *(tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT),
    *(tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER),
}


def code_lines(source: str) -> set[int]:
    """Return the lines (from 1) of a Python text that hold code."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in EMPTY:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if is_docstring(node):
            lines.difference_update(range(node.lineno, node.end_lineno + 1))
    return lines


def main() -> None:
    """Print the lines of each folder with Python, and of the folders inside."""
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "*.py"], cwd=ROOT, capture_output=True, check=True
    )
    counts: Counter[str] = Counter()
    for name in tracked.stdout.decode().split("\0"):
        if not name or name.startswith("tests/"):
            continue
        lines = len(code_lines((ROOT / name).read_text(encoding="utf-8")))
        folders = Path(name).parts[:-1] or (name,)
        for depth in range(len(folders)):
            counts["/".join(folders[: depth + 1])] += lines
    for name in sorted(counts):
        print(f"{counts[name]:6,}  {name}")


if __name__ == "__main__":
    main()
