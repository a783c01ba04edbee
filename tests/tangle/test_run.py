"""`run` and `where`: every position is the document's, on every Python that is here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tangle as command_line
from literate.core.document import parse
from literate.core.programs import tangle
from literate.tool.positions import compile_output

HOME = Path(__file__).resolve().parents[2]
TANGLE = str(HOME / "tangle.py")
VERSIONS = sorted(Path.home().glob(".pyenv/versions/3.1[0-9].*/bin/python"))
PYTHONS = {sys.executable, *(str(p) for p in VERSIONS)}

DOCUMENT = """# A book

## One

```python
# <<build/p.py>>=
import sys
import warnings


def f(x, case):
    # <<Do what is asked>>
    return x


# <<Start>>
```

```python
# <<Do what is asked>>=
if case == "raise":
    # <<Divide>>
elif case == "assert":
    assert x == 4, "no"
```

```python
# <<Do what is asked>>+=
elif case == "warn":
    warnings.warn("careful")
```

```python
# <<Divide>>=
if x:
    y = "ä" + "ö"
```

```python
# <<Divide>>+=
    y = "ä" + str(
        x / 0) + "ö"; x = 2
```

```python
# <<Start>>=
if __name__ == "__main__":
    print(f(3, *sys.argv[1:]))
```
"""
TEXT = DOCUMENT.splitlines()


def line_of(text: str) -> int:
    return next(n for n, line in enumerate(TEXT, 1) if text in line)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "p.md").write_bytes(DOCUMENT.encode())
    return tmp_path


def call(python: str, here: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.run(
        [python, *arguments],
        cwd=here,
        env=environment,
        capture_output=True,
        encoding="utf-8",
    )


@pytest.fixture(params=sorted(PYTHONS), ids=lambda path: Path(path).parts[-3])
def python(request: pytest.FixtureRequest) -> str:
    return request.param


def mapped(here: Path, text: str) -> list[str]:
    """Return a traceback of the tangled program with places of the document."""
    (output,) = tangle(parse(DOCUMENT, "p.md"))

    def place(match: re.Match[str]) -> str:
        line = output.origin(int(match[1])).line
        return f'File "{here / "p.md"}", line {line}'

    text = re.sub(r'File "[^"]*p.py", line (\d+)', place, text)
    return text.splitlines()


@pytest.mark.parametrize("case", ["raise", "assert"])
def test_a_traceback_is_that_of_the_program_at_the_documents_lines(
    here: Path, python: str, case: str
) -> None:
    call(python, here, TANGLE, "p.md")
    plain = call(python, here, "build/p.py", case)
    done = call(python, here, TANGLE, "p.md", "run", case)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == mapped(here, plain.stderr)
    wanted = line_of("x / 0") if case == "raise" else line_of("assert x")
    assert f'p.md", line {wanted}, in f' in done.stderr


def test_a_warning(here: Path, python: str) -> None:
    done = call(python, here, TANGLE, "p.md", "run", "warn")
    assert (done.returncode, done.stdout) == (0, "3\n")
    line = line_of('"careful"')
    assert done.stderr.startswith(f"{here / 'p.md'}:{line}: UserWarning: careful\n")
    assert done.stderr.endswith('  warnings.warn("careful")\n')


def test_a_warning_of_the_compiler(here: Path, python: str) -> None:
    text = DOCUMENT.replace("print(f(3", 'print("\\d" is 3, f(3')
    (here / "p.md").write_bytes(text.encode())
    done = call(python, here, "-W", "always", TANGLE, "p.md", "run", "")
    line = line_of("print(f(3")
    places = re.findall(r"p\.md:(\d+): (\w+)", done.stderr)
    assert {number for number, _ in places} == {str(line)}
    assert "SyntaxWarning" in {kind for _, kind in places}


@pytest.mark.parametrize(
    ("old", "new", "line", "column"),
    [
        ("x / 0)", "x / / 0)", "x / 0)", 13),
        ('elif case == "assert":', 'elif case = "assert":', '"assert"', None),
        ("    return x", "    return return", "    return x", 12),
    ],
)
def test_a_syntax_error(
    here: Path, python: str, old: str, new: str, line: str, column: int | None
) -> None:
    (here / "p.md").write_bytes(DOCUMENT.replace(old, new).encode())
    done = call(python, here, TANGLE, "p.md", "run", "raise")
    assert (done.returncode, done.stdout) == (1, "")
    found = re.match(r"p\.md:(\d+):(\d+): error: not Python: ", done.stderr)
    assert int(found[1]) == line_of(line)
    assert column is None or int(found[2]) == column


def test_exit_statuses(here: Path) -> None:
    def status(statement: str) -> int:
        text = DOCUMENT.replace("print(f(3, *sys.argv[1:]))", statement)
        (here / "p.md").write_bytes(text.encode())
        return call(sys.executable, here, TANGLE, "p.md", "run").returncode

    assert status("sys.exit(7)") == 7
    assert status("sys.exit('no')") == 1
    assert status("raise KeyboardInterrupt") == 130
    assert status("pass") == 0


def test_it_runs_what_the_document_says_now(here: Path) -> None:
    text = DOCUMENT.replace(
        "print(f(3, *sys.argv[1:]))",
        "import gc, os\n"
        "    from pathlib import Path\n"
        "    print(Path(__file__).with_name('d.txt').read_text(), __name__, sys.argv,"
        " sys.path[0] == os.path.dirname(__file__), gc.isenabled(), os.getcwd())",
    )
    text += "\n```text\n# <<build/d.txt>>=\ndata\n```\n"
    (here / "p.md").write_bytes(text.encode())
    (here / "build").mkdir()
    (here / "build" / "p.py").write_text("print('old')\n")
    done = call(sys.executable, here, TANGLE, "p.md", "run", "--", "--help", "x")
    assert done.stderr == ""
    assert done.stdout.startswith("data\n __main__ ['")
    assert done.stdout.endswith(f"'--help', 'x'] True True {here}\n")
    assert (here / "build" / "p.py").read_text() == "print('old')\n"


@pytest.mark.parametrize("command", ["run", "debug"])
def test_help(here: Path, command: str) -> None:
    done = call(sys.executable, here, TANGLE, "p.md", command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: tangle.py [DOCUMENT.md] {command} [PROGRAM")


@pytest.mark.parametrize("name", ["build/q.py", "q.py"])
def test_another_program(here: Path, name: str) -> None:
    more = "\n```python\n# <<build/q.py>>=\nimport sys\nprint(sys.argv[1:])\n```\n"
    (here / "p.md").write_text(DOCUMENT + more)
    done = call(sys.executable, here, TANGLE, "p.md", "run", name, "x")
    assert (done.stdout, done.stderr) == ("['x']\n", "")
    assert call(sys.executable, here, TANGLE, "p.md", "run", "x").stdout == "3\n"


def test_without_a_program(here: Path) -> None:
    (here / "p.md").write_text("# Empty\n")
    done = call(sys.executable, here, TANGLE, "p.md", "run")
    assert done.returncode == 2
    assert "p.md has no root in Python that could be run" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="no pseudo-terminals")
def test_a_debugger_at_a_terminal(here: Path, python: str) -> None:
    import pty

    main, other = pty.openpty()
    line = line_of("assert x")
    process = subprocess.Popen(
        [python, TANGLE, "p.md", "debug", "assert"],
        cwd=here,
        env={**os.environ, "NO_COLOR": "1", "TERM": "dumb", "PYTHON_COLORS": "0"},
        stdin=other,
        stdout=other,
        stderr=other,
    )
    os.close(other)
    said = ""
    for answer in (f"b p.md:{line}", "c", "list", "p x", "c", "p case", "q"):
        said += _until_prompt(main)
        os.write(main, f"{answer}\n".encode())
    process.wait(20)
    os.close(main)
    assert f"Breakpoint 1 at {here / 'p.md'}:{line}" in said
    assert f"> {here / 'p.md'}({line})f()" in said
    assert re.search(rf"{line} B->\t +assert x == 4", said)
    assert f"{line + 1}  \t```" in said  # the fence: it lists the document
    assert "AssertionError: no" in said and "\n'assert'\r\n" in said
    assert process.returncode == 1


def _until_prompt(terminal: int) -> str:
    said, end = "", time.monotonic() + 30
    while not said.endswith("(Pdb) ") and time.monotonic() < end:
        said += os.read(terminal, 4096).decode()
    return said


def test_coverage_reports_the_documents_lines(here: Path) -> None:
    pytest.importorskip("coverage")
    (here / ".coveragerc").write_text("[run]\nplugins = literate.tool.coverage\n")
    environment = {**os.environ, "PYTHONPATH": str(HOME)}

    def coverage(*arguments: str) -> str:
        command = [sys.executable, "-m", "coverage", *arguments]
        return subprocess.run(
            command, cwd=here, env=environment, capture_output=True, text=True
        ).stdout

    coverage("run", TANGLE, "p.md", "run", "warn")
    report = coverage("report", "-m", "--include=*.md")
    missing = re.search(r"%\s+(.+)", report)[1]
    lines = [line_of(t) for t in ("if x:", '"ä" + "ö"', "assert x ==")]
    numbers = set()
    for part in missing.split(", "):
        first, _, last = part.partition("-")
        numbers.update(range(int(first), int(last or first) + 1))
    assert numbers >= set(lines)
    for text in ('"careful"', "import sys", "print(f(3", 'if case == "raise"'):
        assert line_of(text) not in numbers


# where


@pytest.mark.parametrize(
    ("place", "other"),
    [
        ("build/p.py:9", f"p.md:{line_of('if x:')}  Divide"),
        ("build/p.py:9:9", f"p.md:{line_of('if x:')}:1  Divide"),
        ("p.py:1", f"p.md:{line_of('import sys')}  build/p.py"),
        (f"p.md:{line_of('assert x')}:8", "build/p.py:14:12  Do what is asked"),
        (f"p.md:{line_of('# <<Divide>>')}", "build/p.py:8  Do what is asked"),
    ],
)
def test_where(
    here: Path,
    place: str,
    other: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(here)
    assert command_line.main(["p.md", "where", place]) == 0
    assert capsys.readouterr().out == f"{other}\n"


def test_where_of_names_and_shared_chunks(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    more = "\n```python\n# <<build/a.py>>=\nif x:\n    # <<Start>>\n```\n"
    (here / "p.md").write_bytes((DOCUMENT + more).encode())
    monkeypatch.chdir(here)
    start, body = line_of("# <<Start>>="), line_of('if __name__ == "__main__"')
    found = ["build/p.py:21  Start", "build/a.py:3  Start"]
    assert command_line.main(["p.md", "where", f"p.md:{body}"]) == 0
    assert capsys.readouterr().out.splitlines() == found
    assert command_line.main(["p.md", "where", "Start"]) == 0
    assert capsys.readouterr().out.splitlines() == [f"p.md:{start}  Start", *found]
    assert command_line.main(["p.md", "where", "f"]) == 0
    defined = [f"p.md:{line_of('def f')}  build/p.py", "build/p.py:5  build/p.py"]
    assert capsys.readouterr().out.splitlines() == defined


def test_where_of_the_other_forms(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(here)
    assert command_line.main(["p.md"]) == 0
    capsys.readouterr()
    name = "p_commented.py"
    lines = (here / "build" / name).read_text("utf-8").splitlines()
    number = next(n for n, line in enumerate(lines, 1) if "def f(x" in line)
    assert command_line.main(["p.md", "where", f"{name}:{number}"]) == 0
    assert capsys.readouterr().out == f"p.md:{line_of('def f')}\n"
    for place in (f"build/{name}:99999", "build/p.ipynb:9"):
        assert command_line.main(["p.md", "where", place]) == 2
        assert (
            f"no line of the document is known for {place}" in capsys.readouterr().err
        )


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("p.md:1", "p.md:1 is in no program: it is in no chunk"),
        ("p.md:6", 'p.md:6 is in no program: the header of "build/p.py"'),
        ("p.md:999", "p.md has no line 999"),
        ("build/p.py:999", "build/p.py has no line 999"),
        ("build/q.py:1", 'p.md makes no build/q.py; did you mean "build/p.py"?'),
        ("nonsense", 'nothing is called "nonsense"; a place is FILE:LINE, as in'),
        ("Divode", 'nothing is called "Divode"; did you mean "Divide"?'),
    ],
)
def test_nowhere(
    here: Path,
    place: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(here)
    assert command_line.main(["p.md", "where", place]) == 2
    assert capsys.readouterr().err.startswith(f"tangle.py: error: {message}")


# The map


def test_the_map_is_a_bijection_on_the_lines_of_the_book() -> None:
    document = parse((HOME / "microgpt.md").read_bytes().decode(), "microgpt.md")
    for output in tangle(document):
        seen = set()
        for line in range(1, output.text.count("\n") + 1):
            source = output.origin(line).line
            assert source not in seen and output.line_of(source) == line
            seen.add(source)


@given(
    st.lists(
        st.sampled_from(["x = 1", "if x:", "    y = (x +", "  # <<B>>"]), max_size=6
    )
)
def test_the_tree_moves_wherever_a_program_can_be_cut(lines: list[str]) -> None:
    body = "".join(f"{line}\n" for line in lines if "<<" not in line)
    indent = " " * 4
    text = (
        f"```python\n# <<build/a.py>>=\ndef f(x):\n{indent}# <<B>>\n{indent}return (\n"
        f"{indent}# <<C>>\n{indent})\n```\n\n```python\n# <<C>>=\n1 +\n2\n```\n\n"
        f"```python\n# <<B>>=\npass\n{body}```\n"
    )
    (output,) = tangle(parse(text, "a.md"))
    try:
        compile(output.text, "a.py", "exec")
    except SyntaxError:
        return
    names: dict[str, object] = {}
    exec(compile_output(output, "a.md"), names)
    assert names["f"](1) == 3
