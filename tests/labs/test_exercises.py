"""The exercises and their checkers, natively and in the page."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from browser import LabPage

from labs import LabError

ROOT = Path(__file__).resolve().parents[2]
BOOK = (ROOT / "microgpt.md").read_text(encoding="utf-8")
NAMES = re.findall(r'data-exercise="([\w-]+)"', BOOK)


def from_book(first_line):
    """Return the code of the session of the book with a line, without its prompts."""
    block = next(
        b for b in re.findall(r"```pycon\n(.*?)```", BOOK, re.S) if first_line in b
    )
    typed = [line[4:] for line in block.splitlines() if line[:4] in (">>> ", "... ")]
    start = typed.index(first_line)
    end = start + 1
    while end < len(typed) and typed[end].startswith(" "):
        end += 1
    return "\n".join(typed[start:end])


SOLUTIONS = {
    "documents": "documents = ['Li', 'Ann Lee', 'max']",
    "tokens": "emma = [26, 4, 12, 12, 0, 26]\nvocabulary_size = 4\nnumber_of_n = 2",
    "slopes": "def slope(f, x, h=1e-6):\n    return (f(x + h) - f(x)) / h",
    "paths": "def paths(x):\n    return x, x + 2",
    "children": "children = (-2, 1)\nmade = 4",
    "gradients": "a_grad = 7.0\nboth = (0.0, 0.0)",
    "plain-linear": from_book("def plain_linear(x, w):"),
    "layernorm": """
def layernorm(x):
    mean = sum(x) / len(x)
    scale = (sum((xi - mean) ** 2 for xi in x) / len(x) + 1e-5) ** -0.5
    return [(xi - mean) * scale for xi in x]""",
    "nudge": "from microgpt import mean_loss\n"
    + from_book("def worst(tokens, model, params, h=1e-4):"),
    "batch": "from microgpt import mean_loss\n"
    + from_book("def batch_slopes(batch, model):"),
    "top-k": from_book("def top_k(probabilities, k):"),
    "parameters": """
def count(v, n, layers, block):
    return 2 * v * n + block * n + layers * 12 * n * n""",
    "cache-size": "def cached(tokens, n, layers):\n    return 2 * tokens * n * layers",
    "overfit": """
import random
from microgpt import Model, Tokenizer, train
model = Model(Tokenizer("abcdefghijklmnopqrstuvwxyz")).randomize(random.Random(42))
losses = list(train(model, ["emma"], steps=50))""",
    "temperature": """
import math
def guess(scores, temperature):
    powers = [math.exp((score - max(scores)) / temperature) for score in scores]
    return [power / sum(powers) for power in powers]""",
    "unigram": """
import math
from collections import Counter
from microgpt import Tokenizer
letters = Tokenizer("abcdefghijklmnopqrstuvwxyz")
def unigram(names, name):
    counts = Counter()
    for each in names:
        counts.update(letters.encode(each)[1:])
    total = sum(counts.values()) + letters.vocab_size
    tokens = letters.encode(name)[1:]
    return sum(-math.log((counts[t] + 1) / total) for t in tokens) / len(tokens)""",
    "squared-relu": re.search(r"\(variant squared-relu\)\n(.*?)```", BOOK, re.S)[1],
    "fused": "from microgpt import Value\n" + from_book("def square_sum(x):"),
    "flat": from_book("def transposed(flat, rows, columns):"),
    "ratio": from_book("def ratio(f, slopes, numbers, direction, h=1e-6):"),
    "reading": "from microgpt import split_docs\n" + from_book("def documents(raw):"),
    "resume": "from microgpt import Adam, train\n"
    + from_book("def resume(model, docs, steps, m, v, done):").replace(
        "undisturbed", "train"
    ),
}

RMSNORM = """
def layernorm(x):
    scale = (sum(xi * xi for xi in x) / len(x) + 1e-5) ** -0.5
    return [xi * scale for xi in x]"""

# Usual slips, and words that the reader is told about them
WRONG = [
    ("documents", "documents = ['Li', 'Ann Lee', 'max', '']", "empty line"),
    ("documents", "documents = ['Li', '  Ann Lee', 'max']", "blanks at the ends"),
    ("documents", "documents = 'Li'", "a list"),
    ("tokens", "emma = [4, 12, 12, 0]", "two marks"),
    ("tokens", SOLUTIONS["tokens"].replace("= 4", "= 3"), "no letter"),
    ("tokens", SOLUTIONS["tokens"].replace("= 2", "= 13"), "in order"),
    ("slopes", "def slope(f, x):\n    return f(x + 1e-6) - f(x)", "divide the change"),
    ("slopes", "def slope(f, x):\n    return f(x + 1) - f(x)", "small enough"),
    ("slopes", "def slope(f, x):\n    pass", "is there a return"),
    ("slopes", "slope = 6", "has to be a function"),
    ("paths", "def paths(x):\n    return x + 2, x", "other way round"),
    ("children", "children = (1, 2)\nmade = 4", "product with -1"),
    ("gradients", "a_grad = 6\nboth = (0, 0)", "one more a"),
    ("plain-linear", "from microgpt import linear as plain_linear", "values are made"),
    (
        "plain-linear",
        "def plain_linear(x, w):\n    return [0 for row in w]",
        "to be values",
    ),
    ("plain-linear", "def plain_linear(x, w):\n    return x", "one value for each row"),
    ("layernorm", RMSNORM, "away first"),
    ("layernorm", SOLUTIONS["layernorm"].replace(" * scale", ""), "now divide"),
    ("nudge", SOLUTIONS["nudge"].replace("p.grad = 0.0", "pass"), "slopes to 0"),
    ("nudge", SOLUTIONS["nudge"].replace("p.data = here\n", "pass\n"), "some are not"),
    ("nudge", "def worst(tokens, model, params):\n    return 1e-9", "wrong slope"),
    ("batch", SOLUTIONS["batch"].replace(" / len(batch)", ""), "number of names"),
    ("batch", SOLUTIONS["batch"].replace("p.grad = 0.0", "pass"), "before you came"),
    ("batch", "def batch_slopes(batch, model):\n    return 0", "model.params()"),
    ("top-k", SOLUTIONS["top-k"].replace("p / total", "p"), "divide by its sum"),
    (
        "top-k",
        "def top_k(p, k):\n    p = sorted(p)[::-1][:k]\n    return p",
        "should be [",
    ),
    ("parameters", "def count(*sizes):\n    return 4192", "should be 14528"),
    (
        "cache-size",
        "def cached(t, n, layers):\n    return t * n * layers",
        "a value as well",
    ),
    ("overfit", SOLUTIONS["overfit"].replace("50", "20"), "number of steps"),
    (
        "overfit",
        SOLUTIONS["overfit"].replace('["emma"]', '["emma", "anna"]'),
        "one name",
    ),
    (
        "temperature",
        SOLUTIONS["temperature"].replace("/ temperature", "* temperature"),
        "not multiplied",
    ),
    (
        "temperature",
        SOLUTIONS["temperature"].replace("- max(scores)", ""),
        "largest score",
    ),
    ("unigram", SOLUTIONS["unigram"].replace(" + 1)", ")"), "add 1"),
    (
        "unigram",
        SOLUTIONS["unigram"].replace("return sum", "return len(tokens) * sum"),
        "the mean",
    ),
    ("squared-relu", SOLUTIONS["squared-relu"].replace(" ** 2", ""), "nothing that it"),
    ("squared-relu", SOLUTIONS["squared-relu"].replace("** 2", "** 3"), "squared?"),
    ("squared-relu", SOLUTIONS["squared-relu"].replace("** 2 for", "** for"), "line 4"),
    ("fused", SOLUTIONS["fused"].replace("2 * xi.data", "xi.data"), "x² is 2x"),
    ("fused", SOLUTIONS["fused"].replace("[*x]", "[]"), "did you list"),
    ("fused", SOLUTIONS["fused"].replace("return Value(", "return (0, "), "no Value"),
    (
        "fused",
        "def square_sum(x):\n    return sum(xi**2 for xi in x)",
        "say children and slopes",
    ),
    (
        "ratio",
        SOLUTIONS["ratio"].replace("f(back)) / (2 * h)", "f(numbers)) / h"),
        "one way",
    ),
    ("ratio", SOLUTIONS["ratio"].replace("/ (2 * h)", "/ h"), "the way is 2h"),
    ("ratio", SOLUTIONS["ratio"].replace("said / (", "1 / said * ("), "upside down"),
    (
        "ratio",
        SOLUTIONS["ratio"].replace("    said", "    numbers[:] = ahead\n    said"),
        "copy them",
    ),
    ("flat", SOLUTIONS["flat"].replace("* columns", "* rows"), "i * columns + j"),
    ("flat", "def transposed(x, m, n): return [x[j::n] for j in range(n)]", "one flat"),
    ("reading", SOLUTIONS["reading"].replace("-sig", ""), "mark belongs to no name"),
    ("reading", SOLUTIONS["reading"].replace("if not docs", "if 0"), "no ValueError"),
    ("reading", SOLUTIONS["reading"].replace("utf-8-sig", "latin-1"), "are UTF-8"),
    (
        "reading",
        SOLUTIONS["reading"].replace("split_docs(raw", "str.splitlines(raw"),
        "newlines only",
    ),
    (
        "resume",
        SOLUTIONS["resume"].replace("[*m], [*v]", "adam.m, adam.v"),
        "forgotten",
    ),
    ("resume", SOLUTIONS["resume"].replace("[*v], done", "[*v], 0"), "adam.steps"),
    (
        "resume",
        "from microgpt import train\ndef resume(model, docs, steps, *_):\n"
        "    return list(train(model, docs, steps))",
        "tell Adam how many",
    ),
]

# What breaks off an answer, or its check
BROKEN = [
    ("slopes", "def slope(f, x)", "SyntaxError"),
    ("slopes", "1 / 0", "ZeroDivisionError"),
    ("slopes", "", "no slope yet"),
    ("slopes", "def slope(f, x):\n    return slope(f, x)", "RecursionError"),
    ("slopes", "def slope(f, x):\n\n    return 1 / 0", "in line 3, ZeroDivisionError"),
    ("slopes", "def slope(f, x):\n    exit()", "SystemExit"),
    ("slopes", "while True:\n    print('x' * 100)", "more than 20,000"),
    ("slopes", "def slope(f, x):\n    while True: print('x')", "more than 20,000"),
    ("slopes", "class slope:\n    def __init__(self, *_): pass", "should be"),
    (
        "slopes",
        "class E(Exception):\n    def __str__(self): exit()\ndef slope(f, x): raise E",
        "cannot be printed",
    ),
    ("slopes", "class slope(float):\n    __init__ = lambda *x: 1/0", "TypeError"),
]


def words(answer):
    """Return all that a reader is told."""
    marks = (f"{m['what']}: {m['came']}: {m['hint']}\n" for m in answer["marks"])
    return "".join(marks) + answer["output"]


def test_each_exercise_of_the_book_has_a_checker_and_the_other_way_round(labs):
    from exercises.judging import find_all

    assert sorted(NAMES) == sorted(find_all())
    tasks = {name for name, exercise in find_all().items() if exercise.slips}
    assert {*NAMES} - tasks == {*SOLUTIONS}


@pytest.mark.parametrize("name", SOLUTIONS)
def test_the_solution_passes_and_the_start_does_not(labs, name):
    answer = labs("exercise.check", exercise=name, text=SOLUTIONS[name])
    assert answer["passed"], words(answer)
    begun = labs(
        "exercise.check", exercise=name, text=labs("exercise.start", exercise=name)
    )
    assert not begun["passed"]
    assert words(begun)


@pytest.mark.parametrize(("name", "text", "said"), WRONG)
def test_a_usual_slip_is_named(labs, name, text, said):
    answer = labs("exercise.check", exercise=name, text=text)
    assert not answer["passed"]
    assert said in words(answer)


@pytest.mark.parametrize(("name", "text", "said"), BROKEN)
def test_no_answer_breaks_the_checker(labs, name, text, said):
    answer = labs("exercise.check", exercise=name, text=text)
    assert not answer["passed"]
    assert said in words(answer)


def test_an_answer_cannot_spoil_the_program_of_others(labs):
    text = "import microgpt\nmicrogpt.Value = None\ndef slope(f, x): return 0"
    labs("exercise.check", exercise="slopes", text=text)
    answer = labs(
        "exercise.check",
        exercise="batch",
        text=SOLUTIONS["batch"],
    )
    assert answer["passed"]


MARKED_ALONE = """
import sys
from pathlib import Path
from exercises import judging
from literate.core.document import parse
book = parse(Path("microgpt.md").read_text(encoding="utf-8"), "microgpt.md")
home, name, text = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
assert judging.check(judging.find(name), text, book, home)["passed"]
assert not [module for module in sys.modules if module.split(".")[0] == "labs"]
"""


@pytest.mark.parametrize("name", ["slopes", "squared-relu"])
def test_answers_are_marked_without_the_labs_and_any_package(program, tmp_path, name):
    for file in ("microgpt.py", "names.txt"):
        shutil.copyfile(program.folder / file, tmp_path / file)
    words = [str(tmp_path), name, SOLUTIONS[name]]
    command = [sys.executable, "-S", "-c", MARKED_ALONE, *words]
    subprocess.run(command, cwd=ROOT, check=True)


def test_an_unknown_exercise_is_refused(labs):
    with pytest.raises(LabError, match="Reload"):
        labs("exercise.start", exercise="nothing")


# In the page


def test_answers_are_marked_in_the_page(open_page):
    size = {"width": 390, "height": 800}
    watched = open_page("documents/index.html", viewport=size)
    frame = watched.page.locator(".lab[data-exercise=documents]")
    page = LabPage(watched, frame)
    frame.get_by_role("button", name="Start").click()
    frame.get_by_label("Your answer").wait_for()
    assert "the list that you expect" in frame.inner_text()
    area = frame.get_by_label("Your answer")
    for text, said in (
        ("documents = ['Li']", "0 of 2 right so far."),
        ("documents = [", "The answer did not run to its end."),
        ("documents = ['<img src=x onerror=alert(1)>'] * 3", "1 of 2 right"),
        (SOLUTIONS["documents"], "All of it is right."),
    ):
        area.fill(text)
        area.press("Control+Enter")
        frame.get_by_text(said).wait_for()
    assert frame.locator(".exercise-marks .right").count() == 2
    assert watched.page.evaluate("__md_get('book-progress').solved") == ["documents"]
    assert frame.locator("img").count() == 0
    area.press("Tab")
    page.page.keyboard.press("Tab")
    page.page.keyboard.press("Enter")  # Reset
    assert area.input_value() == "# The documents, in order\ndocuments = []"
    assert page.page.evaluate("document.documentElement.scrollWidth") == 390
    area.fill("x = 0\nwhile True: x += 1")
    area.press("Control+Enter")
    frame.get_by_text("Running").wait_for()
    frame.get_by_role("button", name="Stop").click()
    frame.get_by_text("Stopped").wait_for()
    area.fill(SOLUTIONS["documents"])
    frame.get_by_role("button", name="Check").click()
    frame.get_by_text("All of it is right.").wait_for()
    assert not page.audit()
