"""The path of tasks: each chunk of the algorithm that a reader can write."""

import math
import random
import re
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from exercises import judging, tasks
from exercises.edits import PROGRAM, EditedBook
from exercises.edits import solution as solution_of
from literate.core.document import parse
from literate.core.modules import output_at

ROOT = Path(__file__).resolve().parents[2]
BOOK = parse((ROOT / "microgpt.md").read_text(encoding="utf-8"), "microgpt.md")
PATH = judging.path(BOOK)


@pytest.fixture(scope="module")
def home(program, tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    for file in ("microgpt.py", "names.txt"):
        shutil.copyfile(program.folder / file, folder / file)
    return folder


def solution(name):
    return solution_of(BOOK, judging.find(name).chunk)


def marked(name, text, home):
    return judging.check(judging.find(name), text, BOOK, home)


def wrong(answer):
    """Return the marks that are not right; there has to be one that says something."""
    marks = [mark for mark in answer["marks"] if not mark["ok"]]
    assert not answer["passed"] and marks[0]["what"] + marks[0]["came"], answer
    return marks


def test_the_path_covers_the_functions_of_the_algorithm():
    assert 20 <= len(PATH) <= 30
    output = output_at(BOOK, PROGRAM)
    algorithm = output.text.partition("def loss_per_token")[0]
    written = "".join(map(solution, PATH))
    functions = re.findall(r"def (\w+)\(", algorithm)
    assert [name for name in functions if f"def {name}(" not in written] == []
    # Of the classes that hold tasks, only Value's beginning is a task itself.
    assert functions.count("__init__") == 4 and written.count("__init__") == 1


def test_tasks_never_nest():
    inside = [
        reference.name
        for name in PATH
        for piece in BOOK.chunks[judging.find(name).chunk].pieces
        for reference in piece.references
    ]
    chunks = {judging.find(name).chunk for name in PATH}
    assert not chunks & set(inside)
    assert len(chunks) == len(PATH)


@pytest.mark.parametrize("name", PATH)
def test_what_the_book_says_of_a_task_is_true(program, name):
    words = tasks.words(BOOK, name)
    assert 1 <= len(words.hints) <= 3
    [(example, result)] = re.findall(r"`([^`]+)` is `([^`]+)`", words.text)
    names = {**vars(program.module), "random": random}
    *statements, last = example.split("; ")
    exec("\n".join(statements), names)
    assert alike(eval(last, names), eval(result))


def alike(got, wanted):
    if isinstance(wanted, list | tuple):
        return len(got) == len(wanted) and all(map(alike, got, wanted))
    if isinstance(wanted, float):
        return math.isclose(got, wanted, abs_tol=1e-4)
    return got == wanted


@pytest.mark.parametrize("name", PATH)
def test_the_book_passes_and_an_empty_body_does_not(home, name):
    assert marked(name, solution(name), home)["passed"]
    start = judging.start(judging.find(name), BOOK)
    assert "..." in start
    wrong(marked(name, start, home))


@pytest.mark.slow
@pytest.mark.parametrize("name", PATH)
def test_each_slip_is_named(home, name):
    text = solution(name)
    slips = judging.find(name).slips
    assert len(slips) >= 3
    for slip in slips:
        assert text.count(slip.old) == 1, slip
        marks = wrong(marked(name, text.replace(slip.old, slip.new), home))
        assert marks[0]["hint"] == slip.said


FORGETFUL = (
    "@(lambda f, calls=[0]: lambda *a, **k: f(*a, **k)"
    " if calls.append(0) or len(calls) <= {known} + 1 else None)\n"
)


# Answers in which slopes get lost, or that fail in a way of their own: what is told
CUT = [
    ("mean_loss", "return sum(losses)", "return 0 + Value(sum(losses).data)", "slopes"),
    ("mean_loss", "return sum(losses)", "return sum(losses).data", "plain numbers"),
    ("gpt", "return linear(x,", "return linear([Value(v.data) for v in x],", "slopes"),
    ("linear", "Value(dot, [*row, *x], [*x_data, *w_data])", "dot", "plain numbers"),
    ("softmax", "shift = ", "raise NotImplementedError; shift = ", "line 3: NotImpl"),
    ("rmsnorm", "scale = (", "scale = (x + ", "line 4: TypeError"),
    ("rmsnorm", " + 1e-5", "", "0.199999"),
    ("power", "(self,), (slope,)", "(self,), slope", "TypeError"),
    ("adam", "self.steps += 1", "self.step += 1", "AttributeError"),
    ("softmax", "def softmax", "def soft_max", "no function softmax at the left"),
    ("softmax", "def softmax", "import microgpt\ndef softmax", "import of microgpt"),
    ("softmax", "def softmax", "def linear(): 1\ndef softmax", "linear is a function"),
]


@pytest.mark.parametrize(("name", "old", "new", "said"), CUT)
def test_what_goes_wrong_is_said_as_it_is(home, name, old, new, said):
    marks = wrong(marked(name, solution(name).replace(old, new), home))
    assert said in marks[0]["what"] + marks[0]["came"]
    if "1e-5" not in old:  # that is a slip of its own
        assert not marks[0]["hint"]


def test_another_way_to_do_it_is_right(home):
    text = solution("learn").replace(
        "    for p in adam.params:\n        p.grad = 0.0\n", ""
    )
    text = text.replace(
        "    return", "    for p in adam.params:\n        p.grad = 0.0\n    return"
    )
    assert marked("learn", text, home)["passed"]


@pytest.mark.slow
@pytest.mark.parametrize("name", PATH)
def test_a_table_of_the_examples_is_not_enough(home, name):
    """Who can answer the first case, and no others, is found out."""
    for known in (1, 2, 4, 8, 64, 512):
        head = FORGETFUL.format(known=known)
        text = re.sub("^(?=def )", head, solution(name), flags=re.MULTILINE)
        answer = marked(name, text, home)
        if answer["marks"][0]["ok"]:
            break
    assert answer["marks"][0]["ok"]
    wrong(answer)


def test_what_is_wrong_is_said_at_its_line(home):
    text = solution("softmax").replace("logits)", "logits", 1)
    [mark] = wrong(marked("softmax", text, home))
    assert mark["what"] == "Python says"
    assert mark["came"].startswith("line 1: ")
    text = solution("softmax").replace("return", "return 1 / 0 or")
    marks = wrong(marked("softmax", text, home))
    assert "line 4: ZeroDivisionError" in marks[0]["came"]


ORDERS = [(0, 9), *(pytest.param(n, 1, marks=pytest.mark.slow) for n in (1, 2, 3))]


@pytest.mark.parametrize("seed, every", ORDERS)
def test_every_mixture_trains_as_the_book_does(home, seed, every):
    """Tasks solved in any order: the program is whole at each so many of them."""
    order = random.Random(seed).sample(PATH, len(PATH))
    wanted = None
    for count in range(0, len(order) + 1, every):
        edits = {judging.find(name).chunk: solution(name) for name in order[:count]}
        module = EditedBook(BOOK, edits).load(home)
        model = module.Model(module.Tokenizer("abc")).randomize(random.Random(1))
        losses = [*module.train(model, ["ab", "cab"], 3)]
        wanted = wanted or losses
        assert losses == wanted


def test_an_exercise_is_marked_in_the_notebook(capsys, monkeypatch):
    from exercises import notebook

    notebook.mark("softmax", solution("softmax"))
    assert capsys.readouterr().out == "right\n"
    notebook.mark("tokens", "emma = [26, 4, 12, 12, 0]\n")
    assert "not yet" in capsys.readouterr().out
    filled = []
    shell = SimpleNamespace(set_next_input=lambda text, replace: filled.append(text))
    fake = SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", fake)
    notebook.mark("softmax", "# Run this cell to begin.\n")
    assert filled[0].startswith("%%exercise softmax\ndef softmax(logits):")
