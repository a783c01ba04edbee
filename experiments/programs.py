"""The program of the book and its variants, as modules."""

from __future__ import annotations

import ast
import hashlib
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

from literate.core.document import parse
from literate.core.modules import load, output_at

ROOT = Path(__file__).resolve().parent.parent
BOOK = ROOT / "microgpt.md"


@cache
def program(document: Path = BOOK, variant: str | None = None) -> ModuleType:
    """Return the program in a document, or a variant of it, as a module.

    The module also has its own `source` and the document's `names`, as texts.
    """
    return fresh_program(document, variant)


def fresh_program(document: Path = BOOK, variant: str | None = None) -> ModuleType:
    """Return the program as a module that nobody else has."""
    book = parse(document.read_bytes().decode(), str(document))
    source = output_at(book, "build/microgpt.py", variant).text
    label = f"<microgpt, {variant or 'the program'}>"
    module = load(source, ROOT / "build" / "microgpt.py", label)
    module.source, module.names = source, output_at(book, "build/names.txt").text
    return module


@cache
def engine(name: str, document: Path = BOOK) -> ModuleType:
    """Return an engine of the document as a module: `vectors`, `numpy` or `torch`.

    What it imports as microgpt is `program(document)`. Raises SystemExit if the library
    that it needs is not installed.
    """
    book = parse(document.read_bytes().decode(), str(document))
    source = output_at(book, f"build/microgpt_{name}.py").text
    before = sys.modules.get("microgpt")
    sys.modules["microgpt"] = program(document)
    try:
        return load(source, ROOT / "build" / f"microgpt_{name}.py")
    finally:
        if before is None:
            del sys.modules["microgpt"]
        else:
            sys.modules["microgpt"] = before


def fingerprint(source: str) -> str:
    """Return a hash of a program without its comments, docstrings and blank lines."""
    lines = [line.strip() for line in source.split("\n")]
    for node in ast.walk(ast.parse(source)):
        if is_docstring(node):
            for place in range(node.lineno - 1, node.end_lineno):
                lines[place] = ""
    code = [line for line in lines if line and not line.startswith("#")]
    return hashlib.sha256("\n".join(code).encode()).hexdigest()[:16]


def is_docstring(node: ast.AST) -> bool:
    """Tell whether a node is a string that stands alone."""
    alone = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return alone and isinstance(node.value.value, str)
