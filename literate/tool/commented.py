"""A program with the prose that explains it as comments, chapter by chapter."""

from __future__ import annotations

import re
import textwrap

from literate.core.blocks import Block, Fence, Heading, Html
from literate.core.document import Document
from literate.core.programs import Output
from literate.tool.order import (
    Line,
    Part,
    Section,
    contents,
    is_chapter,
    pieces_of,
    retell,
    source,
)

WIDTH = 79
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)]) +")
_TAG = re.compile(r"</?(?:abbr|dfn|kbd|small|span|sub|sup)\b[^<>]*>")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def make(output: Output) -> tuple[str, list[int | None]]:
    """Return a Python output with the document's prose between its parts.

    It does what the output does: only comments and blank lines are added. Beside the
    text comes the origin of each of its lines: a line of the document, or None.
    """
    document, pieces = output.document, pieces_of(output.document)
    explained = {span.piece for span in output.spans}

    def explains(section: Section) -> bool:
        return any(pieces.get(block.start) in explained for block in section)

    program = output.path.rpartition("/")[2]
    name = document.name.replace("\\", "/").rpartition("/")[2]
    lines = [
        Line(f"# {program}, with the text of {name} as comments between its parts."),
        Line(f"# Made by tangle.py: what you change here is lost; change {name}."),
    ]
    in_prose = False
    for item in retell(output, explains):
        if isinstance(item, Part):
            lines += [Line(""), Line(""), *item.lines]
            in_prose = False
        elif item.start not in pieces:
            prose = _prose(document, item)
            if not prose:
                continue
            goes_on = in_prose and not is_chapter(item)
            lines += [Line("#")] if goes_on else [Line(""), Line("")]
            lines += [_comment(line) for line in prose]
            in_prose = True
    text = "".join(f"{line.text}\n" for line in lines)
    return text, [line.origin for line in lines]


def _prose(document: Document, block: Block) -> list[Line]:
    """Return a block as lines of text, none if comments have no use for it."""
    lines = source(document, block)
    if isinstance(block, Heading):
        rule = ("=" if block.level == 1 else "-") * (WIDTH - 2)
        rules = [Line(rule, block.start + 1)] if is_chapter(block) else []
        return [*rules, Line(block.text, block.start + 1), *rules]
    if isinstance(block, Fence):
        if block.info.lower() == "mermaid":
            return []
        shown = contents(document, block)
        return [Line(f"    {line.text}".rstrip(), line.origin) for line in shown]
    is_picture = lines[0].text.startswith("![")
    return [] if isinstance(block, Html) or is_picture else _wrapped(lines)


def _wrapped(lines: list[Line]) -> list[Line]:
    """Return a paragraph, or the items of a list, in lines that fit behind `# `."""
    groups: list[list[Line]] = []
    for line in lines:
        if not groups or _ITEM.match(line.text) or line.text.startswith(("|", ">")):
            groups.append([])
        groups[-1].append(line)
    return [Line(text, group[0].origin) for group in groups for text in _fitted(group)]


def _fitted(group: list[Line]) -> list[str]:
    first = group[0].text
    if first.startswith("|"):
        return [first]
    mark = _ITEM.match(first)
    return textwrap.wrap(
        _TAG.sub("", " ".join(line.text.strip() for line in group)),
        WIDTH - 2,
        initial_indent=" " * (len(first) - len(first.lstrip())),
        subsequent_indent=" " * mark.end() if mark else "",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _comment(line: Line) -> Line:
    """Return a line as a comment that Python can read: it takes no NUL."""
    text = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", line.text)
    return Line(f"# {text}".rstrip(), line.origin)
