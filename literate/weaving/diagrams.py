"""Mermaid diagrams as static SVG, drawn once and kept by the hash of their source.

The drawings carry no colours: the site's style sheet gives them the page's own, so that
one drawing serves light, dark and print.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from literate.weaving.html import escape

_FORM = "3"  # to be raised when drawings made before are no longer good
_CONFIG = {
    "fontFamily": "Arial, Helvetica, sans-serif",
    "fontSize": 15,
    "flowchart": {"padding": 10, "nodeSpacing": 30, "rankSpacing": 36},
}
_LABELS = re.compile(r"<p>(.*?)</p>|<text[^>]*>(.*?)</text>", re.DOTALL)


class DiagramError(Exception):
    """A diagram that mermaid cannot read; the message is mermaid's."""


class Diagrams:
    """Drawings by their source; `folder` keeps them from one build to the next."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def draw(self, source: str) -> str:
        """Return a diagram as SVG. Raises DiagramError."""
        file = self._file(source)
        if file.exists():
            return file.read_text(encoding="utf-8")
        drawing = draw(source)
        self._keep(source, drawing)
        return drawing

    def _file(self, source: str) -> Path:
        return self.folder / f"{_key(source)}.svg"

    def _keep(self, source: str, drawing: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self._file(source)
        part = file.with_suffix(f".{os.getpid()}")
        part.write_text(drawing, encoding="utf-8")
        part.replace(file)


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
    svg = re.sub(
        r'<marker id="([^"]+)".*?</marker>',
        lambda match: match[0] if match[1] in used else "",
        svg,
        flags=re.DOTALL,
    )
    words = _description(svg)
    svg = re.sub(r"</p>\s*<p>|<br\s*/>", "<br>", svg)
    svg = re.sub(r"</?p>", "", svg)  # a label is a span, which holds no paragraphs
    svg = re.sub(r' data-[\w-]+="[^"]*"', "", svg)
    svg = re.sub(r' (?:style|class|transform)="[\s;]*"', "", svg)
    svg = re.sub(
        r' id="([^"]+)"',
        lambda match: match[0] if match[1] in used else "",
        svg,
    )
    svg = svg.replace("my-svg", f"diagram-{key}")
    width = re.search(r'viewBox="[-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)"', svg)
    size = f'width="{width[1]}" height="{width[2]}"' if width else ""
    start = re.match(r"<svg[^>]*>", svg)
    view = re.search(r'viewBox="[^"]*"', start[0])
    kind = re.search(r'class="([^"]*)"', start[0])
    return (
        f'<svg class="{kind[1] if kind else ""}" {view[0] if view else ""} {size} '
        f'role="img" aria-label="{words}">{svg[start.end() :]}'
    )


def _description(svg: str) -> str:
    """Return what the diagram says: its labels, in order."""
    labels = [re.sub(r"<[^>]*>", " ", a or b) for a, b in _LABELS.findall(svg)]
    words = [" ".join(label.split()) for label in labels]
    return "Diagram: " + escape("; ".join(filter(None, words))).replace("&amp;", "&")
