"""The book's sessions as cells, natively and in the page."""

import math
import re
import subprocess
import sys
from pathlib import Path

import pytest
from browser import LabPage

from labs import LabError
from literate.core.document import parse
from literate.core.sessions import find_sessions

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = parse((ROOT / "microgpt.md").read_bytes().decode(), "microgpt.md")
SESSIONS = [s for s in find_sessions(DOCUMENT)[0] if s.kind == "pycon"]
CHAPTERS = {s.chapter.text: [] for s in SESSIONS}
for session in SESSIONS:
    CHAPTERS[session.chapter.text].append(session.line)


@pytest.fixture
def run(labs):
    """A function that runs a session, from a namespace that nobody has used."""
    from labs.cells import lab as cells

    cells._spaces.clear()

    def call(line, text=None, **others):
        texts = others.pop("texts", {})
        if text is not None:
            texts = {**texts, str(line): text}
        return labs("cells.run", line=line, texts=texts, **others)

    return call


# Natively


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_each_session_prints_what_the_book_shows(run, chapter):
    lines = CHAPTERS[chapter]
    for line in [lines[-1], *lines]:  # the last one first: it needs those before it
        answer = run(line)
        assert answer["agrees"] is True, answer["output"]
        assert answer["ending"] is None


def test_each_session_on_each_page_can_be_found_by_its_line(site):
    lines = {session.line for session in SESSIONS}
    found = set()
    for path in site.paths:
        marks = re.findall(r'<div class="[^"]*language-pycon"([^>]*)>', site.read(path))
        for mark in marks:
            found.add(int(re.fullmatch(r' data-line="(\d+)"', mark)[1]))
    assert found == lines
    consoles = re.findall(r'language-console"([^>]*)>', site.read("book/index.html"))
    assert consoles
    assert not any(consoles)


def test_an_edited_session_prints_what_python_prints(run, program):
    text = 'x = 3\nx, "two"\nif x:\n    x + 1\n\nfor n in "ab": print(n); n * 2\nNone\n'
    answer = run(CHAPTERS["Tokens"][0], text)
    done = subprocess.run(
        [sys.executable, "-i", "-q"],
        input=text.replace("    x + 1\n\n", "    x + 1\n\n").replace("2\nN", "2\n\nN"),
        capture_output=True,
        encoding="utf-8",
        env={"PYTHONSTARTUP": ""},
    )
    assert answer["output"] == done.stdout
    assert answer["agrees"] is None
    assert answer["ending"] is None


def test_the_sessions_before_it_have_run_as_they_stand_in_their_cells(run):
    first, second = CHAPTERS["Tokens"][:2]
    assert run(second, "letters.vocab_size")["output"] == "27\n"
    changed = {str(first): "letters = 5"}
    assert run(second, "letters", texts=changed)["output"].startswith("<microgpt")
    run(first, "letters = 5")
    assert run(second, "letters", texts=changed)["output"] == "5\n"
    assert run(second)["agrees"] is True  # all is as in the book again


def test_an_earlier_session_that_fails_is_named(run):
    first, second = CHAPTERS["Tokens"][:2]
    answer = run(second, texts={str(first): "1 / 0"})
    assert "An earlier session" in answer["output"]
    assert "ZeroDivisionError" in answer["output"]
    assert answer["agrees"] is None


def test_a_traceback_has_no_frames_of_the_labs(run):
    line = CHAPTERS["Tokens"][0]
    answer = run(
        line, "from microgpt import Tokenizer\n\nTokenizer('a').encode('b')\n7"
    )
    assert answer["ending"] == "error"
    shown = answer["output"].splitlines()
    assert shown[0] == "Traceback (most recent call last):"
    assert shown[1] == '  File "<cell 1>", line 3, in <module>'
    assert any(re.match(r'  File "microgpt.py", line \d+, in encode', s) for s in shown)
    assert shown[-1] == "KeyError: 'b'"
    assert "typed.py" not in answer["output"]


BAD = [
    ("x = = 3", "error", "SyntaxError: invalid syntax"),
    ("x = 3\n  y = 4", "error", "IndentationError"),
    ("return 3", "error", "SyntaxError: 'return' outside function"),
    ("a = 1\0", "error", "null bytes"),
    ("1 / 0\nprint('never')", "error", "ZeroDivisionError"),
    ("def f(): return f()\nf()", "error", "RecursionError"),
    ("input('name? ')", "error", "nobody can type here"),
    ("import sys; sys.stdin.read()", "error", "nobody can type here"),
    ("raise KeyboardInterrupt", "error", "KeyboardInterrupt"),
    ("raise BaseException('x' * 10**6)", "error", "…"),
    ("class E(Exception):\n    def __str__(self): 1/0\nraise E", "error", "E: "),
    ("exit()", "exit", "asked Python to exit"),
    ("import os; os._exit(3)", "exit", "asked Python to exit"),
    ("raise MemoryError", "memory", "not enough memory"),
    ("x = ['a' * 2**62]", "memory", "not enough memory"),
    ("while True: print('x' * 70)", "flood", "more than 20,000 characters"),
    ("import sys; sys.stderr.write('x' * 30_000)", "flood", "more than 20,000"),
    ("'x' * 30_000", "flood", "more than 20,000"),
    ("<img src=x onerror=alert(1)>", "error", "SyntaxError"),
    ("print('🙂'); open('nothing')", "error", "FileNotFoundError"),
    ("import sys; sys.stdout.close()\nprint(1)", "error", "closed file"),
    (
        "class M(type):\n    def __getattribute__(self, name): 1/0\n"
        "class E(Exception, metaclass=M): pass\nraise E",
        "error",
        "an error that cannot be printed",
    ),
]


@pytest.mark.parametrize(("text", "ending", "said"), BAD)
def test_bad_code_ends_only_itself(run, text, ending, said):
    line = CHAPTERS["Tokens"][0]
    answer = run(line, text)
    assert answer["ending"] == ending
    assert said in answer["output"]
    assert len(answer["output"]) < 41_000
    assert run(line)["agrees"] is True


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing but words", "x = 1;"])
def test_code_without_output_is_silent(run, text):
    assert run(CHAPTERS["Tokens"][0], text) == {
        "output": "",
        "ending": None,
        "agrees": None,
    }


def test_output_that_goes_round_the_limit_is_not_shown(run):
    text = "import io, sys\nio.StringIO.write(sys.stdout, 'x' * 10**6);"
    assert run(CHAPTERS["Tokens"][0], text)["output"] == "1000000\n"


TAMPERING = [
    "import builtins\nbuiltins.len = builtins.next = None",
    "import builtins\nfor name in ('type', 'print', 'vars'): delattr(builtins, name)",
    "import sys\nfor name in [*sys.modules]:\n"
    "    if name.startswith(('labs', 'json')): sys.modules[name] = None",
    "import json, os\njson.dumps = os.chdir = os.getcwd = None",
    "import math, random\nmath.exp = lambda x: 1\nrandom.Random = None",
]


@pytest.mark.parametrize("text", TAMPERING)
def test_what_a_cell_puts_into_pythons_modules_is_taken_away(run, labs, text):
    line = CHAPTERS["Tokens"][0]
    assert run(line, text)["ending"] is None
    assert labs("tokenizer.encode", text="a")["tokens"] == [26, 0, 26]
    assert math.exp(1) == math.e
    assert run(line)["agrees"] is True


def test_a_cell_cannot_spoil_the_program_of_the_labs(run, labs, microgpt):
    line = CHAPTERS["Tokens"][0]
    run(line, "import microgpt\nmicrogpt.Tokenizer.encode = microgpt.births = None")
    assert labs("tokenizer.encode", text="a")["tokens"] == [26, 0, 26]
    assert sys.modules["microgpt"] is microgpt
    assert run(line)["agrees"] is True


def test_a_program_with_edits_is_what_cells_import(run):
    line = CHAPTERS["Documents"][0]
    edits = {"Split a text into documents": "def split_docs(text):\n    return 7\n"}
    text = "from microgpt import split_docs\nsplit_docs('a')"
    assert run(line, text, edits=edits)["output"] == "7\n"
    assert run(line, edits=edits)["agrees"] is None
    assert run(line, text)["output"] == "['a']\n"


def test_lines_are_heard_as_they_are_printed(run, monkeypatch):
    from exercises import typed

    heard = []
    monkeypatch.setattr(typed, "_listeners", [heard.append])
    first, second = CHAPTERS["Tokens"][:2]
    text = "print('a', end='')\nprint('b\\nc\\nd', end='')\nlen(print.__name__)\n1 / 0"
    answer = run(second, text, texts={str(first): "print('unseen')"})
    assert heard == ["ab\nc\n", "d5\n"]
    assert answer["output"].startswith("".join(heard))


def test_a_line_without_a_session_is_refused(run):
    with pytest.raises(LabError, match="Reload"):
        run(1)


# In the page


class Cells(LabPage):
    """A chapter with its cells: `open` presses the small button of a session."""

    def open(self, number=0):
        block = self.page.locator(".language-pycon[data-line]").nth(number)
        block.locator(".offer").click()
        cell = self.page.locator(
            f".language-pycon >> nth={number} >> xpath=following-sibling::*[1]"
        )
        cell.locator("textarea").wait_for()
        return cell

    def run(self, cell, text):
        """Run a text in a cell; return what is said and what is printed."""
        cell.locator("textarea").fill(text)
        cell.locator("textarea").press("Control+Enter")
        return self.result(cell)

    def result(self, cell):
        status = cell.locator(".editor-status")
        self.page.wait_for_function(
            "status => !/^$|[Rr]unning|again …/.test(status.textContent)",
            arg=status.element_handle(),
        )
        output = cell.locator(".cell-output")
        printed = output.inner_text() if output.is_visible() else ""
        return status.inner_text(), printed.rstrip("\n")


@pytest.fixture
def open_cells(open_page):
    def open_one(chapter, **settings):
        watched = open_page(f"{chapter}/index.html", **settings)
        return Cells(watched, watched.page.locator("article"))

    return open_one


@pytest.mark.parametrize(
    "chapter",
    ["documents", "backwards-in-the-right-order", "stopping-and-going-on"],
)
def test_the_sessions_of_a_chapter_run_in_the_page(open_cells, chapter):
    page = open_cells(chapter)
    page.page.locator("details > summary").last.click()
    for number in range(page.page.locator(".language-pycon[data-line]").count()):
        said, printed = page.result(page.open(number))
        assert said == "As the book shows it."
        assert printed


def test_nothing_moves_and_nothing_is_loaded_before_a_press(open_page, site):
    watched = open_page("tokens/index.html")
    page = watched.page
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.locator(".offer").first.wait_for()
    tops = "[...document.querySelectorAll('article > *')].map(e => e.offsetTop)"
    with_buttons = page.evaluate(tops)
    page.add_style_tag(content=".offer { display: none }")
    assert page.evaluate(tops) == with_buttons
    assert not [url for url in asked if "/labs/" in url]


def test_an_edited_cell_and_bad_code_in_the_page(open_cells, run):
    page = open_cells("tokens")
    cell = page.open()
    assert page.result(cell)[0] == "As the book shows it."
    for text in (
        "from microgpt import Tokenizer\nTokenizer('ab').encode('abba')\nprint('<b>')",
        "from microgpt import Value\n(Value(2.0) * 3).exp()",
    ):
        native = run(CHAPTERS["Tokens"][0], text)["output"]
        assert page.run(cell, text) == ("Done.", native.rstrip("\n"))
    for text, said in (
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("x = [0] * 10**12", "index-sized integer"),
        ("x = []\nwhile True: x.append(' ' * 10**6)", "not enough memory"),
        ("while True: print('a flood')", "more than 20,000 characters"),
        ("import os; os._exit(1)", "asked Python to exit"),
        ("input()", "nobody can type here"),
        ("def f(): return f()\nf()", "RecursionError"),
        ("print('<img src=x onerror=alert(1)>')", "<img src=x"),
    ):
        assert said in page.run(cell, text)[1]
        assert page.run(cell, "6 * 7")[1] == "42"
    assert cell.locator("img").count() == 0
    cell.get_by_role("button", name="Reset").click()
    block = page.page.locator(".language-pycon").first
    assert block.is_visible()
    assert block.locator(".offer").evaluate(
        "button => button === document.activeElement"
    )
    assert page.result(page.open())[0] == "As the book shows it."
    assert not page.audit()


def test_an_endless_loop_is_stopped_and_the_cell_runs_again(open_cells):
    page = open_cells("tokens", viewport={"width": 390, "height": 800})
    cell = page.open()
    page.result(cell)
    page.page.clock.install()
    cell.locator("textarea").fill(
        "print(6 * 7)\nprint('more', end='')\nwhile True: pass"
    )
    cell.locator("textarea").press("Control+Enter")
    cell.get_by_text("Running").wait_for()
    cell.get_by_text("42", exact=True).wait_for()  # it does not wait for the end
    page.page.clock.fast_forward(10_000)
    cell.get_by_text("Still running after 10 seconds. Stop ends it.").wait_for()
    stop = cell.get_by_role("button", name="Stop")
    stop.click()
    stop.and_(page.page.locator(":disabled")).wait_for()
    assert cell.locator(".cell-output").inner_text().strip() == "42"  # it stays
    assert page.run(cell, "6 * 7") == ("Done.", "42")
    assert page.page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.slow
def test_code_that_breaks_python_down_is_survived(open_cells):
    page = open_cells("tokens")
    page.watched.forgiven = ""  # Pyodide says much about it
    cell = page.open()
    page.result(cell)
    cell.locator("textarea").fill("import os; os.abort()")
    cell.locator("textarea").press("Control+Enter")
    cell.get_by_text("Python broke down").wait_for()
    assert page.run(cell, "6 * 7") == ("Done.", "42")


def test_cells_can_be_used_with_the_keyboard_alone(open_cells):
    page = open_cells("tokens")
    keyboard = page.page.keyboard
    page.page.locator(".offer").first.focus()
    keyboard.press("Enter")
    cell = page.page.locator(".cell")
    cell.locator("textarea").wait_for()
    assert page.result(cell)[0] == "As the book shows it."
    focused = "document.activeElement.textContent || document.activeElement.tagName"
    assert page.page.evaluate(focused) == "Run"
    keyboard.press("Shift+Tab")
    keyboard.press("Control+A")
    keyboard.type("for n in range(2):\nprint(n)")  # Enter indents
    keyboard.press("Control+Enter")
    cell.get_by_text("0\n1").wait_for()
    assert cell.locator("textarea").input_value() == "for n in range(2):\n    print(n)"
    keyboard.press("Tab")  # leaves the text
    assert page.page.evaluate(focused) == "Run"


@pytest.mark.slow
def test_cells_survive_a_walk_through_the_book(open_cells):
    page = open_cells("documents")
    cell = page.open()
    assert page.result(cell)[0] == "As the book shows it."
    page.page.get_by_role("link", name="Next: Tokens").click()
    page.page.locator("h1", has_text="Tokens").wait_for()
    assert page.page.locator(".cell").count() == 0
    assert page.result(page.open())[0] == "As the book shows it."
    page.page.go_back()
    page.page.locator("h1", has_text="Documents").wait_for()
    assert page.page.locator(".cell").count() == 0
    assert page.result(page.open())[0] == "As the book shows it."


@pytest.mark.slow
def test_cells_run_in_the_book_on_one_page(open_cells):
    page = open_cells("book")
    for number in (0, 1, 4):  # of three chapters
        block = page.page.locator(".language-pycon").nth(number)
        block.evaluate("block => block.closest('details')?.setAttribute('open', '')")
        assert page.result(page.open(number))[0] == "As the book shows it."


def test_files_of_the_labs_are_out_of_the_way(run):
    from labs.shared import models

    names = ("names.txt", "model.json", "microgpt.py")
    line = SESSIONS[0].line
    clear = (
        f"from pathlib import Path\nfor name in {names}:\n    Path(name).write_text('')"
    )
    run(line, clear)
    assert all((models.HOME / name).stat().st_size for name in names)
    size = "from pathlib import Path\nPath('names.txt').stat().st_size > 1000"
    assert "True" in run(line, size)["output"]
