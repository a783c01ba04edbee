"""What a browser makes of the site: the PDF and the cards."""

import re
import struct

import pytest
from browser import build
from html_tree import read_html

pytest.importorskip("mkdocs", reason="the site's tools are not installed")

from literate.publishing import press

TITLE = '<article><p class="part"><a href="../i/">Part I</a> · 3 min</p><h1>Adam</h1>'
CODE = "<pre>short</pre><pre>the longest</pre>"


@pytest.mark.parametrize(
    ("article", "shown"),
    [
        (f'{CODE}<div class="math">x</div><svg class="drawing">y</svg>', "y"),
        (f'{CODE}<div class="math">x</div>', "x"),
        (CODE, "the longest"),
        ("<p>Words.</p>", "What it is."),
    ],
)
def test_a_card_has_part_title_and_the_best_picture(article, shown):
    card = read_html(press._card(TITLE + article, "What it is.", ""))
    assert card.first("h1").text == "Adam"
    assert [p.text for p in card.first("header").all("p")] == ["microgpt", "Part I"]
    assert card.first("div", "picture").text == shown


def test_the_pages_of_anchors_are_read_from_a_pdf():
    kinds = {2: b"Page", 7: b"Page", 8: b"Pages"}
    pdf = b"".join(b"%d 0 obj\n<</Type /%s\n" % each for each in kinds.items())
    pdf += b"<</adam [7 0 R /XYZ 0 1 0]\n/the-loss [2 0 R /XYZ 0 1 0]>>"
    assert press._pages(pdf) == {"adam": 2, "the-loss": 1}


@pytest.mark.slow
def test_a_build_with_a_browser_offers_pdf_and_cards(chromium, tmp_path):
    address = "https://book.example/"
    build(tmp_path, PRESS="true", SITE_URL=address)
    cover = read_html((tmp_path / "index.html").read_text("utf-8"))
    [link] = {a.get("href") for a in cover.all("a") if ".pdf" in (a.get("href") or "")}
    pdf = (tmp_path / link).read_bytes()
    pages = press._pages(pdf)
    assert 1 < pages["run-it-first"] < pages["attention"] < pages["the-names"] > 150
    assert b"/Outlines" in pdf and b"/StructTreeRoot" in pdf
    cards = 0
    for page in tmp_path.rglob("*.html"):
        text = page.read_text("utf-8")
        for image in re.findall('"og:image" content="([^"]*)"', text):
            card = (tmp_path / image.removeprefix(address)).read_bytes()
            assert struct.unpack(">II", card[16:24]) == (1200, 630)
            cards += "/cards/" in image
    assert cards > 50
