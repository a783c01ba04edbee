"""The cover: the recorded training, the ways in, and what is kept of the reading."""

import json
import re
from pathlib import Path

import pytest
from browser import Watched

from labs import bundle
from literate.core.document import parse
from literate.core.programs import tangle
from literate.weaving.pages import Surroundings, weave

ROOT = Path(__file__).resolve().parents[2]
BOOK = (ROOT / "microgpt.md").read_text(encoding="utf-8")

RUN = {
    "tokens": ["a", "<"],
    "before": "a",
    "losses": [1.6, 2.0, 2.4, 2.0],
    "stops": [0, 1, 4],
    "names": [["a<a"], ["aa"], ["a"]],
    "guesses": [[33, 33, 34], [40, 10, 50], [80, 0, 20]],
}
SMALL = """\
# A book

What it is.

# Part

## First

This is first. {long} And this comes after it.

<div class="lab" data-lab="training" data-title="Train"></div>

### Below

<div class="lab" data-lab="stage" data-title="Run" data-stage="s"></div>

```console
$ python s.py
loss 2.5
```

<div class="lab" data-lab="exercise" data-title="Try" data-exercise="one"></div>

```python
# <<build/stages/s.py>>=
x = 1
```
"""


def cover_of(text, **settings):
    document = parse(text, "book.md")
    names = {"labs": ["training", "stage", "exercise"], "exercises": {"one": ""}}
    around = Surroundings(draw=str, lead="One & two.", **names, **settings)
    return weave(document, tangle(document), around).pages[0].text


def test_the_cover_says_of_each_chapter_what_it_has():
    text = cover_of(SMALL.format(long="Word " * 30 + "end."))
    [entry] = re.findall("<li>.*?</li>", text)
    assert '<i class="number">1</i><a href="first.md">First</a>' in entry
    assert "<p>This is first.</p>" in entry
    assert 'min</span><span class="has-lab">lab</span>' in entry
    assert "<code>s.py</code> loss 2.5<" in entry
    assert '<span data-exercises="one">1 exercise</span>' in entry
    assert '<p class="lead">One &amp; two.</p>' in text
    assert 'href="first.md#first" data-start-lab="training"' in text
    assert text.count("md-button") == 2  # of one button: its kind, and its rank


def test_the_cover_shows_a_run_only_where_there_is_one():
    assert 'class="run"' not in cover_of(SMALL)
    text = cover_of(SMALL, run=RUN)
    assert "<li><b>a</b></li>" in text  # the last state is there without a script
    assert "<td>a&lt;a</td><td>a&lt;a</td><td>aa</td><td>a</td>" in text
    assert '<path class="dots" d="M500 385h0m207-62h0m159-61h0m134 61h0"/>' in text
    data = re.search(r"<template>(.*?)</template>", text)[1]
    assert json.loads(data)["losses"] == [1.6, 1.6, 2.0]


def test_the_recorded_run_is_the_one_that_the_book_prints(site, program):
    texts = {
        f"build/{name}": (program.folder / name).read_bytes().decode()
        for name in ("microgpt.py", "names.txt")
    }
    run = json.loads(bundle.recorded(texts, make=False))  # the site's build made it
    printed = re.findall(r"step +(\d+) / 1000 \| loss ([\d.]+)", BOOK)[:4]
    assert [int(step) for step, _ in printed] == [1, 2, 999, 1000]
    for step, loss in printed:
        assert f"{run['losses'][int(step) - 1]:.4f}" == loss
    assert len(run["names"]) == len(run["guesses"]) == len(run["stops"])
    assert '<template>{"stops":[0,1,3,' in site.read("index.html")


# In the browser


def test_the_run_plays_once_and_can_be_gone_through(reader, site):
    reader.clock.install()
    reader.goto(site.url("index.html"))
    step, bar = reader.locator(".run-step"), reader.locator(".run-bar button")
    reader.wait_for_function(
        "document.querySelector('.run button').textContent == 'Pause'"
    )
    assert int(step.inner_text()) < 500
    gibberish = reader.locator(".run-names").text_content()
    reader.clock.run_for(15_000)
    assert (step.inner_text(), bar.inner_text()) == ("1,000", "Play")
    assert reader.locator(".run-names").text_content() != gibberish
    reader.get_by_label("Steps of training").focus()
    reader.keyboard.press("ArrowLeft")
    assert step.inner_text() == "951"
    spoken = reader.evaluate("document.querySelector('.run input').ariaValueText")
    assert re.fullmatch(r"step 951, loss 2\.\d\d: (\w+, ){5}\w+", spoken)
    bar.click()
    reader.clock.run_for(100)
    bar.click()
    reader.clock.run_for(5_000)
    assert step.inner_text() == "951"


@pytest.mark.slow
def test_the_run_stands_still_for_who_wants_it_and_without_scripts(chromium, site):
    for settings in ({"reduced_motion": "reduce"}, {"java_script_enabled": False}):
        context = chromium.new_context(
            viewport={"width": 320, "height": 800}, **settings
        )
        watched = Watched(context, site.address)
        page = watched.page
        page.goto(site.url("index.html"))
        page.wait_for_timeout(600)
        assert page.locator(".run-step").inner_text() == "1,000"
        has_scripts = "reduced_motion" in settings
        assert page.locator(".run button").is_visible() == has_scripts
        assert page.locator(".run-states").is_visible() != has_scripts
        context.close()
        assert not watched.faults


@pytest.mark.slow
def test_what_was_read_and_solved_is_ticked_until_it_is_forgotten(reader, site):
    reader.clock.install()
    reader.goto(site.url("documents/index.html"))
    reader.clock.run_for(70_000)  # its end was not seen
    reader.keyboard.press("End")
    reader.wait_for_function("scrollY > 100")
    sidebar = reader.locator(".md-nav--primary .md-nav__link.is-done")
    assert sidebar.count() == 0
    reader.wait_for_timeout(200)
    reader.clock.run_for(2_000)
    assert sidebar.all_text_contents()[0].split() == ["Documents", "(read)"]
    reader.evaluate("dispatchEvent(new CustomEvent('solved', {detail: 'documents'}))")
    reader.goto(site.url("index.html"))
    assert reader.locator(".chapters a.is-done").count() == 1
    assert reader.get_by_text("1 of 2 exercises solved", exact=True).count() == 1
    assert reader.locator(".progress").inner_text().startswith("Read: 1. Solved: 1.")
    reader.get_by_role("button", name="Forget it").click()
    assert reader.locator(".is-done").count() == 0
    reader.reload()
    assert reader.locator(".is-done").count() == 0


@pytest.mark.slow
def test_the_cover_starts_the_lab_that_trains(open_page):
    watched = open_page("index.html")
    watched.page.get_by_role("link", name="Train it yourself").click()
    frame = watched.page.locator(".lab[data-lab=training][data-state=ready]")
    frame.wait_for()
    assert frame.evaluate("lab => Math.abs(lab.getBoundingClientRect().top)") < 400
    assert watched.page.evaluate("sessionStorage.getItem('book-start-lab')") is None
