"""The path: the reader's own program, beside the book's."""

from pathlib import Path

import pytest

from exercises import judging, tasks
from labs import LabError

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture
def texts(labs):
    from labs.shared.book import book

    return {
        name: tasks.solution(book(), judging.find(name).chunk)
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
