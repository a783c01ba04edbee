"""Fences: every reader of Markdown sees those that the tangler accepts.

The oracle is markdown-it-py, which follows CommonMark.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from literate.core.blocks import Block, Fence, Heading, Html, Text, scan, split_lines


def oracle(text: str) -> list[tuple[int, int, str, str]]:
    """Return every fence that CommonMark sees, anywhere: place, info, contents."""
    return [
        (*token.map, token.info.strip(), token.content)
        for token in MarkdownIt("commonmark").parse(text)
        if token.type == "fence"
    ]


def ours(text: str) -> list[tuple[int, int, str, str]] | None:
    """Return the same of our own scanner, None if it finds a fault."""
    lines = split_lines(text)
    blocks, faults = scan(lines)
    if faults:
        return None
    return [
        (
            block.start,
            block.end,
            block.info,
            "".join(lines[block.start + 1 : block.last]),
        )
        for block in blocks
        if isinstance(block, Fence)
    ]


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
# Whole lines that often make a fence, so that many documents are accepted.
LIKELY = st.sampled_from(
    ["```", "```py", "~~~", "````", "", "text", "- a", "<b>", "# h"]
)
DOCUMENT = st.lists(st.one_of(LINE, LIKELY, LIKELY), max_size=9).map(
    lambda lines: "".join(f"{line}\n" for line in lines)
)


@settings(max_examples=3000)
@given(DOCUMENT)
@example("- a\n</b>\n")
@example("```\n```\t\n")
@example("[foo]: /url\n===\n")
@example("- [foo]: /url\n\n\n  ```\n")
@example("* * *a\n-\n\n- - ```\n    x\n```\n")
@example("<b>\n```\n```\n")
@example("text\n<b>\n```\n```\n")
@example("- a\n  <!--\n\n```\n```\n")
@example("<!--\n-->\n```\n```\n")
@example("```\n ```\n```\n")
@example("``` a`b\n")
def test_what_is_accepted_is_what_everybody_sees(text: str) -> None:
    found = ours(text)
    if found is not None:
        assert found == oracle(text)


@pytest.mark.parametrize(
    ("text", "fences"),
    [
        ("```\na\n```\n", [(0, 3)]),
        ("``` a`b\n", []),
        ("~~~ a`b\n~~~\n", [(0, 2)]),
        ("````\n```\n`````\n", [(0, 3)]),
        ("```\n``` x\n```\n", [(0, 3)]),
        ("text\n```\n```\ntext\n", [(1, 3)]),
        ("> a\n```\nb\n```\n", [(1, 4)]),
        ("1. a\n```\nb\n```\n", [(1, 4)]),
        ("- a\n\n```\nb\n```\n", [(2, 5)]),
        ("<div>\nb\n</div>\n\n```\nc\n```\n", [(4, 7)]),
        ("<!--\n\n-->\n```\n```\n", [(3, 5)]),
        ("[a]: b\n```\n```\n", [(1, 3)]),
        ("\u2028a\n```\n\x0b```\n```\n", [(1, 4)]),
        ("a\r```\rb\r```\r", [(1, 4)]),
    ],
)
def test_accepted(text: str, fences: list[tuple[int, int]]) -> None:
    assert [fence[:2] for fence in ours(text)] == fences


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("```\na", 1, "never closed"),
        ("   ~~~\na\n  ~~~~\n", 1, "indented"),
        ("    ```\na\n```\n", 1, "indented"),
        ("\t```\n", 1, "indented"),
        ("```\na\n  ```\n```\n", 3, "an indented end"),
        ("> ```\n> a\n```\nb\n```\n", 1, "in a list or a quote"),
        (">```\n", 1, "in a list or a quote"),
        ("- a\n\n  ```\n  b\n  ```\n", 3, "in a list or a quote"),
        ("- ```\n", 1, "in a list or a quote"),
        ("12) ~~~ x\n", 1, "in a list or a quote"),
        ("<div>\n```\nb\n```\n", 2, "right under HTML"),
        ("a\n<b>\n```\n```\n", 3, "right under HTML"),
        ("<b>\n# h\n```\n```\n", 2, "a heading right under HTML"),
        ("<pre>\n\n```\n</pre>\n```\n```\n", 3, "inside of HTML"),
        ("<!--\n\n  ```\n-->\n", 3, "inside of HTML"),
        ("<!-- a\n\nb\n", 1, "never closed"),
        ("Two\nwords\n---\n", 3, "makes a heading"),
        ("One\n===\n", 2, "makes a heading"),
    ],
)
def test_refused(text: str, line: int, said: str) -> None:
    _, faults = scan(split_lines(text))
    index, fault = faults[0]
    assert index == line - 1 and said in fault.message


def test_headings() -> None:
    text = "# One #\n\nTwo\n\n> # No\n\n### Three\n[a]: b\n#\n#x\n"
    blocks, _ = scan(split_lines(text))
    headings = [block for block in blocks if isinstance(block, Heading)]
    shown = [(heading.start, heading.level, heading.text) for heading in headings]
    assert shown == [(0, 1, "One"), (6, 3, "Three"), (8, 1, "")]


def test_blocks_cover_every_line_that_is_not_blank() -> None:
    text = (
        "a\n\n- b\n\n  c\nd\n\n```\n\n```\n<p>\n\n***\n<!-- a\n\nb -->\n\n> g\n# h\ni\n"
    )
    lines = split_lines(text)
    blocks, faults = scan(lines)
    assert not faults
    covered = [n for block in blocks for n in range(block.start, block.end)]
    assert sorted(set(covered)) == covered
    assert all(lines[n] == "\n" for n in set(range(len(lines))) - set(covered))
    kinds = [type(block) for block in blocks]
    assert kinds == [Text, Text, Text, Fence, Html, Text, Html, Text, Heading, Text]
    assert all(isinstance(block, Block) for block in blocks)


@given(st.text(st.sampled_from("a\n\r\v\f\x1c\x85\u2028 ")))
def test_lines_end_at_line_feeds_and_carriage_returns_only(text: str) -> None:
    pattern = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
    assert split_lines(text) == pattern.findall(text)
