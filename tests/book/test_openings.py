"""The pages that open the parts: what they promise is what the parts hold."""

import re
from pathlib import Path

import pytest

pytest.importorskip("markdown", reason="the site's tools are not installed")

from experiments.run import read
from literate.core.blocks import Fence, Text
from literate.core.counts import reading_minutes
from literate.core.document import parse
from literate.weaving.book import Book

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "microgpt.md").read_text(encoding="utf-8")
BOOK = Book(parse(TEXT, "microgpt.md"))
PARTS = [(cs[0], cs) for _, cs in BOOK.parts() if cs[0].is_opening]
OPENINGS = [pytest.param(opening, id=opening.title) for opening, _ in PARTS]
RUNS = [
    "".join(example.lines)
    for example in BOOK.document.examples
    if re.match(r"\$ python build/stages|num docs", "".join(example.lines))
]


def fences(opening, language):
    return [
        "".join(BOOK.document.lines[block.start + 1 : block.last])
        for block in opening.blocks
        if isinstance(block, Fence) and block.info == language
    ]


def prose(opening):
    return "\n".join(BOOK.text(b) for b in opening.blocks if isinstance(b, Text))


def test_every_part_of_the_book_has_an_opening():
    titles = re.findall(r"^# (Part .*)$", TEXT, re.MULTILINE)
    assert [opening.title for opening, _ in PARTS] == titles


@pytest.mark.parametrize(("opening", "chapters"), PARTS, ids=lambda x: "")
def test_the_reading_time_is_that_of_the_part(opening, chapters):
    [said] = re.findall(r"about (\d+)\sminutes", prose(opening))
    blocks = [block for chapter in chapters for block in chapter.blocks]
    minutes = reading_minutes(BOOK.document, blocks)
    assert abs(int(said) - minutes) <= 0.2 * minutes, f"{minutes:.0f} minutes"


def test_the_rule_of_the_reading_time():
    text = f"{'word ' * 200}\n\n```python\n# <<build/a.py>>=\na = 1\n```\n\n"
    text += "```text\none\ntwo\n```\n\n```math\nx\n```\n\n<div>\nmore\n</div>\n"
    document = parse(text, "a.md")
    assert reading_minutes(document, document.blocks) * 60 == 60 + 8 + 2 * 4 + 30


@pytest.mark.parametrize("opening", OPENINGS)
def test_the_map_is_there_once(opening):
    assert prose(opening).count("](web/figures/map.svg)") == 1


@pytest.mark.parametrize("opening", OPENINGS)
def test_what_an_opening_shows_is_what_the_programs_print(opening):
    for shown in fences(opening, "text"):
        assert any(f"\n{shown}" in run for run in RUNS), shown
    printed = {word for run in RUNS for word in run.split()}
    assert {*re.findall(r"`([a-z]+)`", prose(opening))} - {"gpt"} <= printed
    own = read()["own"]
    found = [*own["stages"]["42"].values()]
    found.append(own["trials"]["1000"]["baseline"]["42"]["held out"])
    losses, blind = {f"{loss:.4f}" for loss in found}, "3.2958"
    assert {*re.findall(r"\b\d\.\d{4}\b", prose(opening))} <= {*losses, blind}
