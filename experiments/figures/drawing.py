"""What all figures share: their colours, their shapes, and the lines of an SVG file.

The colours are those of the site, custom properties in web/book.css, and each file
brings the ones it uses along, for light and for dark pages. The site puts the file into
its page without them, so that there the figure follows the page. Each is 360 wide, and
its letters are large enough to be read on a phone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache
from html import escape

from experiments.programs import ROOT

FOLDER = ROOT / "web" / "figures"
STYLE = ROOT / "web" / "book.css"
WIDTH = 360
INK, SOFT, RULE = "var(--ink)", "var(--ink-soft)", "var(--rule)"
TOKEN, STREAM, QUERY = "var(--token)", "var(--stream)", "var(--query)"
KEY, VALUE, MLP = "var(--key)", "var(--value)", "var(--mlp)"
LOSS, SLOPE = "var(--loss)", "var(--slope)"
ABOVE, BELOW = "var(--above)", "var(--below)"
PALE = 0.16  # how strongly a shape is filled with the colour of its outline

FIGURES: dict[str, Callable[[dict], str]] = {}


def figure(name: str) -> Callable:
    """Let a function that returns an SVG file draw the figure of this name."""

    def keep(draw: Callable[[dict], str]) -> Callable[[dict], str]:
        FIGURES[f"{name}.svg"] = draw
        return draw

    return keep


@cache
def colours() -> dict[str, dict[str, str]]:
    """Return the site's colours in both schemes, `default` and `slate`, by name."""
    blocks = re.findall(
        r'\[data-md-color-scheme="(\w+)"\] \{(.*?)\}', STYLE.read_text(), re.DOTALL
    )
    return {
        scheme: dict(re.findall(r"--([\w-]+): (#\w+);", block))
        for scheme, block in reversed(blocks)
    }


class Drawing:
    """The elements of an SVG file, made by calls that draw."""

    def __init__(self, title: str, description: str, height: int) -> None:
        self.title, self.description, self.height = title, description, height
        self.elements: list[str] = []

    def add(self, tag: str, words: str | None = None, /, **attributes) -> None:
        """Draw an element; underscores in the names of attributes become hyphens."""
        parts = [tag]
        for name, value in attributes.items():
            value = f"{round(value, 2):g}" if isinstance(value, float) else value
            parts.append(f'{name.replace("_", "-")}="{value}"')
        end = "/>" if words is None else f">{escape(words)}</{tag}>"
        self.elements.append(f"<{' '.join(parts)}{end}")

    def text(self, x: float, y: float, words: str, anchor: str = "middle", **more):
        """Write a word."""
        self.add("text", words, x=one(x), y=one(y), text_anchor=anchor, **more)

    def line(self, x1: float, y1: float, x2: float, y2: float, **more) -> None:
        """Draw a straight line."""
        places = {"x1": one(x1), "y1": one(y1), "x2": one(x2), "y2": one(y2)}
        self.add("line", **places, **{"stroke": INK} | more)

    def dot(self, x: float, y: float, colour: str, size: float = 4.0) -> None:
        """Draw a dot."""
        self.add("circle", cx=one(x), cy=one(y), r=size, fill=colour)

    def curve(self, points: list[tuple[float, float]], **more) -> None:
        """Draw a line through points."""
        shown = " ".join(f"{one(x):g},{one(y):g}" for x, y in points)
        self.add("polyline", points=shown, fill="none", **more)

    def arrow(self, x1: float, y1: float, x2: float, y2: float, colour: str = SOFT,
              width: float = 1.5, **more) -> None:  # fmt: skip
        """Draw an arrow whose tip is at the second point."""
        length = math.hypot(x2 - x1, y2 - y1)
        along = (x2 - x1) / length, (y2 - y1) / length
        size = 4 + 2 * width
        x, y = x2 - size * along[0], y2 - size * along[1]
        self.line(x1, y1, x, y, stroke=colour, stroke_width=width, **more)
        sides = [(x - s * along[1], y + s * along[0]) for s in (size / 2, -size / 2)]
        self.outline([(x2, y2), *sides], fill=colour)

    def outline(self, corners: list[tuple[float, float]], **more) -> None:
        """Draw a shape with straight sides."""
        points = " ".join(f"{one(x):g},{one(y):g}" for x, y in corners)
        self.add("polygon", points=points, **more)

    def shape(self, kind: str, x: float, y: float, width: float, height: float,
              words: str = "", fill: float = PALE) -> None:  # fmt: skip
        """Draw the shape of a kind of thing around a middle, with words in it."""
        left, right = x - width / 2, x + width / 2
        top, bottom = y - height / 2, y + height / 2
        paint = {"fill": f"var(--{kind})", "fill_opacity": fill}
        paint |= {"stroke": f"var(--{kind})", "stroke_width": 1.5}
        lean = {"query": height / 3, "key": -height / 3}.get(kind, 0)
        if kind in ("query", "key"):
            upper = [(left + max(lean, 0), top), (right + min(lean, 0), top)]
            lower = [(right - max(lean, 0), bottom), (left - min(lean, 0), bottom)]
            self.outline(upper + lower, **paint)
        elif kind == "mlp":
            cut = height / 3
            upper = [(left + cut, top), (right - cut, top), (right, y)]
            lower = [(right - cut, bottom), (left + cut, bottom), (left, y)]
            self.outline(upper + lower, **paint)
        elif kind == "loss":
            self.add("circle", cx=one(x), cy=one(y), r=height / 2, **paint)
        else:
            round_ = height / 2 if kind == "value" else 2
            paint |= {"rx": round_, "x": one(left), "y": one(top)}
            self.add("rect", width=width, height=height, **paint)
        if words:
            self.text(x, y + 4, words)

    def svg(self) -> str:
        """Return the file."""
        body = "\n".join(self.elements)
        used = sorted({"ink", *re.findall(r"var\(--([\w-]+)\)", body)})
        light, dark = (
            "".join(f"--{name}:{scheme[name]};" for name in used)
            for scheme in (colours()["default"], colours()["slate"])
        )
        return (
            f'<svg class="drawing" xmlns="http://www.w3.org/2000/svg" role="img"'
            f' viewBox="0 0 {WIDTH} {self.height}" width="{WIDTH}"'
            f' height="{self.height}" font-family="Arial, Helvetica, sans-serif"'
            f' font-size="12" fill="{INK}">\n'
            f"<title>{escape(self.title)}</title>\n"
            f"<desc>{escape(self.description)}</desc>\n"
            f"<style>svg{{{light}}}"
            f"@media(prefers-color-scheme:dark){{svg{{{dark}}}}}</style>\n"
            f"{body}\n</svg>\n"
        )


def one(number: float) -> float:
    """Round to a tenth of a pixel."""
    return round(float(number), 1)


def percent(share: float) -> str:
    """Return a share in percent, with a digit after the point where it is small."""
    number = 100 * share
    return f"{number:.0f}" if number >= 1 or number == 0 else f"{number:.1f}"
