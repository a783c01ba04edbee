"""Which lines of a Markdown document form which block.

Fenced blocks are what matters. They are a strict subset of CommonMark's: a fence stands
at the margin. Whatever CommonMark could take for a fence and this module does not, or
the other way round, is a fault: an indented fence, one in a list or a quote, one inside
of HTML or right under it. So no reader of Markdown sees other fences than we do.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

from literate.core.diagnostics import Fault

# Where str.splitlines splits, and a document does not.
_MORE_SEPARATORS = "\v\f\x1c\x1d\x1e\x85\u2028\u2029"

_FENCE = re.compile(r"(`{3,}(?=[^`\r\n]*[\r\n]*$)|~{3,})([^\r\n]*)")
_CONTAINER = r"(?:[ \t>]|(?:[-+*]|[0-9]{1,9}[.)])(?=[ \t]))+"  # a list's, a quote's
_BEFORE_FENCE = " \t>-+*.)0123456789"  # the characters of which it is made
_INNER_FENCE = re.compile(rf"{_CONTAINER}(?:`{{3,}}[^`\r\n]*|~{{3,}}[^\r\n]*)[\r\n]*$")
_HEADING = re.compile(r"(#{1,6})(?:[ \t]+([^\r\n]*?))?(?:[ \t]+#+)?[ \t]*[\r\n]*$")
_UNDERLINE = re.compile(r"(=+|-+)[ \t]*[\r\n]*$")

# HTML that ends where a pattern is found, and not at a blank line.
_RAW_HTML = [
    (re.compile(start, re.IGNORECASE), re.compile(end, re.IGNORECASE))
    for start, end in (
        (r" {0,3}<!--", r"-->"),
        (r" {0,3}<\?", r"\?>"),
        (r" {0,3}<!\[CDATA\[", r"\]\]>"),
        (r" {0,3}<![a-z]", r">"),
        (
            r" {0,3}<(?:script|pre|textarea|style)(?:\s|>|$)",
            r"</(?:script|pre|textarea|style)>",
        ),
    )
]
_BLOCK_TAGS = """
    address article aside base basefont blockquote body caption center col colgroup dd
    details dialog dir div dl dt fieldset figcaption figure footer form frame frameset
    h1 h2 h3 h4 h5 h6 head header hr html iframe legend li link main menu menuitem nav
    noframes ol optgroup option p param search section summary table tbody td tfoot th
    thead title tr track ul
"""
_HTML = re.compile(
    rf" {{0,3}}</?(?:{'|'.join(_BLOCK_TAGS.split())})(?:\s|/?>|$)", re.IGNORECASE
)
_MAYBE_HTML = re.compile(r"[ \t]*<[a-zA-Z/]")


@dataclass
class Block:
    """Lines `start` to `end` of a document, counted from 0, `end` excluded."""

    start: int
    end: int


@dataclass
class Text(Block):
    """A paragraph, a list, a quote, a table: what stands between blank lines."""


@dataclass
class Html(Block):
    """Lines that begin with a tag of HTML that makes a block, or a comment."""


@dataclass
class Heading(Block):
    """A heading: its `level`, 1 to 6, and its `text`, Markdown as written."""

    level: int
    text: str


@dataclass
class Fence(Block):
    """A fenced block: the run of ` or ~ that is its `mark`, the `info` after it, and
    whether a fence of its own `closed` it.
    """

    mark: str
    info: str
    closed: bool = False

    @property
    def last(self) -> int:
        """The first line after the contents, counted from 0."""
        return self.end - self.closed


def split_lines(text: str) -> list[str]:
    r"""Split at `\n`, `\r\n` and `\r` only; every line keeps its own ending."""
    if any(separator in text for separator in _MORE_SEPARATORS):
        return io.StringIO(text, newline="").readlines()
    return text.splitlines(keepends=True)  # which takes half the time


def scan(lines: list[str]) -> tuple[list[Block], list[tuple[int, Fault]]]:
    """Return the blocks of a document's lines, and what is wrong with its fences.

    Blocks come in order; blank lines between them belong to none. Each fault comes with
    the index of its line.
    """
    scanner = _Scanner(lines)
    scanner.scan()
    return scanner.blocks, scanner.faults


class _Scanner:
    """The blocks so far, and the text or HTML that the next line may belong to."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.blocks: list[Block] = []
        self.faults: list[tuple[int, Fault]] = []
        self.open: Text | Html | None = None
        self.has_tag = False  # whether a line of the open block begins with a tag

    def scan(self) -> None:
        index = 0
        while index < len(self.lines):
            index = self._scan_line(index, self.lines[index])

    def _scan_line(self, index: int, line: str) -> int:
        """Take one line, or a whole fence or raw HTML; return the line after it."""
        if line.isspace():
            self.open = None
            return index + 1
        may_fence = "```" in line or "~~~" in line
        if may_fence and _INNER_FENCE.match(line):
            return self._scan_inner_fence(index)
        fence = _FENCE.match(line) if may_fence else None
        heading = _HEADING.match(line) if line[0] == "#" else None
        if (fence or heading) and self.open and self.has_tag:
            what = "a fence" if fence else "a heading"
            hint = "put a blank line between them"
            self._report(index, f"{what} right under HTML: {hint}")
        if fence:
            return self._scan_fence(index, *fence.groups())
        if heading:
            text, level = (heading[2] or "").strip(), len(heading[1])
            self.open = None
            self.blocks.append(Heading(index, index + 1, level, text))
            return index + 1
        if "<" in line:
            for start, end in _RAW_HTML:
                if start.match(line):
                    return self._scan_raw_html(index, end)
        self._scan_text(index, line)
        return index + 1

    def _scan_fence(self, index: int, mark: str, info: str) -> int:
        closing = re.compile(rf"( *){mark[0]}{{{len(mark)},}}[ \t]*[\r\n]*$")
        self.open = None
        fence = Fence(index, len(self.lines), mark, info.strip())
        self.blocks.append(fence)
        known = len(self.faults)
        for number in range(index + 1, len(self.lines)):
            if mark not in self.lines[number]:
                continue
            match = closing.match(self.lines[number])
            if match and not match[1]:
                fence.end, fence.closed = number + 1, True
                return fence.end
            if match and len(match[1]) < 4:
                hint = "begin it at the margin, or use longer fences around"
                self._report(number, f"an indented end of the fence: {hint}")
        if len(self.faults) == known:
            fault = "this fenced block is never closed", f"end it with a line {mark}"
            self.faults.append((index, Fault(0, len(mark), *fault)))
        return fence.end

    def _scan_raw_html(self, index: int, end: re.Pattern[str]) -> int:
        html = Html(index, len(self.lines))
        self.open = None
        self.blocks.append(html)
        for number in range(index, len(self.lines)):
            line = self.lines[number]
            if number > index and (_FENCE.match(line) or _INNER_FENCE.match(line)):
                self._report(number, "a fence inside of HTML: end the HTML above it")
            if end.search(line):
                html.end = number + 1
                return html.end
        self._report(index, f"this HTML is never closed: end it with {end.pattern}")
        return html.end

    def _scan_inner_fence(self, index: int) -> int:
        """Report a fence that is not at the margin, and pass over what it holds."""
        message = "a fence that is indented, or in a list or a quote"
        self._report(index, f"{message}: begin it at the margin")
        mark = self.lines[index].lstrip(_BEFORE_FENCE)[:3]
        numbers = range(index + 1, len(self.lines))
        ends = (n + 1 for n in numbers if mark in self.lines[n])
        self.open = None
        self.blocks.append(Text(index, next(ends, index + 1)))
        return self.blocks[-1].end

    def _scan_text(self, index: int, line: str) -> None:
        is_html = _HTML.match(line) is not None
        if self.open is None or (is_html and isinstance(self.open, Text)):
            self.open = (Html if is_html else Text)(index, index + 1)
            self.blocks.append(self.open)
            self.has_tag = False
        elif _UNDERLINE.match(line) and isinstance(self.open, Text):
            hint = "write # before the heading, or a blank line between them"
            self._report(index, f"this line makes a heading of the text above: {hint}")
        self.open.end = index + 1
        self.has_tag |= _MAYBE_HTML.match(line) is not None

    def _report(self, index: int, said: str) -> None:
        message, _, hint = said.partition(": ")
        source = self.lines[index].rstrip()
        start = len(source) - len(source.lstrip(" \t"))
        self.faults.append((index, Fault(start, len(source) - start, message, hint)))
