"""Sessions and transcripts: what keeps its promise, what does not, and `--update`."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tangle
from literate.core.diagnostics import DocumentError
from literate.core.document import parse
from literate.core.sessions import Bench, find_sessions
from literate.tool import outputs
from literate.tool.commands.verify import updated

HOME = Path(__file__).resolve().parents[2]
PROGRAM = """# A book

## One

```python
# <<build/p.py>>=
def half(x):
    return x / 2


def fail():
    raise LookupError("lost")
```

"""


def session(text: str, kind: str = "pycon") -> str:
    return f"```{kind}\n{text}```\n\n"


def verify(
    text: str, timeout: float = 20
) -> tuple[list[tuple[int, int, str]], list[str]]:
    """Return places and messages of what is broken, and what was printed instead."""
    with Bench(parse(PROGRAM + text, "b.md"), timeout) as bench:
        results = [r for s in bench.sessions for r in bench.results(s)]
        problems = bench.problems + [r.problem for r in results if r.problem]
    start = PROGRAM.count("\n")
    found = [(p.line - start, p.column, p.message) for p in problems]
    return found, [r.printed for r in results if r.printed is not None]


@pytest.mark.parametrize(
    "text",
    [
        ">>> from p import half\n>>> half(3)\n1.5\n",
        ">>> for i in range(2):\n...     print(i)\n...\n0\n1\n>>> 1\n1\n",
        ">>> print('a\\n\\nb')\na\n<BLANKLINE>\nb\n",
        ">>> print('a', end='')\na\n",
        ">>> list(range(99))  # doctest: +ELLIPSIS\n[0, 1, ..., 98]\n",
        ">>> print('a   b')  # doctest: +NORMALIZE_WHITESPACE\na b\n",
        ">>> 1.23456  # doctest: +NUMBER\n1.235\n",
        ">>> [1.23456, 'x', 2e-3]  # doctest: +NUMBER\n[1.2, 'x', 0.002]\n",
        ">>> nonsense  # doctest: +SKIP\n",
        ">>> int('x')\nTraceback (most recent call last):\n  ...\n"
        "ValueError: invalid literal for int() with base 10: 'x'\n",
        ">>> 1 +\nTraceback (most recent call last):\n  ...\n"
        "SyntaxError: invalid syntax\n",
        ">>> raise SystemExit(2)\nTraceback (most recent call last):\nSystemExit: 2\n",
        ">>> import os\n>>> os.getcwd().endswith('build')\nTrue\n"
        ">>> sorted(name for name in os.listdir() if '.' in name)\n['p.py']\n",
        ">>> x = 1\n```\n\nprose\n\n```pycon\n>>> x\n1\n",
        ">>> def f():\n...     return 1\n>>> import inspect\n"
        ">>> print(inspect.getsource(f))\ndef f():\n    return 1\n<BLANKLINE>\n",
    ],
)
def test_kept(text: str) -> None:
    assert verify(session(text)) == ([], [])


@pytest.mark.parametrize(
    ("text", "place", "printed"),
    [
        (">>> 1\n2\n", (3, 1, "not what the example prints"), ["1\n"]),
        (">>> 1.26  # doctest: +NUMBER\n1.0\n", (3, 3, "not what"), ["1.26\n"]),
        (">>> 1.23\n1.24\n", (3, 4, "not what the"), ["1.23\n"]),
        (">>> print('ab\\ncd')\nab\nce\n", (4, 2, "not what"), ["ab\ncd\n"]),
        (">>> 'x'\n", (2, 1, "prints more than is shown"), ["'x'\n"]),
        (">>> x = 1\n1\n", (3, 1, "not what the example prints"), [""]),
        (">>> fail\n", (2, 1, "ends with NameError: name 'fail' is not"), []),
        (
            ">>> 1 / 0\nTraceback (most recent call last):\nValueError: no\n",
            (4, 1, "not what"),
            [
                "Traceback (most recent call last):\n  ...\n"
                "ZeroDivisionError: division by zero\n"
            ],
        ),
        (">>> print('x' * 100_000_000)\n", (2, 1, "prints more than 1,000,000"), []),
        (">>> import os; os._exit(3)\n", (2, 1, "ended the interpreter, with"), []),
        (">>> 1\n1\n\nmore\n", (5, 1, "this line belongs to no example"), []),
        ("words\n>>> 1\n1\n", (2, 1, "this line belongs to no example"), []),
        (">>> 1\n1\n>>>2\n", (4, 1, "not a session: lacks blank after >>>"), []),
    ],
)
def test_broken(text: str, place: tuple[int, int, str], printed: list[str]) -> None:
    found, instead = verify(session(text))
    (line, column, message) = found[0]
    assert (line, column) == place[:2] and message.startswith(place[2])
    assert len(found) == 1 and instead == printed


def test_a_traceback_leads_into_the_document() -> None:
    text = PROGRAM + session(">>> from p import fail\n>>> fail()\n")
    with Bench(parse(text, "b.md")) as bench:
        problem = bench.results(bench.sessions[0])[1].problem
    assert 'File "b.md", line 17, in <module>' in problem.detail
    assert 'File "b.md", line 12, in fail\n    raise LookupError' in problem.detail
    assert "interpreter.py" not in problem.detail


def test_chapters_share_names_and_others_do_not() -> None:
    text = session(">>> x = 1\n") + "## Two\n\n" + session(">>> x\n1\n")
    ((_, _, message),), _ = verify(text)
    assert message.startswith("ends with NameError")


def test_what_hangs_is_stopped_and_the_rest_of_the_chapter_said_not_to_run() -> None:
    hanging = session(">>> import time\n>>> time.sleep(60)\n>>> 1\n1\n")
    start = time.monotonic()
    found, _ = verify(hanging + session(">>> 2\n2\n") + "## Two\n\n" + hanging, 1.0)
    assert time.monotonic() - start < 30
    assert [(line, message.split(";")[0]) for line, _, message in found][:3] == [
        (3, "still running after 1 seconds"),
        (4, "not run: an earlier example ended the interpreter"),
        (9, "not run: an earlier example ended the interpreter"),
    ]


@pytest.mark.skipif(os.name == "nt", reason="a shell of POSIX")
def test_transcripts() -> None:
    text = (
        "$ echo one; \\\n> echo two >&2\none\ntwo\n"
        '$ python -c "import p" && echo no\nTraceback\n'
        "$ python build/p.py && ls tangle.py b.md\nb.md\ntangle.py\n"
        "$ echo 1.2345  # doctest: +NUMBER\n1.23\n"
        "$ sleep 60\n$ yes\n"
    )
    found, printed = verify(session(text, "console"), 2)
    assert [(line, message[:13]) for line, _, message in found] == [
        (7, "not what the "),
        (13, "still running"),
        (14, "prints more t"),
    ]
    assert "ModuleNotFoundError" in printed[0]


# --update

OUTPUTS = st.lists(
    st.text(st.sampled_from("ab .>'"), max_size=6), min_size=0, max_size=3
)


@given(st.lists(OUTPUTS, min_size=1, max_size=4), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=15)
def test_update_is_idempotent_and_changes_only_outputs(
    texts: list[list[str]], ending: str
) -> None:
    examples = "".join(
        f">>> print({chr(10).join(text)!r})\nwrong {n}\n"
        for n, text in enumerate(texts)
    )
    text = f"{PROGRAM}before\n\n{session(examples)}after\n".replace("\n", ending)
    document = parse(text, "b.md")
    try:
        new = update(text)
    except DocumentError:  # what looks typed cannot be shown
        assert any(line.startswith(">>>") for text in texts for line in text)
        return
    assert update(new) == new
    again, _ = find_sessions(parse(new, "b.md"))
    assert [p.source for s in again for p in s.promises] == [
        p.source for s in find_sessions(document)[0] for p in s.promises
    ]
    typed = [line for line in text.split(ending) if not line.startswith("wrong")]
    shown = iter(new.split(ending))
    assert all(line in shown for line in typed)  # in this order
    assert "\n" not in new.replace(ending, "")


def update(text: str) -> str:
    with Bench(parse(text, "b.md")) as bench:
        results = [r for s in bench.sessions for r in bench.results(s)]
    broken = [r for r in results if r.printed is not None]
    return updated(bench.document, bench.sessions, broken)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_update_rewrites_the_document(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "\ufeff" + PROGRAM + "```pycon\n>>> 1\n2\n```\n"
    (here / "b.md").write_bytes(text.encode())
    assert tangle.main(["b.md", "verify"]) == 1
    assert "b.md:17:1: error: not what the example" in capsys.readouterr().err
    assert tangle.main(["b.md", "verify", "--update"]) == 0
    new = text.replace("\n2\n", "\n1\n")
    assert (here / "b.md").read_bytes() == new.encode()
    assert tangle.main(["b.md", "verify"]) == 0
    os.utime(here / "b.md", (1, 1))
    assert tangle.main(["b.md", "verify", "--update"]) == 0
    assert (here / "b.md").stat().st_mtime == 1
    assert list(here.iterdir()) == [here / "b.md"]


def test_problems_as_json(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "b.md").write_text(PROGRAM + session(">>> 1\n2\n"))
    assert tangle.main(["b.md", "verify", "--format", "json"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    found = json.loads(line)
    assert (found["file"], found["line"], found["column"]) == ("b.md", 17, 1)
    assert "+ 1" in found["detail"]


def test_a_read_only_document_is_left_alone(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "b.md").write_text(PROGRAM + session(">>> 1\n2\n"))
    (here / "b.md").chmod(0o444)
    assert tangle.main(["b.md", "verify", "--update"]) == 1
    assert capsys.readouterr().err == "b.md: error: read-only; nothing was changed\n"
    (here / "b.md").chmod(0o644)


def test_a_full_disk(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "b.md").write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(outputs.os, "fsync", full)
    with pytest.raises(outputs.OutputError, match="no space left on device"):
        outputs.replace_file("b.md", b"old", b"new")
    assert [(path.name, path.read_bytes()) for path in here.iterdir()] == [
        ("b.md", b"old")
    ]


def test_a_document_saved_meanwhile_is_kept(here: Path) -> None:
    (here / "b.md").write_bytes(b"newer")
    with pytest.raises(outputs.OutputError, match="somebody else changed it"):
        outputs.replace_file("b.md", b"old", b"new")
    assert (here / "b.md").read_bytes() == b"newer"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_a_kill_leaves_the_document_whole(here: Path) -> None:
    old = PROGRAM + session(">>> 'x' * 9\n1\n") + "words\n" * 50_000
    new = PROGRAM + session(">>> 'x' * 9\n'xxxxxxxxx'\n") + "words\n" * 50_000
    command = [sys.executable, str(HOME / "tangle.py"), "b.md", "verify", "--update"]
    chance = random.Random(1)
    for _ in range(8):
        (here / "b.md").write_bytes(old.encode())
        process = subprocess.Popen(
            command, cwd=here, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0.1, 0.6))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert (here / "b.md").read_text() in (old, new)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--updat"], "there is no option --updat; did you mean --update?"),
        (["x"], "verify takes no argument x"),
        (["--timeout", "soon"], "--timeout is a number of seconds, not soon"),
        (["--format", "xml"], "--format is text or json, not xml"),
    ],
)
def test_usage(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tangle.main(["verify", *arguments]) == 2
    assert capsys.readouterr().err == f"tangle.py: error: {message}\n"


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert tangle.main(["verify", "--help"]) == 0
    assert "--update" in capsys.readouterr().out
