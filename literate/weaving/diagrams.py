"""Mermaid diagrams as static SVG, drawn once and kept by the hash of their source.

The drawings carry no colours: the site's style sheet gives them the page's own, so that
one drawing serves light, dark and print.
"""

from __future__ import annotations

import hashlib
import os
import re
from html import escape
from pathlib import Path

_FORM = "7"  # to be raised when drawings made before are no longer good
_CONFIG = {
    "fontFamily": "Arial, Helvetica, sans-serif",
    "fontSize": 15,
    "flowchart": {
        "padding": 10,
        "wrappingWidth": 240,
        "nodeSpacing": 24,
        "rankSpacing": 28,
        "subGraphTitleMargin": {"top": 4, "bottom": 10},
    },
}
# A subgraph's title stands at its left end, where no arrow crosses it.
_CLUSTER = re.compile(
    r'(<g class="cluster\b[^>]*><rect [^>]*?\bx=")([-\d.]+)("[^>]*/><g [^>]*'
    r'class="cluster-label[^>]*transform="translate\()[-\d.]+'
)
_LABELS = re.compile(r"<p>(.*?)</p>|<text[^>]*>(.*?)</text>", re.DOTALL)


class DiagramError(Exception):
    """A diagram that mermaid cannot read; the message is mermaid's."""


def draw_once(source: str, folder: Path) -> str:
    """Return a diagram as SVG; a folder keeps it from one build to the next.

    Raises DiagramError.
    """
    file = folder / f"{_key(source)}.svg"
    if not file.exists():
        drawing = draw(source)
        folder.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(f".{os.getpid()}")
        part.write_text(drawing, encoding="utf-8")
        part.replace(file)
    return file.read_text(encoding="utf-8")


def draw(source: str) -> str:
    """Return a diagram as SVG with a description in words. Raises DiagramError."""
    import mermaidx  # costs a second, and only when something must be drawn

    try:
        drawn = mermaidx.render(source, config=_CONFIG).svg()
    except Exception as error:  # the engine's own errors have no common class
        raise DiagramError(str(error).strip() or "mermaid cannot read this") from None
    return _tidy(drawn, _key(source))


def _key(source: str) -> str:
    return hashlib.sha256(f"{_FORM}\n{source}".encode()).hexdigest()[:12]


def _tidy(drawn: str, key: str) -> str:
    """Return mermaid's SVG without its style, its unused parts and foreign ids."""
    svg = re.sub(r"<style>.*?</style>", "", drawn, flags=re.DOTALL)
    svg = re.sub(r"<defs>\s*<filter.*?</defs>", "", svg, flags=re.DOTALL)
    used = set(re.findall(r"url\(#([^)]+)\)", svg))

    def keep_used(match: re.Match[str]) -> str:
        return match[0] if match[1] in used else ""

    marker = re.compile(r'<marker id="([^"]+)".*?</marker>', re.DOTALL)
    svg = marker.sub(keep_used, svg)
    words = _description(svg)
    svg = re.sub(r"</p>\s*<p>|<br\s*/>", "<br>", svg)
    svg = re.sub(r"</?p>", "", svg)  # a label is a span, which holds no paragraphs
    svg = re.sub(r' data-[\w-]+="[^"]*"', "", svg)
    svg = re.sub(r' (?:style|class|transform)="[\s;]*"', "", svg)
    svg = re.sub(r' id="([^"]+)"', keep_used, svg)
    svg = _CLUSTER.sub(r"\1\2\3\2", svg)
    svg = svg.replace("my-svg", f"diagram-{key}")
    start, _, rest = svg.partition(">")
    view = re.search(r'viewBox="\S+ \S+ (\S+) (\S+)"', start)
    kind = re.search(r'class="[^"]*"', start)
    return (
        f'<svg {kind[0] if kind else ""} {view[0]} width="{view[1]}" '
        f'height="{view[2]}" role="img" aria-label="{words}">{rest}'
    )


def _description(svg: str) -> str:
    """Return what the diagram says: its labels, in order."""
    labels = [re.sub(r"<[^>]*>", " ", a or b) for a, b in _LABELS.findall(svg)]
    words = [" ".join(label.split()) for label in labels]
    return "Diagram: " + escape("; ".join(filter(None, words))).replace("&amp;", "&")
