"""The program with comments, and the notebook: they run, and print the same."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import tangle as command_line
from literate.core.document import parse
from literate.core.programs import tangle
from literate.tool import commented
from literate.tool.forms import outputs_and_forms
from literate.tool.order import parts

HOME = Path(__file__).resolve().parents[2]
BOOK = HOME / "microgpt.md"

DOCUMENT = """# A book

What a section says that explains no chunk is not among the comments.

<div class="lab" data-lab="x">

What is shown where nothing runs.

</div>

## One

Some *words* that are long enough to be <dfn>wrapped</dfn>, which they are when they
do not fit.

```pycon
>>> from a import half
>>> half(3)
1.5
```

- an item, `code`
- another item that is so long that it has to be wrapped at the margin of comments

```python
# <<Halve a number>>=
def half(x):
    # <<Check it>>
    return x / TWO
```

```math
x / 2
```

The check, $`x`$:

```python
# <<Check it>>=
if not x:
    raise ValueError("zero")
```

| a | table of which the lines are longer than seventy-nine letters, as many are |
| --- | --- |

![A picture](a.svg)

```mermaid
graph LR
```

### Try it

What is half of 0?

```pycon
>>> half(0)
Traceback (most recent call last):
  ...
ValueError: zero
>>> print("a\\n\\nb")
a
<BLANKLINE>
b
```

<details>
<summary>Solution</summary>

```pycon
>>> half(0) is None
```

</details>

## In a shell

```sh
python a.py
```

## The program

```python
# <<build/a.py>>=
\"\"\"A program.\"\"\"

# <<Import>>

# <<Define two>>


# <<Halve a number>>


def main(arguments=None):
    with open("data.txt") as file:
        print(file.read(), half(8))


if __name__ == "__main__":
    sys.exit(main())
```

```python
# <<Import>>=
import sys
```

```python
# <<Define two>>=
TWO = 2
```

```text
# <<build/data.txt>>=
some \\"\"" data
```
"""


def forms(document: str, name: str = "a.md") -> dict[str, str]:
    found = outputs_and_forms(parse(document, name))
    return {output.path: output.text for output in found}


def cells(notebook: str, kind: str) -> list[str]:
    found = json.loads(notebook)["cells"]
    return ["".join(c["source"]) for c in found if c["cell_type"] == kind]


def test_parts_are_the_program() -> None:
    program = tangle(parse(DOCUMENT, "a.md"))[0]
    found = parts(program)
    names = ["Import", "Define two", "Halve a number", ""]
    assert [part.name for part in found] == names
    lines = [line.text for part in found for line in part.lines]
    joined = "".join("".join(line.split()) for line in lines)
    assert joined == "".join(program.text.split())


def test_the_commented_program_is_the_program() -> None:
    found = forms(DOCUMENT)
    commented = found["build/a_commented.py"]
    assert ast.dump(ast.parse(commented)) == ast.dump(ast.parse(found["build/a.py"]))
    lines = commented.splitlines()
    assert all(len(line) < 80 for line in lines if not line.startswith("# |"))
    assert (
        "# Some *words* that are long enough to be wrapped, which they are" in commented
    )
    assert "\n# - another item that is so long" in commented
    assert "\n#   comments\n" in commented
    assert "\n#     >>> half(3)\n#     1.5\n" in commented
    assert "| a | table" in commented and "# One" in commented
    absent = ["explains no", "lab", "Try it", "Solution", "graph", "![", "dfn", "shell"]
    assert not [word for word in absent if word in commented]


def test_the_notebook_in_order() -> None:
    notebook = forms(DOCUMENT)["build/a.ipynb"]
    code = cells(notebook, "code")
    assert code[0].startswith("# Sessions import the program")
    assert code[1].startswith('"""A program."""\n\n# Import\nimport sys')
    assert code[2] == "# Define two\nTWO = 2"
    assert code[3].startswith("def half(x):\n    # Check it\n")
    assert code[4] == "from a import half\nhalf(3)"
    assert code[5].startswith("try:\n    half(0)\nexcept Exception as error:")
    assert code[-1].endswith("main([])") and len(code) == 8
    assert json.loads(notebook)["cells"][-1]["metadata"] == {"scrolled": True}
    prose = "\n".join(cells(notebook, "markdown"))
    assert "$$\nx / 2\n$$" in prose and "$x$" in prose
    solution = "<details>\n<summary>Solution</summary>\n\n```pycon\n>>> half(0) is"
    assert solution in prose and "a.svg" not in prose and "graph LR" in prose
    assert "nothing runs" not in prose and "shell" not in prose
    assert "```pycon\n>>> from a import half" in prose  # it runs after its component


def test_a_notebook_is_valid_and_runs(tmp_path: Path) -> None:
    printed = run_notebook(forms(DOCUMENT)["build/a.ipynb"], tmp_path)
    assert printed[4:-1] == ["1.5\n", "ValueError: zero\n", "a\n\nb\n"]
    assert printed[-1] == 'some \\""" data\n 4.0\n'


def run_notebook(text: str, folder: Path, replaced: str = "main([])") -> list[str]:
    """Run a notebook from top to bottom; return what each code cell prints."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = cell.source.replace("main([])", replaced)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nbclient.NotebookClient(
            notebook, timeout=600, resources={"metadata": {"path": str(folder)}}
        ).execute()
    return [
        "".join(
            part.get("text") or part["data"]["text/plain"] + "\n"
            for part in cell.outputs
        )
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


STAGES = """# Stages

## One

```pycon
>>> from stages.one import double
>>> double(2)
4
```

```python
# <<build/stages/one.py>>=
# <<Double>>


if __name__ == "__main__":
    print("one", double(1), __name__)
```

```python
# <<Double>>=
def double(x):
    return 2 * x
```

## Two

```pycon
>>> from s import double
>>> double(2)
4
```

```python
# <<build/s.py>>=
# <<Double>>


# <<Treble>>


print("two", treble(1), sys.modules["__main__"].__name__)
```

The rest.

```python
# <<Treble>>=
import sys

def treble(x):
    return 3 * x
```

## Three

Only another program is explained here.

```python
# <<build/three.py>>=
three = 3
```
"""


def test_another_program_has_a_namespace_of_its_own(tmp_path: Path) -> None:
    printed = run_notebook(forms(STAGES, "s.md")["build/s.ipynb"], tmp_path)
    assert "one 2 __main__\n" in printed and "two 3 __main__\n" in printed
    assert printed.count("4\n") == 2


def test_sections_about_other_programs_are_not_among_the_comments() -> None:
    found = forms(STAGES, "s.md")
    program = found["build/s_commented.py"]
    assert ast.dump(ast.parse(program)) == ast.dump(ast.parse(found["build/s.py"]))
    assert "# One" in program and "# Two" in program  # a chunk of One is in both
    assert "Three" not in program and "Only another" not in program


def test_each_comment_leads_to_the_document() -> None:
    document = parse(DOCUMENT, "a.md")
    text, origins = commented.make(tangle(document)[0])
    lines = text.splitlines()
    assert len(lines) == len(origins)
    for line, origin in zip(lines, origins):
        if origin is not None and "return x / TWO" in line:
            assert "return x / TWO" in document.lines[origin - 1]
    found = [o for line, o in zip(lines, origins) if "Some *words*" in line]
    assert ["Some *words*" in document.lines[o - 1] for o in found] == [True]
    found = [o for line, o in zip(lines, origins) if "half(3)" in line]
    assert found and all("half(3)" in document.lines[o - 1] for o in found)


@given(st.text(st.characters(codec="utf-8"), max_size=20))
def test_no_prose_breaks_the_commented_program(prose: str) -> None:
    document = parse(DOCUMENT.replace("Some *words*", f"Some x{prose}x"), "a.md")
    assume(not document.problems)
    program = tangle(document)[0]
    text, origins = commented.make(program)
    assert ast.dump(ast.parse(text)) == ast.dump(ast.parse(program.text))
    assert len(text.split("\n")) == len(origins) + 1


# The book


@pytest.fixture(scope="module")
def book() -> dict[str, str]:
    document = parse(BOOK.read_bytes().decode(), BOOK.name)
    found = outputs_and_forms(document)
    return {output.path.rpartition("/")[2]: output.text for output in found}


def test_the_books_commented_program(book: dict[str, str], tmp_path: Path) -> None:
    commented, program = book["microgpt_commented.py"], book["microgpt.py"]
    assert ast.dump(ast.parse(commented)) == ast.dump(ast.parse(program))
    for name, text in book.items():
        (tmp_path / name).write_bytes(text.encode())

    def printed(name: str) -> bytes:
        command = [sys.executable, name, "--steps", "20", "--samples", "3"]
        return subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE).stdout

    assert printed("microgpt_commented.py") == printed("microgpt.py") != b""


def test_the_books_notebook(book: dict[str, str], tmp_path: Path) -> None:
    """It runs where nothing else is, and prints what the sessions and program do."""
    arguments = ["--steps", "20", "--samples", "3"]
    text = book["microgpt.ipynb"].replace('__main__\\")', 'stage\\")')  # no training
    printed = run_notebook(text, tmp_path, f"main({arguments!r})")
    written = [line for line in printed if line.startswith("Writing ")]
    assert len(written) == text.count("%%writefile")
    shown = [
        "".join("".join(part["text"]) for part in cell["outputs"])
        for cell in json.loads(text)["cells"]
        if cell["cell_type"] == "code"
    ]
    unmarked = "This is marked where the notebook is in the book's build/.\n"
    assert printed.count(unmarked) == text.count("%%exercise") > 40
    said = ["" if line in (*written, unmarked) else line for line in printed]
    assert said[:-1] == shown[:-1]
    (tmp_path / "program.py").write_bytes(book["microgpt.py"].encode())
    command = [sys.executable, "program.py", *arguments]
    done = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert printed[-1] == done.stdout != ""


# How they are written


def test_forms_are_outputs(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = {".tangle.json", "a.py", "data.txt", "a_commented.py", "a.ipynb"}
    assert {path.name for path in (here / "build").iterdir()} == names
    assert command_line.main(["a.md", "--check"]) == 0
    for path in (here / "build").iterdir():
        os.utime(path, (1, 1))
    assert command_line.main(["a.md"]) == 0
    assert all(path.stat().st_mtime == 1 for path in (here / "build").iterdir())
    (here / "a.md").write_bytes(DOCUMENT.replace("Some", "More").encode())
    assert command_line.main(["a.md", "--check"]) == 1
    assert "-# Some *words*" in capsys.readouterr().out
    assert command_line.main(["a.md"]) == 0
    assert "# More *words*" in (here / "build" / "a_commented.py").read_text()


def test_an_edited_form_is_kept(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    form = here / "build" / "a_commented.py"
    form.write_text("mine")
    assert command_line.main(["a.md"]) == 1
    assert "edited by hand, and it is made from a.md" in capsys.readouterr().err
    assert form.read_text() == "mine"
    assert command_line.main(["a.md", "--force"]) == 0
    assert form.read_text() != "mine"


@pytest.mark.skipif(os.name == "nt", reason="symbolic links")
def test_a_link_in_the_place_of_a_form(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    form = here / "build" / "a.ipynb"
    form.rename(here / "elsewhere")
    form.symlink_to(here / "elsewhere")
    capsys.readouterr()
    assert command_line.main(["a.md"]) == 1
    message = f"{Path('build/a.ipynb')}: error: a symbolic link leads elsewhere\n"
    assert capsys.readouterr().err == message


def test_forms_go_with_their_root(here: Path) -> None:
    (here / "a.md").write_bytes(DOCUMENT.replace("build/a.py", "build/b.py").encode())
    assert command_line.main(["a.md"]) == 0
    names = {".tangle.json", "b.py", "data.txt"}
    assert {path.name for path in (here / "build").iterdir()} == names


def test_a_root_of_the_same_name_comes_first() -> None:
    text = DOCUMENT + "\n```text\n# <<build/a.ipynb>>=\nmine\n```\n"
    assert forms(text)["build/a.ipynb"] == "mine\n"
