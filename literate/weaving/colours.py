"""Code in colours: a text's tokens, line by line, and examples as HTML."""

from __future__ import annotations

from functools import cache
from html import escape
from itertools import groupby
from typing import NamedTuple

from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES, Comment, Generic, Keyword, Number, String
from pygments.util import ClassNotFound

from literate.weaving.html import slug
from literate.weaving.quantities import NONE, Quantities, quantities

_COLOURED = (Comment, Keyword, Number, String)
_NAMING = ("", STANDARD_TYPES[String])  # colours of tokens that names may stand in


class Token(NamedTuple):
    """A part of a line, and the class of its colour or ""."""

    text: str
    colour: str

    def markup(self, of: Quantities = NONE) -> str:
        """Return the token as HTML, with the names of quantities marked."""
        shown = of.in_code(self.text) if self.colour in _NAMING else escape(self.text)
        return f'<span class="{self.colour}">{shown}</span>' if self.colour else shown


@cache  # pieces are shown on several pages, and are the same in the next build
def tokenize(text: str, language: str) -> list[list[Token]]:
    r"""Return the tokens of each line of a text whose lines end in `\n`."""
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        lexer = get_lexer_by_name("text")
    lines: list[list[Token]] = [[]]
    tokens = lexer.get_tokens_unprocessed(text)
    for colour, alike in groupby(tokens, lambda token: _colour(token[1])):
        parts = "".join(value for _, _, value in alike).split("\n")
        for number, part in enumerate(parts):
            if number:
                lines.append([])
            if part:
                lines[-1].append(Token(part, colour))
    return lines[:-1]


def highlight(
    text: str, language: str, line: int | None = None, chapter: str = ""
) -> str:
    """Return a fenced block that is no chunk as HTML.

    `line` is its line in the document, if scripts are to know it. In a session, the
    names of the chapter's quantities are marked.
    """
    of = quantities(chapter if language == "pycon" else "")
    lines = tokenize(text, language)
    body = "".join("".join(token.markup(of) for token in each) + "\n" for each in lines)
    return (
        f'<div class="highlight example language-{slug(language or "text")}"'
        f"{line_mark(line)}><pre><code>{body}</code></pre></div>"
    )


def line_mark(line: int | None) -> str:
    """Return the attribute that tells scripts a line of the document."""
    return f' data-line="{line}"' if line else ""


def _colour(kind) -> str:
    if kind in Generic:  # what a session prints, and its prompts
        return STANDARD_TYPES[kind]
    return next((STANDARD_TYPES[group] for group in _COLOURED if kind in group), "")
