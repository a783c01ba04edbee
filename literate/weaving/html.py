"""Pages with HTML inside of Markdown: links, slugs, and the marks around what stays.

A woven page is Markdown in which ready HTML stands between two marks. Whoever turns
the page into HTML puts the marked parts in unread: `StashExtension` does that for
Python-Markdown.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from html import escape

from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor

MARK = "\x1e"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_QUOTES = re.compile(
    r"""
      \\. | (?P<ticks>`+)[\s\S]+?(?<!`)(?P=ticks)(?!`) | \$[^\s$][^$]*\$ | <[^>\s][^>]*>
    | (?P<opening>(?<![^\s(\[{\u2013\u2014])[*_]*["']+)
    | (?P<closing>["'])
    """,
    re.VERBOSE,
)


def raw(markup: str) -> str:
    """Return HTML marked as finished, to stand in a line of Markdown.

    A control character is shown as one that is not known.
    """
    markup = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", markup).replace("\t", "&#9;")
    return f"{MARK}{markup}{MARK}"


def raw_block(markup: str) -> str:
    """Return HTML marked as finished, as a block of its own."""
    return f"\n{raw(markup)}\n"


def link(url: str, text: str) -> str:
    """Return a link that shows a text."""
    return f'<a href="{url}">{escape(text)}</a>'


def curl(text: str) -> str:
    """Return Markdown with typographic quotes and apostrophes for the straight ones.

    Code, formulas, tags and what stands behind a backslash stay as they are.
    """

    def curled(match: re.Match[str]) -> str:
        if match["opening"]:
            return match[0].replace('"', "“").replace("'", "‘")
        return {'"': "”", "'": "’"}.get(match[0], match[0])

    return _QUOTES.sub(curled, text)


def plain(text: str) -> str:
    """Return Markdown as text without its marks, on one line."""
    text = curl(text)
    text = re.sub(r"\[\^[^\]]*\]|(?<!<)</?[a-zA-Z][^>]*>", "", text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"(`+)([^`]+)\1|\$`?|`\$|[*`\\]", r"\2", text)
    return " ".join(text.split())


def slug(text: str) -> str:
    """Return the anchor that a code host gives to a heading of this text."""
    text = unicodedata.normalize("NFC", text).strip().lower()
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", text)) or "section"


@dataclass
class Page:
    """A page: `text` is Markdown with marked HTML in it, `meta` its front matter.

    `line` is the document's line that it begins with, from 1; None if it has none.
    """

    path: str
    title: str
    text: str
    description: str
    line: int | None = None
    meta: dict[str, object] = field(default_factory=dict)


class Slugs:
    """Anchors that are used once: a second one of the same text gets a number."""

    def __init__(self, taken: tuple[str, ...] = ()) -> None:
        self._taken = set(taken)

    def unique(self, text: str) -> str:
        base = anchor = slug(text)
        number = 0
        while anchor in self._taken:
            number += 1
            anchor = f"{base}-{number}"
        self._taken.add(anchor)
        return anchor


class StashExtension(Extension):
    """Keeps Python-Markdown from reading what stands between marks."""

    def extendMarkdown(self, md: Markdown) -> None:
        # After white space is normalised (30), before fences are looked for (25).
        md.preprocessors.register(_Stash(md), "woven", 28)


class _Stash(Preprocessor):
    def run(self, lines: list[str]) -> list[str]:
        parts = "\n".join(lines).split(MARK)
        parts[1::2] = [self.md.htmlStash.store(part) for part in parts[1::2]]
        return "".join(parts).split("\n")
