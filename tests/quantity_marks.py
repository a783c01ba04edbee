"""Every name that is marked as a quantity, with its line: for a person to read, once.

    make quantities                   or, of a site that is built:
    python tests/quantity_marks.py site

A name in another sense is mended in `literate/weaving/quantities.py`. What was read is
noted in `tests/site/quantities.txt`, which a test compares.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from html_tree import Element, read_html

READ = Path(__file__).parent / "site" / "quantities.txt"
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


def names_by_page(pages: dict[str, Element]) -> str:
    """Return a line for each quantity of each page: what it is called there."""
    found: dict[tuple[str, str], set[str]] = {}
    for page, tree in pages.items():
        for quantity, name, _ in quantity_marks(tree):
            found.setdefault((page, quantity), set()).add(name)
    lines = (
        f"{page}: {quantity}: {', '.join(sorted(names))}\n"
        for (page, quantity), names in sorted(found.items())
    )
    return "".join(lines)


if __name__ == "__main__":
    pages = {
        path.parent.name: read_html(path.read_text(encoding="utf-8"))
        for path in sorted(Path(sys.argv[1]).glob("*/index.html"))
        if path.parent.name != "book"  # which has all chapters once more
    }
    for page, tree in pages.items():
        for mark in quantity_marks(tree):
            print(page, *mark, sep="\t")
    READ.write_text(names_by_page(pages), encoding="utf-8")
