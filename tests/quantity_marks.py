"""Every name that is marked as a quantity, with its line: for a person to read, once.

    make quantities                   or, of a site that is built:
    python tests/quantity_marks.py site

A name in another sense is mended in `literate/weaving/quantities.py`.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from html_tree import Element, read_html

BLOCKS = {"p", "li", "td", "th", "figcaption", "summary", "pre", "math"}


def quantity_marks(page: Element) -> Iterator[tuple[str, str, str]]:
    """Yield quantity, name and line of each mark outside of what is shown elsewhere.

    Code that opens in place stands on the page of its own chapter as well.
    """
    for inside in page.all("div", "inside"):
        inside.children = []
    block: dict[Element, Element] = {}  # the inmost that a mark is in
    for each in page.walk():
        if each.tag in BLOCKS:
            marks = (mark for mark in each.walk() if mark.get("data-quantity"))
            block.update((mark, each) for mark in marks)
    for mark, around in block.items():
        name = " ".join(mark.text.split())
        children, mark.children = mark.children, [f"[{name}]"]
        lines = around.text.splitlines()
        line = next(line for line in lines if f"[{name}]" in line)
        mark.children = children
        yield mark.get("data-quantity"), name, " ".join(line.split())


if __name__ == "__main__":
    for path in sorted(Path(sys.argv[1]).glob("*/index.html")):
        if path.parent.name == "book":  # all chapters once more
            continue
        for mark in quantity_marks(read_html(path.read_text(encoding="utf-8"))):
            print(path.parent.name, *mark, sep="\t")
