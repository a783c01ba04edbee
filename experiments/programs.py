"""The program of the book and its variants, as modules."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
BOOK = ROOT / "microgpt.md"


@cache
def program(document: Path = BOOK, variant: str | None = None) -> ModuleType:
    """Return the program in a document, or a variant of it, as a module.

    The module also has its own `source` and the document's `names`, as texts.
    """
    with tempfile.TemporaryDirectory() as folder:
        build(document, variant, folder)
        path = Path(folder, "microgpt.py")
        spec = importlib.util.spec_from_file_location(variant or "microgpt", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.source = path.read_text(encoding="utf-8")
        module.names = Path(folder, "names.txt").read_text(encoding="utf-8")
    return module


def build(document: Path, variant: str | None, folder: str) -> None:
    """Tangle a document into a folder; exit if that fails."""
    command = [sys.executable, str(ROOT / "tangle.py"), str(document), "--out", folder]
    command += ["--variant", variant] if variant else []
    done = subprocess.run(command, capture_output=True, encoding="utf-8")
    if done.returncode:
        sys.exit(done.stderr)


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
