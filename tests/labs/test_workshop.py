"""The workshop, where chunks are edited, natively and in the page."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from browser import LabPage

from labs import LabError
from literate.core.document import parse
from literate.core.modules import output_at

ROOT = Path(__file__).resolve().parents[2]
BOOK = (ROOT / "microgpt.md").read_text(encoding="utf-8").split("\n")
MLP = "Think with a hidden layer"
ADDED = "Add what the MLP thinks"


def line_of(name, variant=""):
    header = f"# <<{name}>>=" + (f" (variant {variant})" if variant else "")
    return BOOK.index(header) + 1


@pytest.fixture
def text_of(labs):
    return lambda name: labs("workshop.chunk", line=line_of(name))["text"]


@pytest.fixture
def squared(text_of):
    return text_of(MLP).replace("h.relu()", "h.relu() ** 2")


@pytest.fixture
def mistakes(labs):
    """A function that says what is wrong with edits, until a step is trained."""

    def find(edits):
        found = labs("workshop.begin", edits=edits)["mistakes"]
        return found or labs("workshop.step")["mistakes"]

    return find


@pytest.fixture(scope="module")
def native(tmp_path_factory):
    """A function: what a variant of the program prints, as its command line has it."""

    def run(variant, steps=100):
        folder = tmp_path_factory.mktemp("variant")
        command = [sys.executable, "tangle.py", "--variant", variant, "--out", folder]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        command = [
            sys.executable,
            "microgpt.py",
            "--steps",
            str(steps),
            "--samples",
            "5",
        ]
        done = subprocess.run(
            command, cwd=folder, check=True, capture_output=True, encoding="utf-8"
        )
        losses = re.findall(r"loss (\S+)", done.stdout)
        names = re.findall(r"sample +\d+: (\S+)", done.stdout)
        return losses, names

    return run


# Natively


def test_an_edit_trains_exactly_as_the_books_variant_does(labs, squared, native):
    losses, names = native("squared-relu")
    assert labs("workshop.begin", edits={MLP: squared}) == {
        "mistakes": [],
        "steps": 100,
    }
    steps = [labs("workshop.step") for _ in range(100)]
    assert [f"{step['yours']['loss']:.4f}" for step in steps] == losses
    assert [step["done"] for step in steps] == [False] * 99 + [True]
    assert not steps[-1]["same"]
    mean = sum(step["yours"]["loss"] for step in steps[-20:]) / 20
    assert steps[-1]["yours"]["mean"] == pytest.approx(mean)
    assert labs("workshop.samples")["yours"] == names
    with pytest.raises(LabError, match="over"):
        labs("workshop.step")


@pytest.mark.parametrize("change", [str, "{}\n\n".format, "{}# more words\n".format])
def test_a_change_of_no_consequence_gives_the_same_numbers(labs, text_of, change):
    labs("workshop.begin", edits={MLP: change(text_of(MLP))})
    steps = [labs("workshop.step") for _ in range(3)]
    assert all(step["same"] for step in steps)
    assert all(step["book"] == step["yours"] for step in steps)


def test_several_edits_go_together(labs, text_of, squared):
    sizes = text_of("Choose the sizes").replace("n_head=4", "n_head=2")
    labs("workshop.begin", edits={MLP: squared, "Choose the sizes": sizes})
    both = labs("workshop.step")["yours"]
    labs("workshop.begin", edits={MLP: squared})
    assert labs("workshop.step")["yours"] != both


@pytest.mark.slow
def test_each_chunk_of_the_program_can_be_edited_and_tangled(labs, site):
    pages = "".join(site.read(path) for path in site.paths if path != "book/index.html")
    lines = {
        *map(int, re.findall(r'<figure class="chunk[^>]* data-line="(\d+)"', pages))
    }
    headers = {
        i for i, line in enumerate(BOOK, 1) if line.startswith("# <<") and ">>=" in line
    }
    names = next(i for i in headers if "build/names.txt" in BOOK[i - 1])
    document = parse("\n".join(BOOK), "microgpt.md")
    spans = output_at(document, "build/microgpt.py").spans
    of_program = {document.chunks[s.piece.name].pieces[0].line for s in spans}
    assert of_program <= lines <= headers - {names}
    for line in sorted(lines):
        chunk = labs("workshop.chunk", line=line)
        assert chunk["name"] in BOOK[line - 1]
        if chunk["text"] == chunk["book"]:
            edits = {chunk["name"]: chunk["text"]}
            assert labs("workshop.begin", edits=edits)["mistakes"] == []


def test_pieces_are_one_text_and_a_variant_has_its_own(labs):
    name = "build/microgpt.py"
    text = labs("workshop.chunk", line=line_of(name))["text"]
    assert "# <<Split a text into documents>>" in text
    assert "sys.exit(main())" in text
    chunk = labs("workshop.chunk", line=line_of(MLP, "squared-relu"))
    assert "** 2" in chunk["text"]
    assert "** 2" not in chunk["book"]


WRONG = [
    ("[h.relu()", "[h.rell()", 4, "has no attribute 'rell'"),
    ("[h.relu()", "(h.relu()", 4, "not Python: closing parenthesis ']'"),
    ("h in hidden]", "h in hidden", 4, "not Python: '[' was never closed"),
    ("return linear", "  return linear", 5, "not Python: unexpected indent"),
    ("return linear", "x = 1 / 0; return linear", 5, "ZeroDivisionError"),
    (
        "return linear",
        "# <<Say hello>>\n    return linear",
        5,
        'no chunk is called "Say hello"',
    ),
    (
        "return linear",
        "#<<Split a text into documents>>\n    return linear",
        5,
        "not quite a reference",
    ),
    (
        "return linear",
        "# <<Split a text into documents>>\n    return linear",
        5,
        "is used already",
    ),
    ("return linear", "# <<Say>>=\n    return linear", 5, "a chunk's header"),
    ("return linear", "```\n    return linear", 5, "not Python: invalid syntax"),
    ("return linear", "exit()\n    return linear", 5, "SystemExit"),
    ("h.relu()", "h.relu().data", 5, "has no attribute 'data'"),
]


@pytest.mark.parametrize(("old", "new", "line", "message"), WRONG)
def test_a_mistake_is_shown_at_its_line_in_the_edit(
    mistakes, text_of, old, new, line, message
):
    [mistake] = mistakes({MLP: text_of(MLP).replace(old, new, 1)})
    assert (mistake["chunk"], mistake["line"]) == (MLP, line)
    assert message in mistake["message"]
    assert mistake["shown"]


def test_the_tanglers_hint_is_passed_on(mistakes, text_of):
    text = text_of("Guess what follows a token").replace("MLP thinks>>", "MLP think>>")
    [mistake] = mistakes({"Guess what follows a token": text})
    assert f'did you mean "{ADDED}"?' in mistake["shown"]


def test_a_mistake_outside_of_the_edit_names_the_chunk_and_the_cause(mistakes):
    [mistake] = mistakes({ADDED: "for h in hidden:"})
    assert mistake["chunk"] == "Guess what follows a token"
    assert f"on line 1 of ⟨{ADDED}⟩" in mistake["message"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("Train step by step", "def train(*x):\n    yield 'a'", "yields a str"),
        ("Train step by step", "def train(*x):\n    yield from ()", "ended early"),
        ("Train step by step", "def train(*x):\n    return 3", "TypeError"),
        ("Train step by step", "raise ValueError('no')", "ValueError: no"),
        (MLP, "while True: print('x' * 99)", "20,000 characters"),
        ("Choose the sizes", "def __init__(self): pass", "TypeError"),
        ("Run from the command line", "import nothing", "No module named 'nothing'"),
    ],
)
def test_a_program_that_fails_is_explained(mistakes, name, text, message):
    assert message in mistakes({name: text})[0]["message"]


def test_what_a_program_prints_is_passed_on(labs, text_of):
    labs("workshop.begin", edits={ADDED: text_of(ADDED) + "print(pos_id)\n"})
    assert labs("workshop.step")["printed"].startswith("0\n1\n2\n")


def test_a_loss_that_is_no_number_is_shown_as_such(labs, text_of):
    text = text_of(ADDED) + "x = [Value(float('nan')) for _ in x]\n"
    labs("workshop.begin", edits={ADDED: text})
    step = labs("workshop.step")
    assert step["yours"] == {"loss": "nan", "mean": "nan"}
    assert labs("workshop.samples")["mistakes"][0]["message"]


def test_an_unknown_chunk_is_refused(labs):
    with pytest.raises(LabError, match="no chunk called"):
        labs("workshop.begin", edits={"Nothing": "pass"})
    with pytest.raises(LabError, match="Reload"):
        labs("workshop.chunk", line=1)


# In the page

COLLECT = """(frame) => {
  window.losses = [];
  new MutationObserver(() => {
    const loss = frame.querySelector("tbody tr:last-child td")?.textContent;
    if (loss && loss !== losses.at(-1)) losses.push(loss);
  }).observe(frame, { childList: true, subtree: true, characterData: true });
}"""


class Shop(LabPage):
    """The chapter with the hidden layer, and the editor of its chunk."""

    def open(self, name=MLP):
        figure = self.page.locator(
            "figure.chunk[data-line]", has_text=f"⟨{name}⟩ ="
        ).last
        figure.locator("figcaption .offer").click()
        frame = self.page.get_by_role("group", name=f"Edit the chunk {name}")
        frame.wait_for()
        return frame

    def train(self, frame, text):
        frame.get_by_role("button", name="Stop", disabled=True).wait_for()
        frame.locator("textarea").fill(text)
        frame.locator("textarea").press("Control+Enter")


@pytest.fixture
def shop(open_page):
    def open_one(**settings):
        watched = open_page("a-small-network/index.html", **settings)
        return Shop(watched, watched.page.locator("article"))

    return open_one


def test_a_chunk_is_edited_tangled_and_trained_in_the_page(
    shop, squared, native, run_cell
):
    losses, names = native("squared-relu")
    page = shop()
    frame = page.open()
    frame.evaluate(COLLECT)
    page.train(frame, squared)
    frame.get_by_text(", ".join(names)).wait_for()
    assert page.page.evaluate("losses") == losses
    assert re.match(r"After 100 steps", frame.locator(".editor-status").inner_text())
    frame.get_by_role("slider").focus()
    assert not page.audit()

    text = "import inspect, microgpt\n'** 2' in inspect.getsource(microgpt.mlp)"
    assert run_cell(page, text) == "True"
    frame.get_by_role("button", name="Reset").click()
    assert frame.count() == 0
    assert run_cell(page, text) == "False"


@pytest.fixture
def run_cell():
    def run(shop, text):
        cell = shop.page.locator(".cell")
        if not cell.count():
            shop.page.locator(".language-pycon .offer").first.click()
            cell.get_by_text("Done.").wait_for()
        cell.locator("textarea").fill(text)
        cell.locator("textarea").press("Control+Enter")
        cell.locator(".editor-status", has_text="Done.").wait_for()
        return cell.locator(".cell-output").inner_text().strip()

    return run


def test_a_typo_is_shown_at_its_line_and_can_be_mended(shop, labs, text_of):
    page = shop(viewport={"width": 390, "height": 800})
    frame = page.open()
    text = text_of(MLP)
    page.train(frame, text.replace("[h.relu()", "(h.relu()"))
    frame.get_by_text("Line 4: not Python").wait_for()
    selected = "area => area.value.slice(area.selectionStart, area.selectionEnd)"
    assert frame.locator("textarea").evaluate(selected).startswith("    active = (h")
    page.train(frame, text.replace("h.relu()", "h.rell()"))
    frame.get_by_text("Line 4: AttributeError").wait_for()
    page.train(frame, text + "# <<Say hello>>\n<img src=x>")
    frame.get_by_text('Line 6: no chunk is called "Say hello"').wait_for()
    page.train(frame, text + "while True: pass")
    frame.get_by_text("Running").wait_for()
    frame.get_by_role("button", name="Stop").click()
    frame.get_by_text(re.compile("Stopped|not trained|after 0 steps")).wait_for()
    page.train(frame, text)
    frame.get_by_text(re.compile(r"Step \d+ of 100")).wait_for()
    frame.get_by_role("button", name="Stop").click()
    frame.get_by_text(re.compile(r"It ended after \d+ steps")).wait_for()
    assert page.page.evaluate("document.documentElement.scrollWidth") == 390
    assert frame.locator("img").count() == 0
