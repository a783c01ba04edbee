"""What a browser makes of the finished site: the book as a PDF, and cards of pages.

A card is the picture that others show with a link. What is made is kept by the hash of
what it is made of, so that a browser starts only for what is new.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

_FORM = "1"  # to be raised when what was made before is no longer good
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
_PAPER = {"format": "A4", "outline": True, "tagged": True, "print_background": True}
_PAPER["prefer_css_page_size"] = True
_CARD_SIZE = {"width": 1200, "height": 630}

_ARTICLE = re.compile(r"<article.*?</article>", re.DOTALL)
_TITLE = re.compile(r"<h1[^>]*>(.*?)(?:<a class=\"headerlink.*?)?</h1>", re.DOTALL)
_PART = re.compile(r'<p class="part"[^>]*>(.*?)(?: ·[^·]*)?</p>', re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_CARD_STYLE = """
html, body { height: 630px; overflow: hidden; font-size: 40px; background: none }
body { border-left: 16px solid var(--link); background: var(--paper) }
main { display: grid; grid-template: 630px / 544px 640px }
header { display: flex; flex-direction: column; padding: 64px 40px 56px 56px }
header p { margin: 0; font: 26px var(--sans); color: var(--ink-soft) }
header p:first-child { font: 600 34px var(--md-text-font); color: var(--link) }
.md-typeset header h1 { margin: auto 0; font-size: 62px; line-height: 1.1 }
.picture { align-content: center; display: grid; overflow: hidden; padding: 30px }
.md-typeset .picture { margin: 0 }
.md-typeset .picture > * { justify-self: center; margin: 0; overflow: visible }
.picture svg { width: 580px !important; height: 570px !important }
.md-typeset .picture .math { font-size: 44px; white-space: nowrap; width: max-content }
.picture:has(pre) { mask: linear-gradient(90deg, #000 85%, #0000 98%) }
.md-typeset .picture > pre { justify-self: start; max-height: 570px }
.picture pre { font-size: 20px !important; min-width: 0 !important; width: max-content }
.picture pre > code { background: none; font-size: inherit }
.picture .n::before { display: none }
.picture p { font-size: 27px; line-height: 1.5; color: var(--ink-soft) }
"""
_DESCRIPTION = re.compile(r'<meta name="description" content="([^"]*)"')
# What may stand on a card, the best first
_PICTURES = [
    r'<svg[^>]* class="drawing".*?</svg>',
    r'<figure class="diagram".*?</figure>',
    r'<div class="math">.*?</div>',
]
_CODE = re.compile(r'<pre(?! class="ref).*?</pre>', re.DOTALL)
_FIT = """() => {
  const [frame, picture] = document.querySelectorAll(".picture, .picture > *");
  const { width } = picture?.getBoundingClientRect() ?? {};
  if (width > 580) picture.style.zoom = Math.max(0.8, 580 / width);
}"""
_NUMBER = """pages => document.querySelectorAll(".book-contents a").forEach((link) => {
  link.dataset.page = pages[link.hash.slice(1)];
})"""


@dataclass
class _Sheet:
    """Something to be made: from the page at `path`, or from `markup` that is there."""

    path: str
    to: str
    key: str
    markup: str | None = None


def browser() -> str | None:
    """Return the path of Chromium, or None without it or what drives it."""
    if not find_spec("playwright"):
        return None
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


def press(
    site: Path, address: str, pdfs: dict[str, str], cards: dict[str, str], cache: Path
) -> None:
    """Make PDFs and cards of a site in a folder that will be published at an address.

    `pdfs` and `cards` say what is made of which page: path of HTML to path of file.
    There is a browser. Raises RuntimeError if it fails.
    """
    looks = b"".join(
        file.read_bytes()
        for file in [site / "book.css", *sorted(site.glob("fonts/*.woff2"))]
    )
    head = f'<base href="{address}">{_styles(site)}<style>{_CARD_STYLE}</style>'
    sheets = []
    for page, to in {**pdfs, **cards}.items():
        whole = (site / page).read_text(encoding="utf-8")
        article = _ARTICLE.search(whole)[0]
        described = _DESCRIPTION.search(whole)[1]
        markup = _card(article, described, head) if page in cards else None
        made_of = f"{_FORM}\n{address}\n{markup or article}".encode()
        key = hashlib.sha256(made_of + looks).hexdigest()[:16] + Path(to).suffix
        path = f"{to}.html" if markup else page
        sheets.append(_Sheet(path, to, key, markup))
    cache.mkdir(parents=True, exist_ok=True)
    missing = [sheet for sheet in sheets if not (cache / sheet.key).exists()]
    if missing:
        _print(missing, site, address, cache)
    for sheet in sheets:
        (site / sheet.to).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(cache / sheet.key, site / sheet.to)


def _print(sheets: list[_Sheet], site: Path, address: str, cache: Path) -> None:
    """Let a browser, to which the folder is the whole web, make what is missing."""
    from playwright.sync_api import Error, Route, sync_playwright

    markup = {sheet.path: sheet.markup for sheet in sheets if sheet.markup}

    def serve(route: Route) -> None:
        path = route.request.url.removeprefix(address).partition("?")[0]
        file = site / path
        if path in markup:
            route.fulfill(body=markup[path], content_type="text/html")
        elif file.is_file():
            route.fulfill(path=file)
        else:
            route.abort()

    try:
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=browser(), args=_FLAGS, timeout=120_000
            )
            page = chromium.new_page(
                viewport=_CARD_SIZE, color_scheme="light", java_script_enabled=False
            )
            page.set_default_timeout(300_000)
            page.route("**/*", serve)
            for sheet in sheets:
                page.goto(address + sheet.path)
                part = cache / f"{os.getpid()}-{sheet.key}"
                if sheet.markup:
                    page.evaluate(_FIT)
                    page.screenshot(path=part)
                else:
                    pages = _pages(page.pdf(**_PAPER))
                    page.evaluate(_NUMBER, pages)
                    page.pdf(path=part, **_PAPER)
                part.replace(cache / sheet.key)
            chromium.close()
    except Error as error:
        raise RuntimeError(f"{browser()} cannot print the site: {error}") from None


def _styles(site: Path) -> str:
    """Return the elements by which the front page gets its styles."""
    front = (site / "index.html").read_text(encoding="utf-8")
    return "".join(re.findall(r'<link rel="stylesheet"[^>]*>', front))


def _pages(pdf: bytes) -> dict[str, int]:
    """Return the page on which each anchor of a PDF by Chromium stands."""
    pages = sorted(map(int, re.findall(rb"(\d+) 0 obj\n<</Type /Page\n", pdf)))
    anchors = re.findall(rb"/([\w-]+) \[(\d+) 0 R /XYZ", pdf)
    return {name.decode(): pages.index(int(page)) + 1 for name, page in anchors}


def _card(article: str, described: str, head: str) -> str:
    """Return a page that looks like a card, from a chapter's."""
    title = _TITLE.search(article)[1]
    part = _PART.search(article)
    above = _TAG.sub("", part[1]) if part else ""
    found = (re.search(pattern, article, re.DOTALL) for pattern in _PICTURES)
    longest_code = max(_CODE.findall(article), key=len, default=f"<p>{described}</p>")
    picture = next(filter(None, found), [longest_code])[0]
    return (
        f'<!doctype html><html lang="en" class="card"><meta charset="utf-8">'
        f"{head}"
        '<body data-md-color-scheme="default">'
        f'<main class="md-typeset"><header><p>microgpt</p><h1>{title}</h1>'
        f"<p>{above}</p></header>"
        f'<div class="picture chunk highlight">{picture}</div></main></body></html>'
    )
