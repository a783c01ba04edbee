"""Every link of a term, with the sentence around it: for a person to read, once.

    make terms                        or, of a site that is built:
    python tests/term_links.py site

A word in another sense is mended in the book: by another word there, or by a note in
the glossary, `key (of attention)`, with which it is linked only where it is marked.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from html_tree import Element, read_html

BLOCKS = {"p", "li", "td", "th", "figcaption", "summary"}


def term_links(page: Element) -> Iterator[tuple[str, str]]:
    """Yield the words of a page that are linked as terms, each with its sentence."""
    inside: dict[Element, Element] = {}  # of which block a link is part, the inmost
    for margin in page.all("span", "term-note"):
        margin.children = []
    for block in page.walk():
        if block.tag in BLOCKS:
            inside.update((link, block) for link in block.all("a", "term"))
    for link, block in inside.items():
        word = " ".join(link.text.split())
        link.children = [f"[{word}]"]
        text = " ".join(block.text.split())
        sentences = re.split(r"(?<=[.!?:]) (?=[A-Z\[])", text)
        yield word, next(each for each in sentences if f"[{word}]" in each)
        link.children = [word]


if __name__ == "__main__":
    site = Path(sys.argv[1])
    for path in sorted(site.rglob("index.html")):
        name = path.parent.relative_to(site).as_posix()
        for word, sentence in term_links(read_html(path.read_text(encoding="utf-8"))):
            print(f"{name} | {word} | {sentence}")
