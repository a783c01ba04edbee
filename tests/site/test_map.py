"""The map of the model: where its regions lead, and which of them each page lights."""

import re
from pathlib import Path

import pytest

pytest.importorskip("math_core", reason="the site's tools are not installed")

from html_tree import read_html

from literate.core.document import parse
from literate.core.programs import tangle
from literate.weaving.html import MARK
from literate.weaving.pages import Surroundings, weave

ROOT = Path(__file__).resolve().parents[2]
DRAWING = (ROOT / "web" / "figures" / "map.svg").read_text(encoding="utf-8")
REGIONS = re.findall(r'data-region="([^"]*)"', DRAWING)
LEARNING = {"loss", "slopes", "Adam", "step", "parameters"}


@pytest.fixture(scope="module")
def pages():
    """The map of each page of the book that has one, its links by their regions."""
    text = (ROOT / "microgpt.md").read_text(encoding="utf-8")
    document = parse(text, "microgpt.md")
    around = Surroundings(
        draw=lambda source: "<svg></svg>",
        figures=[f"web/figures/{p.name}" for p in ROOT.glob("web/figures/*.svg")],
        labs=[path.parent.name for path in ROOT.glob("labs/*/lab.js")],
        exercises=dict.fromkeys(re.findall(r' data-exercise="([^"]*)"', text), ""),
        map=DRAWING,
    )
    found = {}
    for page in weave(document, tangle(document), around).pages:
        tree = read_html("".join(page.text.split(MARK)[1::2]))
        frames = tree.all(kind="map-frame")
        if frames and page.path != "book.md":
            [frame] = frames
            links = frame.all("a")
            found[page.path] = {a.get("aria-label").split(":")[0]: a for a in links}
    return found


def lit(links):
    return {name for name, link in links.items() if link.get("aria-current")}


def test_every_region_leads_to_a_chunk(pages):
    for path, links in pages.items():
        assert [*links] == REGIONS, path
        for name, link in links.items():
            assert "#chunk-" in link.get("href"), (path, name)
    assert len({link.get("href").partition("#")[0] for link in links.values()}) > 12


def test_every_region_is_lit_in_some_chapter_and_in_its_own(pages):
    chapters = {path: lit(links) for path, links in pages.items() if "/" not in path}
    assert set.union(*chapters.values()) == set(REGIONS)
    for name, link in pages["attention.md"].items():
        path = link.get("href").partition("#")[0] or "attention.md"
        assert name in chapters[path]


def test_the_definition_decides_what_is_lit_and_a_term_does(pages):
    assert lit(pages["keeping-numbers-in-size.md"]) == {
        "norm",
        "norm before attention",
        "norm before the MLP",
    }
    assert {"scores", "weights", "mix"} < lit(pages["attention.md"])
    assert {"query", "key", "value"} < lit(pages["attention.md"])
    assert lit(pages["slopes.md"]) == {"slopes"}
    assert "index.md" not in pages and "glossary.md" not in pages


def test_each_part_opens_with_the_map_of_its_chapters(pages):
    parts = [path for path in pages if path.endswith("/index.md")]
    assert len(parts) == 8
    assert not LEARNING - {"loss"} & lit(pages["part-i-from-names-to-numbers/index.md"])
    assert lit(pages["part-iii-the-model/index.md"]) >= lit(pages["attention.md"])
    assert lit(pages["part-viii-comforts/index.md"]) == {"names", "new names"}


def test_a_book_without_a_map_has_none():
    document = parse("# A\n\nB.\n\n## C\n\nD.\n", "book.md")
    site = weave(document, [], Surroundings(draw=lambda source: ""))
    assert not [page for page in site.pages if "map" in page.text]


def test_the_regions_of_the_lab_are_those_of_the_map(labs):
    stages = labs("forward.walk", text="emma", position=2)["stages"]
    regions = [name for stage in stages for name in stage["at"]]
    assert len(set(regions)) == len(regions)
    assert set(regions) == set(REGIONS) - LEARNING - {
        "names",
        "tokens",
        "layer",
        "heads",
        "new names",
    }
    for stage in stages:
        shown = [x for group in stage["groups"] for x in group["values"]]
        for numbers in stage["at"].values():
            assert set(numbers) <= set(shown), stage["title"]


SIZES = """() => [...document.querySelectorAll('.map-frame text')].map(
    (text) => text.getBoundingClientRect().height)"""

FAINT = """() => [...document.querySelectorAll('.map-frame g *')].filter(
    (shape) => getComputedStyle(shape).opacity < 1).length"""


def test_the_map_is_beside_the_text_or_folded_above_it(reader, site):
    reader.set_viewport_size({"width": 1280, "height": 900})
    reader.goto(site.url("attention/"))
    frame = reader.locator(".map-frame")
    text = reader.locator("article > p").nth(1).bounding_box()
    assert frame.bounding_box()["x"] > text["x"] + text["width"]
    assert frame.bounding_box()["y"] + frame.bounding_box()["height"] < 900
    assert min(reader.evaluate(SIZES)) >= 11
    assert reader.evaluate(FAINT) == 0

    reader.set_viewport_size({"width": 390, "height": 844})
    assert not frame.is_visible()
    reader.emulate_media(media="print")
    assert frame.is_visible()
    reader.emulate_media(media="screen")
    reader.locator(".map summary").focus()
    reader.keyboard.press("Enter")
    assert frame.bounding_box()["width"] > 300
    assert min(reader.evaluate(SIZES)) >= 11
    assert reader.evaluate("document.documentElement.scrollWidth") <= 390
    reader.keyboard.press("Tab")
    names = reader.evaluate("document.activeElement.ariaLabel")
    assert names == "names: Documents, ⟨Split a text into documents⟩"
    reader.get_by_role("link", name="loss:").click()
    reader.wait_for_url("**/the-loss/#chunk-measure-the-surprise-at-a-document")
