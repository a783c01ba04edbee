"""Edits in build/, carried back: into the right chunk, exactly, or refused."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tangle as command_line
from literate.core.diagnostics import DocumentError
from literate.core.document import parse
from literate.core.programs import Output, tangle
from literate.tool.commands.stitch import stitched

HOME = Path(__file__).resolve().parents[2]

DOCUMENT = """# A book

```python
# <<build/a.py>>=
import sys

# <<Define the function>>
print(f(1))
print(f(2))
```

Words.

```python
# <<Define the function>>=
def f(x):
    y = x
    # <<Add to it>>
    return y
```

```python
# <<Add to it>>=
y += 1
y += 2
```

More words.

```python
# <<Add to it>>+=
y += 3
```
"""
TEXT = """import sys

def f(x):
    y = x
    # Add to it
    y += 1
    y += 2
    y += 3
    return y
print(f(1))
print(f(2))
"""


def output(document: str = DOCUMENT) -> Output:
    (output,) = tangle(parse(document, "a.md"))
    return output


def stitch(old: str, new: str) -> str:
    """Return the document after an edit of the program."""
    assert TEXT.count(old) == 1
    edited = TEXT.replace(old, new)
    program = output()
    result = stitched(program.document, {program.path: edited})
    assert output(result).text == edited
    return result


def test_the_program() -> None:
    assert output().text == TEXT


@pytest.mark.parametrize(
    ("old", "new", "old_line", "new_line"),
    [
        ("    y += 2\n", "    y += 20\n", "y += 2\n", "y += 20\n"),
        (
            "    y = x\n",
            "    y = x\n\n    z = 0\n",
            "y = x\n",
            "y = x\n\n    z = 0\n",
        ),
        ("    y += 1\n", "", "y += 1\n", ""),
        ("    y += 2\n", "    y += 9\n    y += 2\n", "y += 2\n", "y += 9\ny += 2\n"),
        ("import sys\n", "import os\nimport sys\n", "import", "import os\nimport"),
        ("print(f(2))\n", "print(f(2))\nx = 1\n", "(f(2))\n", "(f(2))\nx = 1\n"),
        (
            "    # Add to it\n",
            "    # Add to it\n    y -= 1\n",
            ">>=\ny += 1",
            ">>=\ny -= 1\ny += 1",
        ),
        (
            "    return y\n",
            "  # less\n    return y\n",
            "    return y\n",
            "  # less\n    return y\n",
        ),
        (
            "    y += 2\n    y += 3\n",
            "    y += 20\n    y += 30\n",
            "y += 2\n```\n\nMore words.\n\n```python\n# <<Add to it>>+=\ny += 3",
            "y += 20\n```\n\nMore words.\n\n```python\n# <<Add to it>>+=\ny += 30",
        ),
        ("    y += 1\n", "    \n    y += 1\n", "y += 1\n", "    \ny += 1\n"),
        (
            "    # Add to it\n",
            "    # Add\n    # Add to it\n",
            "    # <<Add to it>>\n",
            "    # Add\n    # <<Add to it>>\n",
        ),
        (
            "    return y\n",
            "    # <<x>>\n    return y\n",
            "    # <<Add to it>>\n",
            None,
        ),
    ],
)
def test_an_edit(old: str, new: str, old_line: str, new_line: str | None) -> None:
    if new_line is None:
        with pytest.raises(DocumentError, match="either"):
            stitch(old, new)
        return
    assert DOCUMENT.count(old_line) == 1
    result = stitch(old, new)
    assert result == DOCUMENT.replace(old_line, new_line)


def test_lines_at_the_end_of_the_file_belong_to_the_root() -> None:
    document = DOCUMENT.replace("print(f(1))\nprint(f(2))\n", "")
    program = output(document)
    text = program.text.replace("    return y\n", "    return y\nf(1)\n")
    with pytest.raises(DocumentError, match="either"):  # or to the function
        stitched(program.document, {program.path: text})
    program = output(document.replace("\n# <<D", "\nif sys:\n    # <<D", 1))
    result = stitched(program.document, {program.path: program.text + "f(1)\n"})
    assert "    # <<Define the function>>\nf(1)\n```\n" in result


def test_a_literal_stays_one() -> None:
    result = stitch("    y += 1\n", "    y += 1  # <<x>>\n")
    assert "y += 1  # \\<<x>>\n" in result


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("    # Add to it\n", "    # Add\n", 18, "this comment is the name of a chunk"),
        ("    # Add to it\n", "", 18, "this comment is the name of a chunk"),
        ("    return y\n", "    y = 0\n    return y\n", 32, "lines at the border"),
        ("    y += 2\n", "    y += 2\n    y += 4\n    y += 5\n", None, ""),
        ("    y += 2\n", "  y += 2\n", 25, "an edit with less indentation"),
        (
            "    y += 2\n    y += 3\n",
            "    y += 7\n",
            25,
            "an edit of lines from several chunks",
        ),
        ("print(f(2))\n", "print(f(2))", 9, "the edited file does not end in"),
        ("    y += 1\n", "    y += 1\n    ```\n    y += 0\n", 25, "the edit cannot"),
    ],
)
def test_a_refusal(old: str, new: str, line: int | None, message: str) -> None:
    if line is None:  # between two pieces: the lines could go to either
        with pytest.raises(DocumentError, match="could belong to either"):
            stitch(old, new)
        return
    with pytest.raises(DocumentError) as caught:
        stitch(old, new)
    (problem,) = caught.value.problems
    assert problem.message.startswith(message)
    assert problem.line == line


WORDS = st.sampled_from(["a = 1\n", "b\n", "\n", "# <<x>>\n", "'# <<y>>'\n", "  c\n"])


@given(st.data())
def test_stitch_after_edit_after_tangle_is_the_edit(data: st.DataObject) -> None:
    program = output()
    lines = program.text.splitlines(keepends=True)
    inside = [
        number
        for span in program.spans
        if not span.is_reference
        for number in range(span.line, span.line + span.count)
    ]
    spans = {
        number: span
        for span in program.spans
        for number in range(span.line, span.line + span.count)
    }
    for number in sorted(data.draw(st.sets(st.sampled_from(inside))), reverse=True):
        indent = spans[number].indent
        new = [
            line if line.isspace() else indent + line
            for line in data.draw(st.lists(WORDS, max_size=2))
        ]
        same_next = spans.get(number + 1) is spans[number]
        kept = [lines[number]] if data.draw(st.booleans()) and same_next else []
        lines[number : number + 1] = kept + (new or [f"{indent}d = 4\n"])
    edited = "".join(lines)
    try:
        result = stitched(program.document, {program.path: edited})
    except DocumentError as error:  # never silently something else
        assert any(
            reason in str(error)
            for reason in (
                "could belong to either",
                "from several chunks",
                "name of a",
                "would give something else",  # a function's chunk without its def
            )
        )
        return
    assert output(result).text == edited
    prose = [line for line in DOCUMENT.splitlines() if line.endswith("ords.")]
    assert [line for line in result.splitlines() if line.endswith("ords.")] == prose


# The command


def edit(here: Path, old: str = "y += 2", new: str = "y += 20") -> None:
    file = here / "build" / "a.py"
    file.write_text(file.read_text().replace(old, new))


def test_stitch(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(here)
    capsys.readouterr()
    assert command_line.main(["a.md"]) == 1
    assert "python tangle.py a.md stitch" in capsys.readouterr().err
    assert command_line.main(["a.md", "stitch", "--yes"]) == 0
    said = capsys.readouterr().out
    assert "-y += 2\n+y += 20\n" in said and "wrote a.md\n" in said
    new = DOCUMENT.replace("y += 2\n", "y += 20\n")
    assert (here / "a.md").read_text() == new
    assert command_line.main(["a.md", "--check"]) == 0
    assert command_line.main(["a.md"]) == 0
    assert "y += 20" in (here / "build" / "a.py").read_text()
    assert command_line.main(["a.md", "stitch"]) == 0
    assert capsys.readouterr().out.endswith("build holds no edit\n")


def test_line_endings_and_a_mark_are_kept(here: Path) -> None:
    contents = ("\ufeff" + DOCUMENT).replace("\n", "\r\n").encode()
    (here / "a.md").write_bytes(contents)
    command_line.main(["a.md", "--force"])
    program = here / "build" / "a.py"
    program.write_bytes(program.read_bytes().replace(b"y += 2", b"y += 20"))
    assert command_line.main(["a.md", "stitch", "--yes"]) == 0
    assert (here / "a.md").read_bytes() == contents.replace(b"y += 2", b"y += 20")


def test_without_a_terminal_it_has_to_be_told(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(here)
    assert command_line.main(["a.md", "stitch"]) == 2
    assert "add --yes" in capsys.readouterr().err
    assert (here / "a.md").read_text() == DOCUMENT


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("n", 1), ("", 1)])
def test_it_asks(
    here: Path, answer: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(here)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda question: answer)
    assert command_line.main(["a.md", "stitch"]) == status
    assert ((here / "a.md").read_text() == DOCUMENT) == (status == 1)


def test_both_were_changed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(here)
    changed = DOCUMENT.replace("y += 3", "y += 30")
    (here / "a.md").write_text(changed)
    assert command_line.main(["a.md", "stitch", "--yes"]) == 1
    assert "was changed as well since it was tangled" in capsys.readouterr().err
    assert (here / "a.md").read_text() == changed


def test_a_change_of_the_prose_alone_is_no_hindrance(here: Path) -> None:
    edit(here)
    (here / "a.md").write_text(DOCUMENT.replace("More words.", "Other words."))
    assert command_line.main(["a.md", "stitch", "--yes"]) == 0
    assert "Other words." in (here / "a.md").read_text()
    assert "y += 20" in (here / "a.md").read_text()


def test_another_form_is_not_stitched(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    form = here / "build" / "a_commented.py"
    form.write_text("mine")
    assert command_line.main(["a.md", "stitch", "--yes"]) == 1
    assert "edited by hand, and it is made from a.md" in capsys.readouterr().err
    assert form.read_text() == "mine"


def test_an_edit_made_while_it_asks_is_kept(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(here)

    def answer(question: str) -> str:
        edit(here, "y += 20", "y += 200")
        return "y"

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", answer)
    assert command_line.main(["a.md", "stitch"]) == 1
    assert "edited again meanwhile; nothing was changed" in capsys.readouterr().err
    assert (here / "a.md").read_text() == DOCUMENT
    assert "y += 200" in (here / "build" / "a.py").read_text()


def test_an_edit_that_is_not_python(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(here, "y += 2", "y +=")
    assert command_line.main(["a.md", "stitch", "--yes"]) == 1
    assert "a.md:25:5: error: not Python: " in capsys.readouterr().err
    assert (here / "a.md").read_text() == DOCUMENT


# Several programs that share a chunk

SHARED = """# A book

```python
# <<build/a.py>>=
# <<Count>>
print(x)
```

```python
# <<build/b.py>>=
if True:
    # <<Count>>
y = 1
```

```python
# <<Count>>=
x = 1
x += 1
```
"""


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "a.md").write_text(SHARED)
    monkeypatch.chdir(tmp_path)
    assert command_line.main(["a.md"]) == 0
    return tmp_path


def edit_file(here: Path, name: str, old: str, new: str) -> None:
    file = here / "build" / name
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def test_an_edit_of_a_shared_chunk_changes_every_program(
    two: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit_file(two, "b.py", "x += 1", "x += 2")
    assert command_line.main(["a.md", "stitch", "--yes"]) == 0
    assert "this changes build/a.py, build/b.py" in capsys.readouterr().out
    assert (two / "a.md").read_text() == SHARED.replace("x += 1", "x += 2")
    assert (two / "build" / "a.py").read_text() == "# Count\nx = 1\nx += 2\nprint(x)\n"


def test_edits_of_two_programs_that_agree_or_do_not_meet(two: Path) -> None:
    edit_file(two, "a.py", "x += 1", "x += 2")
    edit_file(two, "b.py", "x += 1", "x += 2")
    edit_file(two, "b.py", "y = 1", "y = 3")
    assert command_line.main(["a.md", "stitch", "--yes"]) == 0
    wanted = SHARED.replace("x += 1", "x += 2").replace("y = 1", "y = 3")
    assert (two / "a.md").read_text() == wanted
    assert command_line.main(["a.md", "--check"]) == 0


def test_edits_of_two_programs_that_differ(
    two: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit_file(two, "a.py", "x += 1", "x += 2")
    edit_file(two, "b.py", "x += 1", "x += 3")
    assert command_line.main(["a.md", "stitch", "--yes"]) == 1
    error = capsys.readouterr().err
    assert 'a.md:19:1: error: "Count" was edited differently in two programs' in error
    assert "make build/b.py and build/a.py agree" in error
    assert (two / "a.md").read_text() == SHARED


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_a_kill_leaves_the_document_whole(here: Path) -> None:
    old = DOCUMENT + "words\n" * 50_000
    new = old.replace("y += 2\n", "y += 20\n")
    program = [sys.executable, str(HOME / "tangle.py"), "a.md", "stitch", "--yes"]
    chance = random.Random(1)
    for _ in range(8):
        (here / "a.md").write_text(old)
        command_line.main(["a.md", "--force"])
        edit(here)
        process = subprocess.Popen(
            program, cwd=here, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0.05, 0.4))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert (here / "a.md").read_text() in (old, new)
        assert "y += 20" in (here / "build" / "a.py").read_text()
