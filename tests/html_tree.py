"""A web page as a tree, read with the standard library's parser."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

_VOID_TAGS = """
    area base br col embed hr img input link meta source track wbr
"""
VOID = frozenset(_VOID_TAGS.split())


class Element:
    def __init__(self, tag, attributes):
        self.tag = tag
        self.attributes = attributes
        self.children = []

    @property
    def classes(self):
        return (self.attributes.get("class") or "").split()

    def get(self, name):
        return self.attributes.get(name)

    def walk(self) -> Iterator[Element]:
        """Yield this element and those inside it, in order."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def all(self, tag=None, kind=None):
        """Return the elements inside that have a tag and a class."""
        return [
            element
            for element in self.walk()
            if element is not self
            and (tag is None or element.tag == tag)
            and (kind is None or kind in element.classes)
        ]

    def first(self, tag=None, kind=None):
        found = self.all(tag, kind)
        return found[0] if found else None

    @property
    def text(self):
        parts = (c.text if isinstance(c, Element) else c for c in self.children)
        return "".join(parts)


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag, attributes):
        element = Element(tag, dict(attributes))
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attributes):
        self.open[-1].children.append(Element(tag, dict(attributes)))

    def handle_endtag(self, tag):
        tags = [element.tag for element in self.open]
        if tag in tags[1:]:
            del self.open[len(tags) - 1 - tags[::-1].index(tag) :]

    def handle_data(self, data):
        self.open[-1].children.append(data)


def read_html(markup):
    """Return the root of a page's tree."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return reader.root
