"""A program with the prose of its document as comments, chapter by chapter."""

from __future__ import annotations

from literate.core.blocks import Fence, Heading, Html
from literate.core.document import Document
from literate.core.programs import Output
from literate.tool.order import (
    PART,
    SHOWN,
    Item,
    contents,
    is_chapter,
    plain_html,
    retell,
    source,
)

WIDTH = 79


def make(output: Output) -> str:
    """Return a Python output with the document's prose between its parts.

    It does what the output does: only comments and blank lines are added.
    """
    document = output.document
    program = output.path.rpartition("/")[2]
    name = document.name.replace("\\", "/").rpartition("/")[2]
    shown = [
        f"# {program}, with the text of {name} as comments between its parts.\n"
        f"# Made by tangle.py: what you change here is lost; change {name}.\n"
    ]
    in_prose = False
    for item in retell(output):
        if item.kind == PART:
            shown.append(f"\n\n{item.part.text}\n")
            in_prose = False
            continue
        text = _prose(document, item)
        if text:
            gap = "#\n" if in_prose and not is_chapter(item.block) else "\n\n"
            shown += [gap, text]
            in_prose = True
    return "".join(shown)


def _prose(document: Document, item: Item) -> str:
    """Return a block as comment lines, "" if there is nothing to say."""
    block = item.block
    if isinstance(block, Heading):
        rule = ("=" if block.level == 1 else "-") * (WIDTH - 2)
        rules = [rule] if is_chapter(block) else []
        return _comment([*rules, block.text, *rules])
    if isinstance(block, Fence):
        if item.kind == SHOWN and item.piece and item.piece.variant is None:
            return ""  # it is in the program
        return _comment(["    " + line for line in contents(document, block)])
    text = source(document, block)
    if isinstance(block, Html):
        return _comment(plain_html(text).split("\n")) if plain_html(text) else ""
    if not text.startswith(("|", "- ", "* ", "1. ", "> ")):
        lines = text.rstrip("\n").split("\n")
        narrow = max(map(len, lines)) <= WIDTH - 2
        return _comment(lines if narrow else _wrapped(text.split(), ""))
    if text.startswith(("- ", "* ", "1. ")):
        return _comment(_list(text))
    return _comment(text.rstrip("\n").split("\n"))


def _comment(lines: list[str]) -> str:
    text = "\n# ".join(["", *lines, ""])[1:-2]
    return text.replace("# \n", "#\n")


def _list(text: str) -> list[str]:
    """Return a list's lines, each item wrapped under its mark."""
    shown: list[str] = []
    words: list[str] = []
    margin = hanging = ""
    for line in [*text.split("\n"), "-"]:
        bare = line.lstrip()
        mark = bare.split(" ", 1)[0]
        if mark in ("-", "*", "+") or (mark[:-1].isdigit() and mark[-1] in ".)"):
            if words:
                shown += [margin + line for line in _wrapped(words, hanging)]
            margin = line[: len(line) - len(bare)]
            hanging, words = margin + " " * (len(mark) + 1), []
        words += bare.split()
    return shown


def _wrapped(words: list[str], hanging: str) -> list[str]:
    """Return words in lines that fit behind `# `; all but the first are indented."""
    lines: list[str] = []
    line: list[str] = []
    room = 0
    for word in words:
        room -= len(word) + 1
        if room < 0:
            if line:
                lines.append(" ".join(line))
            room = WIDTH - 2 - len(word) - len(hanging)
            line = [hanging + word if lines else word]
        else:
            line.append(word)
    return [*lines, " ".join(line)]
