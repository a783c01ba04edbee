"""Code in colours: a text's tokens, line by line, and examples as HTML."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.lexers.special import TextLexer
from pygments.token import STANDARD_TYPES, Comment, Keyword, Name, Number, String
from pygments.util import ClassNotFound

from literate.weaving.html import escape, slug

_COLOURED = (Comment, Keyword, Number, String)


class Token(NamedTuple):
    """A part of a line: its first column, from 0, and the class of its colour or ""."""

    column: int
    text: str
    colour: str

    @property
    def markup(self) -> str:
        """The token as HTML."""
        shown = escape(self.text)
        return f'<span class="{self.colour}">{shown}</span>' if self.colour else shown


@cache  # pieces are shown on several pages, and are the same in the next build
def tokenize(text: str, language: str, is_chunk: bool = True) -> list[list[Token]]:
    r"""Return the tokens of each line of a text whose lines end in `\n`.

    In a chunk only a few kinds of token have a colour.
    """
    colour_of = _chunk_colour if is_chunk else _example_colour
    lines: list[list[Token]] = [[]]
    for _, kind, value in _lexer(language).get_tokens_unprocessed(text):
        for number, part in enumerate(value.split("\n")):
            if number:
                lines.append([])
            if part:
                _append(lines[-1], part, colour_of(kind))
    return lines[:-1]


def _append(line: list[Token], text: str, colour: str) -> None:
    """Add a token to a line, or text to its last token if that has the colour."""
    last = line[-1] if line else Token(0, "", "")
    if last.colour == colour and line:
        line[-1] = last._replace(text=last.text + text)
    else:
        line.append(Token(last.column + len(last.text), text, colour))


def highlight(text: str, language: str, line: int | None = None) -> str:
    """Return a fenced block that is no chunk as HTML.

    `line` is its line in the document, if scripts are to know it.
    """
    lines = tokenize(text, language, is_chunk=False)
    body = "".join("".join(token.markup for token in each) + "\n" for each in lines)
    return (
        f'<div class="highlight example language-{slug(language or "text")}"'
        f"{line_mark(line)}><pre><code>{body}</code></pre></div>"
    )


def line_mark(line: int | None) -> str:
    """Return the attribute that tells scripts a line of the document."""
    return f' data-line="{line}"' if line else ""


@cache
def _lexer(language: str) -> Lexer:
    try:
        return get_lexer_by_name(language or "text")
    except ClassNotFound:
        return TextLexer()


@cache
def _chunk_colour(kind) -> str:
    return next((STANDARD_TYPES[group] for group in _COLOURED if kind in group), "")


def _example_colour(kind) -> str:
    return STANDARD_TYPES.get(kind, "") if kind not in Name else ""
