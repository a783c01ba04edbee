"""The path: the reader's own program, beside the book's."""

import re
from pathlib import Path

import pytest
from browser import LabPage

from exercises import judging
from exercises.edits import solution
from labs import LabError

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture
def texts(labs):
    from labs.shared.book import book

    return {
        name: solution(book(), judging.find(name).chunk)
        for name in judging.path(book())
    }


def run(labs, steps, **options):
    begun = labs("path.begin", **options)
    assert not begun["mistakes"]
    for _ in range(steps):
        told = labs("path.step")
    return told


def test_the_program_tells_whose_each_line_is(labs, texts):
    assert [task["name"] for task in labs("path.tasks")] == [*texts]
    shown = labs("path.program", texts={"softmax": texts["softmax"]})
    own = [line for line, task in shown["lines"] if task == "softmax"]
    assert own[0] == "def softmax(logits):" and len(own) == 4
    assert {task for _, task in shown["lines"]} == {"", "softmax"}


def test_what_is_wrong_is_said_with_its_task(labs, texts):
    shown = labs("path.program", texts={"add": "def add(x, y):\n    return (\n"})
    [mistake] = shown["mistakes"]
    assert mistake["task"] == "add" and mistake["line"] == 2
    begun = labs("path.begin", texts={"gpt": "def gpt(*x):\n    return 1 / 0\n"})
    assert not begun["mistakes"]
    told = labs("path.step")
    assert told["done"] and told["mistakes"][0]["task"] == "gpt"
    with pytest.raises(LabError, match="over"):
        labs("path.step")


@pytest.mark.slow
def test_a_difference_is_found_at_its_line(labs, texts):
    wrong = texts["adam"].replace("1e-8", "1e-2")
    told = run(labs, 3, texts={**texts, "adam": wrong})
    assert told["same"] == 4  # three lines about the list, and the first loss
    assert told["book"] != told["yours"]
    told = run(labs, 3, texts=texts)
    assert told["same"] == 6


@pytest.mark.slow
def test_all_tasks_solved_print_the_published_output(labs, texts):
    told = run(labs, 1000, texts=texts)
    assert told["done"] and told["same"] == told["lines"] == 1025
    assert not told["published"]
    if not (DATA / "names.txt").exists():
        pytest.skip("the published names are not here")
    data = (DATA / "names.txt").read_text(encoding="utf-8")
    told = run(labs, 1000, texts=texts, data=data)
    assert told["published"] and told["names"][-1] == "anton"


SLIP = """def softmax(logits):
    shift = -max([logit.data for logit in logits])  # not all of it
    return [(logit + shift).exp() for logit in logits]"""


@pytest.mark.slow
def test_a_task_is_written_in_the_page(open_page, texts):
    watched = open_page("write-it-yourself/", viewport={"width": 390, "height": 800})
    page = watched.page
    page.get_by_label("Cover the book’s code").check()
    page.get_by_role("link", name="softmax").click()
    frame = page.locator("#exercise-softmax")
    frame.wait_for()
    code = page.locator("figure[data-task=softmax]")
    assert code.locator(".code").is_hidden()
    assert frame.get_by_text("Undo the logarithm").is_hidden()
    frame.get_by_text("Hint 2").click()
    assert frame.get_by_text("Undo the logarithm").is_visible()
    frame.locator(".lab-start").click()
    area = frame.get_by_label("Your answer")
    area.fill(SLIP)
    assert frame.locator(".editor .code-comment").inner_text() == "# not all of it"
    area.press("Control+Enter")
    frame.get_by_text("the powers have to sum to 1").wait_for()
    assert frame.get_by_text("Take the logarithm").count() == 0
    assert not LabPage(watched, frame).audit()
    area.fill(texts["softmax"])
    area.press("Control+Enter")
    frame.get_by_text("All of it is right.").wait_for()
    code.locator(".code").wait_for()  # it is covered no more
    frame.get_by_text("What you can call").click()
    assert frame.get_by_text("logsumexp(x)").is_visible()
    page.goto(page.url.replace("from-scores-to-probabilities", "write-it-yourself"))
    assert page.get_by_role("link", name="softmax (solved)").is_visible()
    lab = page.locator(".lab[data-lab=path]")
    lab.evaluate("lab => lab.querySelector('.lab-start')?.click()")
    own = lab.locator(".path-program mark")
    own.wait_for()
    assert own.inner_text().startswith("def softmax(logits):")
    lab.get_by_role("button", name="Run 1,000 steps").click()
    lab.get_by_text(re.compile(r"Step \d+ of 1,000: the same as")).wait_for()
    lab.get_by_role("button", name="Stop").click()
    with page.expect_download() as saved:
        lab.get_by_role("button", name="Save what I wrote").click()
    assert '"softmax": "def softmax' in saved.value.path().read_text("utf-8")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert not LabPage(watched, lab).audit()
