"""The stages' lab, natively and in the page."""

import subprocess
import sys
from pathlib import Path

import pytest
from browser import LabPage

from labs import LabError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def native(program):
    """A function that runs a stage as a program of its own, with a seed."""

    def run(stage, seed=42):
        code = f"import {stage}; {stage}.main({seed})"
        return subprocess.run(
            [sys.executable, "-c", code],
            cwd=program.folder / "stages",
            capture_output=True,
            check=True,
            encoding="utf-8",
        ).stdout

    return run


# Natively


@pytest.mark.parametrize("stage", ["stage1_counts", "stage2_table"])
def test_a_stage_prints_what_the_book_shows(labs, native, stage):
    answer = labs("stage.run", stage=stage)
    assert answer == {"output": native(stage), "agrees": True}


def test_another_seed_prints_something_else(labs, native):
    answer = labs("stage.run", stage="stage1_counts", seed=" 7 ")
    assert answer == {"output": native("stage1_counts", 7), "agrees": None}


def test_it_tells_how_far_it_is_and_then_what_is_printed(labs, monkeypatch):
    from exercises import typed

    heard = []
    monkeypatch.setattr(typed, "_listeners", [heard.append])
    for stage, count in (("stage1_counts", 1600), ("stage2_table", 5600)):
        heard.clear()
        output = labs("stage.run", stage=stage)["output"]
        far = [text for text in heard if text.startswith("\r")]
        assert far == [f"\r{read}/{count}" for read in range(10, count + 1, 10)]
        assert heard[: len(far)] == far
        assert "".join(heard[len(far) :]) == output


def test_every_stage_can_be_found_and_no_other(labs, program):
    from labs.stage import lab

    for path in (program.folder / "stages").glob("*.py"):
        assert lab._steps(lab._load(path.stem), [None] * 1000) in (1000, 5000)
        assert lab._shown(path.stem).startswith("loss 2.")
    with pytest.raises(LabError, match="no stage stage9"):
        labs("stage.run", stage="stage9")
    with pytest.raises(LabError, match="The seed must be a whole number"):
        labs("stage.run", stage="stage1_counts", seed="many")


# In the page


@pytest.fixture
def open_stage(open_page, site):
    """Return a function that opens the page of a stage; it is started with a click."""

    def open_one(stage, **settings):
        mark = f'data-stage="{stage}"'
        pages = [path for path in site.paths if mark in site.read(path)]
        path = next(path for path in pages if path != "book/index.html")
        watched = open_page(path, **settings)
        return LabPage(watched, watched.page.locator(f".lab[{mark}]"))

    return open_one


def test_a_stage_prints_in_the_page_what_it_prints_natively(open_stage, native):
    lab = open_stage("stage2_table")
    asked = []
    lab.page.on("request", lambda request: asked.append(request.url))
    lab.frame.locator(".lab-start").wait_for()
    assert not [url for url in asked if "/labs/" in url]  # not before it is started
    lab.frame.locator(".lab-start").click()
    lab.frame.get_by_text("As the book shows it.").wait_for()
    assert lab.text(".cell-output") == native("stage2_table")


@pytest.mark.slow
def test_another_seed_in_the_page(open_stage, native):
    lab = open_stage("stage1_counts", viewport={"width": 390, "height": 800})
    lab.frame.locator(".lab-start").click()
    lab.frame.get_by_text("As the book shows it.").wait_for()
    assert lab.text(".cell-output") == native("stage1_counts")
    seed = lab.frame.get_by_label("Seed")
    seed.fill("7")
    seed.press("Enter")
    lab.frame.get_by_text("Another seed deals other names").wait_for()
    assert lab.text(".cell-output") == native("stage1_counts", 7)
    seed.fill("seven")
    lab.frame.get_by_role("button", name="Run").click()
    lab.frame.get_by_text("The seed must be a whole number").wait_for()
    assert lab.page.evaluate("document.documentElement.scrollWidth") == 390
    assert lab.audit() == []


@pytest.mark.slow
def test_a_stage_that_takes_long_says_how_far_it_is_and_can_be_stopped(open_stage):
    lab = open_stage("stage4_attention")
    lab.frame.locator(".lab-start").click()
    far = lab.frame.get_by_text("of 1,600 names read")
    far.wait_for()
    before = far.inner_text()
    lab.page.wait_for_function(
        "([element, text]) => element.textContent !== text",
        arg=[far.element_handle(), before],
    )
    bar = lab.frame.get_by_role("progressbar", name="Names read")
    assert 0 < float(bar.get_attribute("value")) < 1600
    run = lab.frame.get_by_role("button", name="Run")
    assert run.get_attribute("aria-disabled") == "true"
    assert lab.audit() == []
    lab.frame.get_by_role("button", name="Stop").click()
    lab.frame.get_by_text("Stopped.", exact=True).wait_for()
    assert not bar.is_visible()
    assert run.get_attribute("aria-disabled") is None
    run.click()
    far.wait_for()  # it begins anew
