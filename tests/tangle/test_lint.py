"""Findings of ruff at the document's lines, and problems as tools read them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import tangle

HOME = Path(__file__).resolve().parents[2]
DOCUMENT = """# A book

```python
# <<build/a.py>>=
import os


def f(x):
    # <<Do it>>
```

```python
# <<Do it>>=
y  = undefined
return x
```
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.md").write_text(DOCUMENT)
    (tmp_path / "ruff.toml").write_text('lint.select = ["F"]\n')
    return tmp_path


def test_findings_are_in_the_document(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tangle.main(["a.md", "lint"]) == 1
    found = capsys.readouterr().out
    places = re.findall(r"^(a\.md:\d+:\d+): error: ([A-Z]\d+|not)", found, re.M)
    assert places == [
        ("a.md:5:8", "F401"),
        ("a.md:14:1", "F841"),
        ("a.md:14:6", "F821"),
        ("a.md:14:1", "not"),
    ]
    assert tangle.main(["a.md", "lint", "--format=json"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["line"] for line in lines] == [5, 14, 14, 14]


def test_a_clean_program(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = DOCUMENT.replace("import os\n\n\n", "").replace("y  = undefined", "x += 1")
    (here / "a.md").write_text(text)
    assert tangle.main(["a.md", "lint"]) == 0
    assert capsys.readouterr().out == ""


def test_a_finding_in_a_shared_chunk_is_said_once(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = "\n```python\n# <<build/b.py>>=\ndef g(x):\n    # <<Do it>>\n```\n"
    (here / "a.md").write_text(DOCUMENT + more)
    assert tangle.main(["a.md", "lint", "--select=F821"]) == 1
    assert capsys.readouterr().out.count("F821") == 1


def test_the_book_is_clean(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(HOME)
    status = tangle.main(["lint"])
    assert (status, capsys.readouterr().out) == (0, "")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--select=F9999", "ruff: "),
        ("--selec", 'there is no option --selec; did you mean "--select"?'),
        ("--statistics", "there is no option --statistics"),
        ("--fix", "there is no option --fix"),
    ],
)
def test_what_is_refused(
    here: Path, option: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tangle.main(["a.md", "lint", option]) == 2
    assert capsys.readouterr().err.startswith(f"tangle.py: error: {message}")


def test_options(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tangle.main(["a.md", "lint", "--select", "F841", "--ignore", "F821"]) == 1
    assert re.findall(r"error: (\w+)", capsys.readouterr().out) == ["F841", "not"]


@pytest.mark.parametrize("arguments", [["--format", "json"], ["--format=json"]])
def test_problems_as_json(
    here: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "a.md").write_text(DOCUMENT.replace("# <<Do it>>\n", "# <<Do its>>\n"))
    assert tangle.main(["a.md", *arguments]) == 1
    captured = capsys.readouterr()
    (problem,) = map(json.loads, captured.err.splitlines())
    assert problem == {
        "file": "a.md",
        "line": 9,
        "column": 7,
        "message": 'no chunk is called "Do its"',
        "source": "    # <<Do its>>",
        "length": 10,
        "hint": 'did you mean "Do it"?',
        "detail": "",
    }


def test_outputs_that_cannot_be_written_as_json(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "build" / "a.py").mkdir(parents=True)
    (here / "build" / "a.py" / "mine").write_text("")
    assert tangle.main(["a.md", "--format", "json"]) == 1
    (problem,) = map(json.loads, capsys.readouterr().err.splitlines())
    assert "a folder is where the output should be" in problem["message"]


def test_the_hooks_are_commands() -> None:
    text = (HOME / ".pre-commit-config.yaml").read_text()
    entries = re.findall(r"entry: python tangle\.py ?(\w*)", text)
    assert entries == ["", "verify", "lint"]
    assert set(entries[1:]) <= set(tangle.COMMANDS)
