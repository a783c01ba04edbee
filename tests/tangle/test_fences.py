"""The top-level blocks of Markdown documents, against CommonMark's own examples.

The oracle is the PyPI package commonmark 0.9.2, which follows version 0.29 of the
specification. Where 0.31 decides otherwise the oracle is mended first, see `mended`.
"""

from __future__ import annotations

import re

import commonmark
import commonmark.blocks
import commonmark.inlines
import pytest
from commonmark.common import unescape_string
from hypothesis import example, given, settings
from hypothesis import strategies as st

from literate.core.markdown import (
    Fence,
    Heading,
    parse_blocks,
    split_lines,
    unindent,
)

KINDS = {
    "block_quote": "quote",
    "code_block": "code",
    "html_block": "html",
    "thematic_break": "break",
}


@pytest.fixture(scope="module", autouse=True)
def mended():
    """Bring the oracle from version 0.29 of the specification to 0.31."""
    blocks, inlines = commonmark.blocks, commonmark.inlines
    with pytest.MonkeyPatch.context() as patch:
        # Tabs, not only spaces, may follow a closing fence and a link definition.
        closing = re.compile(r"^(?:`{3,}|~{3,})(?=[ \t]*$)")
        patch.setattr(blocks, "reClosingCodeFence", closing)
        patch.setattr(inlines, "reSpaceAtEndOfLine", re.compile(r"^[ \t]*(?:\n|$)"))
        patch.setattr(inlines, "reSpnl", re.compile(r"^[ \t]*(?:\n[ \t]*)?"))
        # <textarea> begins an HTML block of the first kind, <search> one of the sixth,
        # and a declaration may be in small letters; <source> begins none.
        openings, closings = list(blocks.reHtmlBlockOpen), list(blocks.reHtmlBlockClose)
        openings[1] = replaced(openings[1], "style", "style|textarea")
        closings[1] = replaced(closings[1], "style", "style|textarea")
        openings[4] = replaced(openings[4], "[A-Z]", "[A-Za-z]")
        openings[6] = replaced(openings[6], "source", "search|h[2-6]")
        patch.setattr(blocks, "reHtmlBlockOpen", openings)
        patch.setattr(blocks, "reHtmlBlockClose", closings)
        # An HTML block of the seventh kind does not interrupt a lazy paragraph either.
        begins = blocks.BlockStarts.html_block

        def html_block(parser, container=None) -> int:
            rest = parser.current_line[parser.next_nonspace :]
            lazy = not parser.all_closed and parser.tip.t == "paragraph"
            seventh = not any(re.search(kind, rest) for kind in openings[1:7])
            return 0 if lazy and seventh else begins(parser, container)

        patch.setattr(blocks.BlockStarts, "html_block", staticmethod(html_block))
        yield


def replaced(pattern: re.Pattern[str], old: str, new: str) -> re.Pattern[str]:
    assert old in pattern.pattern
    return re.compile(pattern.pattern.replace(old, new), pattern.flags)


def oracle(text: str) -> list[tuple]:
    """Return what the oracle sees: every top-level block that is no paragraph."""
    found = []
    node = commonmark.Parser().parse(text).first_child
    while node:
        start, end = node.sourcepos[0][0], node.sourcepos[1][0]
        if node.t == "code_block" and node.is_fenced:
            found.append(("fence", start, end, node.info or "", node.literal))
        elif node.t == "heading":
            found.append(("heading", start, node.level))
        elif node.t != "paragraph":
            found.append((KINDS.get(node.t, node.t), start))
        node = node.nxt
    return found


def ours(text: str) -> list[tuple]:
    """Return the same of our own scanner."""
    lines = split_lines(text)
    found = []
    for block in parse_blocks(lines):
        if isinstance(block, Fence):
            body = unindent(lines[block.start + 1 : block.last], block.indent)
            literal = "".join(line.rstrip("\r\n") + "\n" for line in body)
            info = unescape_string(block.info)
            found.append(("fence", block.start + 1, block.end, info, literal))
        elif isinstance(block, Heading):
            found.append(("heading", block.start + 1, block.level))
        elif block.kind != "paragraph":
            found.append((block.kind, block.start + 1))
    return found


FRAGMENTS = """
- |* |+ |1. |2) |10. |> |>|```|~~~|````|```py|~~~ x `y|<div>|</div>|<DIV|<h2>
<script>|</script>|<textarea>|</style>|<!--|-->|<?x|?>|<!a|>|<![CDATA[|]]>|<search>
<a href="x">|</a>|<b |<pre>|[foo]: /url|[foo]: /url "t"|[foo]:|[a]: <b> (c|"t"
===|---|- - -|***|___|# h|## h ##|#|#x|    |\t| |  |   |text|a b|     code|*|-|1.|\\
`|[x]|==|[a]: (b)|[a]: b)|[ ]: c|'t|t'|)|é
"""
FRAGMENT = st.sampled_from(
    [
        part.replace("\\t", "\t")
        for row in FRAGMENTS.strip("\n").split("\n")
        for part in row.split("|")
    ]
)
LINE = st.lists(FRAGMENT, max_size=4).map("".join)
ENDED_LINE = st.tuples(LINE, st.sampled_from(["\n", "\n", "\r\n", "\r"])).map("".join)
# The oracle takes a final \r for one line more.
DOCUMENT = st.lists(ENDED_LINE, max_size=9).map(lambda lines: "".join(lines) + "\n")


@settings(max_examples=2000, deadline=None)
@given(DOCUMENT)
@example("- a\n</b>\n")
@example("```\n```\t\n")
@example("[foo]: /url\n===\n")
@example("- [foo]: /url\n\n\n  ```\n")
@example("* * *a\n-\n\n- - ```\n    x\n```\n")
def test_random_documents(text: str) -> None:
    assert ours(text) == oracle(text)


@pytest.mark.parametrize(
    ("text", "fences"),
    [
        ("```\na\n```\n", [(0, 3)]),
        ("```\na", [(0, 2)]),
        ("   ~~~\na\n  ~~~~\n", [(0, 3)]),
        ("    ```\na\n```\n", [(2, 3)]),
        ("``` a`b\n", []),
        ("~~~ a`b\n~~~\n", [(0, 2)]),
        ("````\n```\n`````\n", [(0, 3)]),
        ("```\n``` x\n```\n", [(0, 3)]),
        ("text\n```\n```\ntext\n", [(1, 3)]),
        ("> ```\n> a\n```\nb\n```\n", [(2, 5)]),
        ("- a\n\n  ```\n  b\n  ```\n", []),
        ("- a\n\n ```\n b\n ```\n", [(2, 5)]),
        ("1. a\n```\nb\n```\n", [(1, 4)]),
        ("<div>\n```\nb\n```\n\n```\nc\n```\n", [(5, 8)]),
        ("<!--\n\n```\n-->\n```\n```\n", [(4, 6)]),
        ("<pre>\n\n```\n</pre>\n```\n```\n", [(4, 6)]),
        ("a\n<b>\n```\n```\n", [(2, 4)]),
        ("<b>\n```\n\n```\n```\n", [(3, 5)]),
        ("[a]: b\n```\n```\n", [(1, 3)]),
        ("\u2028```\n```\n\x0b```\n", [(1, 3)]),
        ("a\r```\rb\r```\r", [(1, 4)]),
    ],
)
def test_fences(text: str, fences: list[tuple[int, int]]) -> None:
    blocks = parse_blocks(split_lines(text))
    found = [(block.start, block.end) for block in blocks if isinstance(block, Fence)]
    assert found == fences


def test_headings() -> None:
    text = "# One #\n\nTwo\n*words*\n---\n> # No\n\n### Three\n[a]: b\nFour\n===\n"
    headings = [b for b in parse_blocks(split_lines(text)) if isinstance(b, Heading)]
    shown = [(heading.start, heading.level, heading.text) for heading in headings]
    expected = [(0, 1, "One"), (2, 2, "Two *words*"), (7, 3, "Three"), (8, 1, "Four")]
    assert shown == expected


def test_blocks_cover_every_line_that_is_not_blank() -> None:
    text = "a\n\n- b\n\n  c\nd\n\n```\n\n```\n<p>\n\n***\n    e\n\n    f\n\n> g\n"
    lines = split_lines(text)
    covered = [n for b in parse_blocks(lines) for n in range(b.start, b.end)]
    assert sorted(set(covered)) == covered
    assert all(lines[n] == "\n" for n in set(range(len(lines))) - set(covered))


@given(st.text(st.sampled_from("a\n\r\v\f\x1c\x85\u2028 ")))
def test_lines_end_at_line_feeds_and_carriage_returns_only(text: str) -> None:
    pattern = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
    assert split_lines(text) == pattern.findall(text)
