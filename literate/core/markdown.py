"""The block structure of a Markdown document: which lines form which top-level block.

This is the first phase of CommonMark (0.31), as far as the top level needs it. Block
quotes and list items are followed line by line, because they decide where a top-level
block begins and ends, but what is inside of them is not kept.

Inside the scanner a line's tabs are expanded to stops of four columns. Only columns
decide about the structure, so the rest of the algorithm knows spaces alone.
"""

from __future__ import annotations

import io
import re

# The kinds of a top-level block.
PARAGRAPH, HEADING, FENCE, CODE = "paragraph", "heading", "fence", "code"
HTML, BREAK, QUOTE, LIST = "html", "break", "quote", "list"

# A line that begins with none of these is text, if nothing but a paragraph is open.
_SPECIAL = " \t\r\n>#`~*+-_=<0123456789"

# Where str.splitlines splits, and a document does not.
_MORE_SEPARATORS = "\v\f\x1c\x1d\x1e\x85\u2028\u2029"

_ATX_HEADING = re.compile(r"(#{1,6})(?: |$)")
_ATX_END = re.compile(r"(?:^| )#+ *$")
_SETEXT_UNDERLINE = re.compile(r"(=+|-+) *$")
_BREAK = re.compile(r"(?:(?:\* *){3,}|(?:_ *){3,}|(?:- *){3,})$")
_FENCE = re.compile(r"(`{3,})([^`]*)$|(~{3,})(.*)$", re.DOTALL)
_LIST_MARKER = re.compile(r"([*+-]|([0-9]{1,9})[.)])(?= |$)")

# Patterns that few documents need are compiled by `re` when they are first used.
_TAG_NAME = r"</?([a-zA-Z][a-zA-Z0-9]*)(?:\s|/?>|$)"
_BLOCK_TAG_NAMES = """
    address article aside base basefont blockquote body caption center col colgroup dd
    details dialog dir div dl dt fieldset figcaption figure footer form frame frameset
    h1 h2 h3 h4 h5 h6 head header hr html iframe legend li link main menu menuitem nav
    noframes ol optgroup option p param search section summary table tbody td tfoot th
    thead title tr track ul
"""
_BLOCK_TAGS = frozenset(_BLOCK_TAG_NAMES.split())
_ATTRIBUTE = (
    r"\s+[a-zA-Z_:][a-zA-Z0-9:._-]*"
    r"(?:\s*=\s*(?:[^\"'=<>`\x00-\x20]+|'[^']*'|\"[^\"]*\"))?"
)
_ANY_TAG = (
    rf"(?:<[a-zA-Z][a-zA-Z0-9-]*(?:{_ATTRIBUTE})*\s*/?>"
    r"|</[a-zA-Z][a-zA-Z0-9-]*\s*>)\s*$"
)
# The HTML blocks that end where a pattern is found, not at a blank line.
_HTML_BLOCKS = (
    (r"<!--", r"-->"),
    (r"<\?", r"\?>"),
    (r"<![a-zA-Z]", r">"),
    (r"<!\[CDATA\[", r"\]\]>"),
    (
        r"(?i:<(?:script|pre|textarea|style))(?:\s|>|$)",
        r"</(?i:script|pre|textarea|style)>",
    ),
)

_LINK_LABEL = r"\[(?:[^\\\[\]]|\\[\s\S]){0,999}\]:"
_LINK_SPACE = r" *(?:\n *)?"
_LINK_TARGET = r"<(?:[^<>\n\\]|\\.)*>|(?!<)[^ \n]+"
_LINK_TITLE = (
    r"\"(?:\\[\s\S]|[^\"\\])*\"|'(?:\\[\s\S]|[^'\\])*'|\((?:\\[\s\S]|[^()\\])*\)"
)
_LINE_END = r" *(?:\n|$)"
_ESCAPED_PAREN = r"\\[\\()]"


class Block:
    """A top-level block: lines `start` to `end`, counted from 0, `end` excluded."""

    __slots__ = ("end", "kind", "start")

    def __init__(self, kind: str, start: int) -> None:
        self.kind = kind
        self.start = start
        self.end = start + 1


class Heading(Block):
    """A heading: its `level`, 1 to 6, and its `text`, Markdown as written."""

    __slots__ = ("level", "text")

    def __init__(self, start: int, level: int, text: str) -> None:
        super().__init__(HEADING, start)
        self.level = level
        self.text = text


class Fence(Block):
    """A fenced block: the fence's `indent` and `mark` (its run of ` or ~), the `info`
    string as written, and whether a fence of its own `closed` it.
    """

    __slots__ = ("closed", "indent", "info", "mark")

    def __init__(self, start: int, indent: int, mark: str, info: str) -> None:
        self.kind = FENCE
        self.start = start
        self.end = start + 1
        self.indent = indent
        self.mark = mark
        self.info = info
        self.closed = False

    @property
    def last(self) -> int:
        """The first line after the contents, counted from 0."""
        return self.end - self.closed


def split_lines(text: str) -> list[str]:
    r"""Split at `\n`, `\r\n` and `\r` only; every line keeps its own ending."""
    if any(separator in text for separator in _MORE_SEPARATORS):
        return io.StringIO(text, newline="").readlines()
    return text.splitlines(keepends=True)


def parse_blocks(lines: list[str]) -> list[Block]:
    """Return the top-level blocks of a document's lines, in order.

    Blank lines between blocks belong to no block. Any text is valid Markdown, so
    nothing is raised.
    """
    scanner = _Scanner(lines)
    scanner.scan()
    return scanner.blocks


def unindent(lines: list[str], indent: int) -> list[str]:
    """Take up to `indent` columns of blanks off each line, as a fence does."""
    return [_unindent_line(line, indent) for line in lines] if indent else lines


def _unindent_line(line: str, indent: int) -> str:
    at = column = 0
    while column < indent and line[at : at + 1] in (" ", "\t"):
        column += 1 if line[at] == " " else 4 - column % 4
        at += 1
    # A tab that reaches past the indentation leaves the rest of its columns.
    return " " * (column - indent) + line[at:]


class _Container:
    """An open block quote (width 0), or list item and how far its contents are in."""

    __slots__ = ("children", "width")

    def __init__(self, width: int) -> None:
        self.width = width
        self.children = 0


class _Scanner:
    """The state between two lines: the open containers and the open leaf block."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.blocks: list[Block] = []
        self.containers: list[_Container] = []  # outermost first
        self.leaf: str | None = None
        self.mark = ""  # the open fence's
        self.ends: re.Pattern[str] | None = None  # what ends the open HTML block
        self.paragraph: list[str] = []  # the text of the open paragraph
        self.list_type = ""  # of the last top-level list

    def scan(self) -> None:
        lines, count, index = self.lines, len(self.lines), 0
        while index < count:
            line = lines[index]
            if self.containers:
                self._scan_line(index)
            elif self.leaf == FENCE:
                index = self._scan_fence(index)
                continue
            elif self.leaf is not None and self.leaf != PARAGRAPH:
                self._scan_line(index)
            elif line[0] not in _SPECIAL:
                self._add_text(index, line)
                self.blocks[-1].end = index + 1
            elif line == "\n":
                self.leaf = None
            elif line[0] in "`~" and (match := _FENCE.match(line)):
                self._start_fence(index, match, indent=0, depth=0)
            else:
                self._scan_line(index)
            index += 1

    def _scan_fence(self, index: int) -> int:
        """Go through an open top-level fence; return the line after it."""
        fence = self.blocks[-1]
        mark, lines = fence.mark, self.lines
        for number in range(index, len(lines)):
            line = lines[number]
            if mark in line and _closes(line.expandtabs(4), 0, mark):
                fence.closed = True
                fence.end = number + 1
                self.leaf = None
                return fence.end
        fence.end = len(self.lines)
        return fence.end

    def _scan_line(self, index: int) -> None:
        text = self.lines[index].expandtabs(4).rstrip("\r\n")
        at, depth = self._match_containers(text)
        if depth == len(self.containers) and self._continue_leaf(text, at):
            pass
        else:
            self._start_blocks(index, text, at, depth)
        if text.strip(" ") and self.blocks[-1].kind != FENCE:
            self.blocks[-1].end = index + 1

    def _match_containers(self, text: str) -> tuple[int, int]:
        """Return where the contents begin, and how many containers go on."""
        at = depth = 0
        for container in self.containers:
            first = _skip_spaces(text, at)
            if container.width == 0:
                if first == len(text) or first - at >= 4 or text[first] != ">":
                    break
                at = first + 1 + text.startswith(" ", first + 1)
            elif first == len(text):
                if not container.children:
                    break
                at = first
            elif first - at >= container.width:
                at += container.width
            else:
                break
            depth += 1
        return at, depth

    def _continue_leaf(self, text: str, at: int) -> bool:
        """Give the line to the open leaf, unless that is a paragraph or ends here."""
        first = _skip_spaces(text, at)
        blank = first == len(text)
        if self.leaf == FENCE:
            if _closes(text, at, self.mark):
                self.leaf = None
            return True
        if self.leaf == HTML and self.ends:
            if self.ends.search(text, at):
                self.leaf = None
            return True
        if self.leaf == HTML and not blank:
            return True
        if self.leaf == CODE and (blank or first - at >= 4):
            return True
        if self.leaf != PARAGRAPH:
            self.leaf = None
        elif blank:
            self._close(len(self.containers))
        return False

    def _start_blocks(self, index: int, text: str, at: int, depth: int) -> None:
        """Open the blocks that start on this line; what is left is text."""
        while True:
            first = _skip_spaces(text, at)
            if first == len(text):
                self._close(depth)
                return
            in_paragraph = self.leaf == PARAGRAPH and depth == len(self.containers)
            if first - at >= 4:
                if self.leaf == PARAGRAPH:
                    break
                self._open(CODE, index, depth)
                return
            if text[first] == ">":
                self._open(QUOTE, index, depth)
                at = first + 1 + text.startswith(" ", first + 1)
            elif self._start_leaf(index, text, first, first - at, depth, in_paragraph):
                return
            else:
                inside = self._start_item(index, text, at, first, depth, in_paragraph)
                if inside is None:
                    break
                at = inside
            depth += 1
        if self.leaf == PARAGRAPH:  # goes on, perhaps lazily
            self.paragraph.append(text[first:])
        else:
            self._close(depth)
            self._add_text(index, text[first:])

    def _start_leaf(
        self,
        index: int,
        text: str,
        first: int,
        indent: int,
        depth: int,
        in_paragraph: bool,
    ) -> bool:
        """Open the leaf block that starts at `first`, if one does."""
        mark = text[first]
        if mark == "#":
            match = _ATX_HEADING.match(text, first)
            if match:
                title = _ATX_END.sub("", text[match.end() :]).strip(" ")
                self._close(depth)
                self._add(Heading(index, len(match[1]), title))
                return True
        elif mark in "`~":
            match = _FENCE.match(text, first)
            if match:
                self._start_fence(index, match, indent, depth)
                return True
        elif mark == "<":
            return self._start_html(index, text, first, depth)
        elif in_paragraph and mark in "=-" and self._start_setext(text, first):
            return True
        if mark in "*_-" and _BREAK.match(text, first):
            self._close(depth)
            self._add(Block(BREAK, index))
            return True
        return False

    def _start_fence(
        self, index: int, match: re.Match[str], indent: int, depth: int
    ) -> None:
        mark = match[1] or match[3]
        # Tabs of the info string are as they were, which the expanded line has not.
        info = self.lines[index].split(mark, 1)[1].strip(" \t\r\n")
        self._close(depth)
        self._add(Fence(index, indent, mark, info))
        self.leaf = FENCE
        self.mark = mark

    def _start_html(self, index: int, text: str, first: int, depth: int) -> bool:
        for start, end in _HTML_BLOCKS:
            if _match(start, text, first):
                self._open(HTML, index, depth)
                self.ends = re.compile(end)
                if self.ends.search(text, first):
                    self.leaf = None
                return True
        tag = _match(_TAG_NAME, text, first)
        if not tag or tag[1].lower() not in _BLOCK_TAGS:
            # Any other tag stands alone on its line, and interrupts no paragraph.
            tag = self.leaf != PARAGRAPH and _match(_ANY_TAG, text, first)
        if tag:
            self._open(HTML, index, depth)
            self.ends = None
        return bool(tag)

    def _start_setext(self, text: str, first: int) -> bool:
        """Turn the open paragraph into a heading, if this is its underline."""
        if not _SETEXT_UNDERLINE.match(text, first):
            return False
        title = _without_definitions(self.paragraph)
        if not title:
            self.paragraph = []
            return False
        self.leaf = None
        if not self.containers:
            start = self.blocks.pop().start
            level = 1 if text[first] == "=" else 2
            self.blocks.append(Heading(start, level, title.replace("\n", " ").strip()))
        return True

    def _start_item(
        self,
        index: int,
        text: str,
        at: int,
        first: int,
        depth: int,
        in_paragraph: bool,
    ) -> int | None:
        """Open a list item and return where its contents begin, or return None."""
        match = _LIST_MARKER.match(text, first)
        if not match:
            return None
        after = match.end()
        inside = _skip_spaces(text, after)
        blank = inside == len(text)
        if in_paragraph and (blank or int(match[2] or 1) != 1):
            return None
        if blank or inside - after >= 5:
            inside = after + 1
        self._close(depth)
        list_type = match[1][-1]
        if depth == 0 and self._last_is_list(list_type):
            self.containers.append(_Container(inside - at))
        else:
            self.list_type = list_type if depth == 0 else self.list_type
            self._add(Block(LIST, index))
            self.containers.append(_Container(inside - at))
        return min(inside, len(text))

    def _last_is_list(self, list_type: str) -> bool:
        return bool(
            self.blocks and self.blocks[-1].kind == LIST and self.list_type == list_type
        )

    def _open(self, kind: str, index: int, depth: int) -> None:
        self._close(depth)
        self._add(Block(kind, index))
        if kind == QUOTE:
            self.containers.append(_Container(0))
        else:
            self.leaf = kind

    def _add(self, block: Block) -> None:
        """Add a block to the innermost open container, or to the document."""
        if self.containers:
            self.containers[-1].children += 1
        else:
            self.blocks.append(block)

    def _add_text(self, index: int, text: str) -> None:
        if self.leaf == PARAGRAPH:
            self.paragraph.append(text)
        else:
            self._add(Block(PARAGRAPH, index))
            self.leaf = PARAGRAPH
            self.paragraph = [text]

    def _close(self, depth: int) -> None:
        """Close the open leaf, and the containers deeper than `depth`."""
        if self.leaf == PARAGRAPH and self.containers and self.paragraph:
            # A paragraph of nothing but link definitions leaves no block behind.
            defines = self.paragraph[0].startswith("[")
            if defines and not _without_definitions(self.paragraph):
                self.containers[-1].children -= 1
        self.leaf = None
        del self.containers[depth:]


def _match(pattern: str, text: str, at: int) -> re.Match[str] | None:
    return re.compile(pattern).match(text, at)


def _skip_spaces(text: str, at: int) -> int:
    """Return the place of the first character from `at` on that is no space."""
    length = len(text)
    while at < length and text[at] == " ":
        at += 1
    return at


def _closes(text: str, at: int, mark: str) -> bool:
    """Tell whether a line closes the fence that `mark` opened."""
    rest = text[at:].rstrip(" \r\n")
    run = rest.lstrip(" ")
    return len(rest) - len(run) < 4 and run.startswith(mark) and not run.strip(mark[0])


def _without_definitions(paragraph: list[str]) -> str:
    """Return a paragraph's text without the link definitions that it begins with."""
    text = "\n".join([line.expandtabs(4).strip(" \r\n") for line in paragraph])
    at = 0
    while text.startswith("[", at):
        end = _definition_end(text, at)
        if end is None:
            break
        at = end
    return text[at:]


def _definition_end(text: str, at: int) -> int | None:
    """Return where the link definition that begins at `at` ends, None if none does."""
    label = _match(_LINK_LABEL, text, at)
    if not label or not label[0][1:-2].strip():
        return None
    start = _match(_LINK_SPACE, text, label.end()).end()
    target = _match(_LINK_TARGET, text, start)
    if not target or not _balanced(target[0]):
        return None
    space = _match(_LINK_SPACE, text, target.end())
    if space[0]:
        title = _match(_LINK_TITLE, text, space.end())
        line_end = title and _match(_LINE_END, text, title.end())
        if line_end:
            return line_end.end()
    line_end = _match(_LINE_END, text, target.end())
    return line_end.end() if line_end else None


def _balanced(target: str) -> bool:
    """Tell whether a link's target, if it is not in <>, has parentheses in pairs."""
    if target.startswith("<"):
        return True
    depth = 0
    for character in re.sub(_ESCAPED_PAREN, "", target):
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return depth == 0
