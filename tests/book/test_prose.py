"""The book's prose, diagrams and formulas: spelt right, drawn, set."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from literate.core.blocks import Fence
from literate.core.document import parse

pytest.importorskip("markdown", reason="the site's tools are not installed")

import math_core

from literate.weaving.book import Book
from literate.weaving.diagrams import draw_once
from literate.weaving.prose import Prose, Surroundings

ROOT = Path(__file__).resolve().parents[2]
BOOK = parse((ROOT / "microgpt.md").read_text(encoding="utf-8"), "microgpt.md")


def examples(info):
    found = [example for example in BOOK.examples if example.info == info]
    assert found
    return [pytest.param("".join(e.lines), id=f"line {e.line}") for e in found]


def test_spelling(tmp_path):
    names = BOOK.chunks["build/names.txt"].pieces[0]
    lines = list(BOOK.lines)
    lines[names.line : names.line + len(names.lines)] = []
    book = tmp_path / "microgpt.md"
    book.write_text("".join(lines), encoding="utf-8")
    others = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "tangle.py")]
    code = [*(ROOT / "literate").rglob("*.py"), *(ROOT / "experiments").glob("*.py")]
    command = [sys.executable, "-m", "codespell_lib", str(book), *map(str, others)]
    done = subprocess.run([*command, *map(str, code)], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("", 0)


@pytest.mark.parametrize("source", examples("mermaid"))
def test_diagram_is_drawn(source):
    assert "<svg" in draw_once(source, ROOT / ".cache" / "diagrams")


@pytest.mark.parametrize("source", examples("math"))
def test_formula_is_set(source):
    converter = math_core.LatexToMathML()
    formula = converter.convert_with_local_state(source, displaystyle=True)
    assert formula.startswith("<math")


def test_inline_formulas_are_closed():
    """On each line of prose outside of code, dollar signs come in pairs."""
    fenced = {
        index
        for block in BOOK.blocks
        if isinstance(block, Fence)
        for index in range(block.start, block.end)
    }
    text = "".join(x for i, x in enumerate(BOOK.lines) if i not in fenced)
    for paragraph in re.split(r"\n\s*\n", re.sub(r"`[^`]*`", "", text)):
        assert paragraph.count("$") % 2 == 0, paragraph


def test_the_glossary_has_the_terms_that_chapters_define_and_no_others():
    prose = Prose(Book(BOOK), Surroundings(draw=str))
    table = (
        "".join(BOOK.lines).partition("| term | meaning |\n")[2].partition("\n\n")[0]
    )
    rows = [row.strip("| ").partition(" | ")[0] for row in table.splitlines()[1:]]
    assert {*rows} ^ {term.name for term in prose.terms.values()} == set()
    assert rows == sorted(rows, key=str.casefold)
