"""Sessions and transcripts: what keeps its promise, what does not, and `--update`."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from processes import hear_signals, is_running

import tangle
from literate.core.document import parse
from literate.core.sessions import find_sessions
from literate.tool import outputs
from literate.tool.commands.verify import updated
from literate.tool.results import results

HOME = Path(__file__).resolve().parents[2]
TRACEBACK = "Traceback (most recent call last):\n  ...\n"
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
    document = parse(PROGRAM + text, "b.md")
    sessions, problems = find_sessions(document)
    found = results(document, sessions, timeout)
    problems += [r.problem for r in found if r.problem]
    start = PROGRAM.count("\n")
    places = [(p.line - start, p.column, p.message) for p in problems]
    return places, [r.printed for r in found if r.printed is not None]


@pytest.mark.parametrize(
    "text",
    [
        ">>> from p import half\n>>> half(3)\n1.5\n",
        ">>> for i in range(2):\n...     print(i)\n...\n0\n1\n>>> 1\n1\n",
        ">>> print('a\\n\\nb')\na\n<BLANKLINE>\nb\n",
        ">>> print('a', end='')\na\n",
        ">>> list(range(99))  # doctest: +ELLIPSIS\n[0, 1, ..., 98]\n",
        ">>> print('a   b')  # doctest: +NORMALIZE_WHITESPACE\na b\n",
        ">>> print('a\\tb')\na\tb\n",
        ">>> print('a\\tb')\na       b\n",
        "  >>> print('a')\n  a\n",
        ">>> int('x')  # doctest: +IGNORE_EXCEPTION_DETAIL\n"
        "Traceback (most recent call last):\nValueError: no\n",
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
        (">>> print('a\\tbc')\na\tbd\n", (3, 4, "not what"), ["a\tbc\n"]),
        (">>> print('\\t')\n\tx\n", (3, 1, "not what"), ["\t\n"]),
        ("  >>> print('ab')\n  ac\n", (3, 4, "not what"), ["ab\n"]),
        (">>> 1  # doctest: +NUMBER\n1\n", (2, 1, "not a session: has an inv"), []),
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
    document = parse(text, "b.md")
    problem = results(document, find_sessions(document)[0])[1].problem
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


def test_each_session_has_its_own_time() -> None:
    slow = session(">>> import time\n>>> time.sleep(0.7)\n")
    assert verify(slow * 3, 1.5) == ([], [])


DAEMON = """>>> import os, time
>>> if os.fork() == 0:
...     _ = os.setsid(), time.sleep(20), os._exit(0)
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no fork")
def test_a_daemon_delays_nothing() -> None:
    start = time.monotonic()
    found, _ = verify(session(DAEMON + ">>> time.sleep(60)\n"), 1.0)
    assert [message for _, _, message in found] == [
        "still running after 1 seconds; it was stopped"
    ]
    found, _ = verify(session(DAEMON + ">>> os._exit(3)\n"))
    assert [message for _, _, message in found] == [
        "ended the interpreter, with exit status 3"
    ]
    found, _ = verify(session('$ setsid sh -c "sleep 20" &\n', "console"), 1.0)
    assert found[0][2].startswith("still running")
    assert time.monotonic() - start < 10


def test_a_comparison_takes_no_longer_than_it_may() -> None:
    start = time.monotonic()
    lines = "".join(f"{n} {'ab' * (n % 7)}\n" for n in range(9_000))
    text = f">>> for n in range(9_000): print(n, 'ba' * (n % 6))\n{lines}"
    (_, _, message), *more = verify(session(text), 3)[0]
    assert message == "not what the example prints" and not more
    assert time.monotonic() - start < 10


@pytest.mark.skipif(os.name == "nt", reason="a shell of POSIX")
def test_transcripts() -> None:
    text = (
        "$ echo one; echo two >&2\none\ntwo\n"
        '$ python -c "import p" && echo no\nTraceback\n'
        "$ python build/p.py && ls tangle.py b.md\nb.md\ntangle.py\n"
        "$ echo; python3 -c 'print(1)'\n\n1\n"
        "$ yes\n$ sleep 60\n"
    )
    found, printed = verify(session(text, "console"), 3)
    assert [(line, message[:13]) for line, _, message in found] == [
        (6, "not what the "),
        (13, "prints more t"),
        (14, "still running"),
    ]
    assert "ModuleNotFoundError" in printed[0]
    found, _ = verify(session("words\n$ echo\n\n", "console"))
    assert found == [(2, 1, "this line belongs to no example, so nothing compares it")]


# --update

LINES = st.one_of(
    st.text(st.sampled_from("ab .>'$`~\t"), max_size=6),
    st.sampled_from(
        ["```", "~~~~", "```pycon", "# <<x>>=", "<BLANKLINE>", "... ", ">"]
    ),
    st.text("ab\r\v\x1c\x85\u2028\u00e9\x00", max_size=3),
)
OUTPUTS = st.lists(LINES, max_size=3)


@given(st.lists(OUTPUTS, min_size=1, max_size=4), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=25)
def test_update_is_idempotent_and_makes_verify_pass(
    texts: list[list[str]], ending: str
) -> None:
    examples = "".join(
        f">>> print({chr(10).join(text)!r})\nwrong {n}\n"
        for n, text in enumerate(texts)
    )
    text = f"{PROGRAM}before\n\n{session(examples)}after\n".replace("\n", ending)
    new, refused = update(text)
    assert update(new) == (new, refused)
    document = parse(new, "b.md")
    sessions, problems = find_sessions(document)
    assert not problems and not document.problems
    typed = [line for line in text.split(ending) if not line.startswith("wrong")]
    shown = iter(new.split(ending))
    assert all(line in shown for line in typed)  # in this order
    broken = [r.example.source for r in results(document, sessions) if r.problem]
    assert broken == refused
    odd = re.compile(r"[`~>\r$]|\.\.\.|<<|<BLANK")
    assert len(refused) <= sum(any(map(odd.search, text)) for text in texts)


def update(text: str) -> tuple[str, list[str]]:
    """Return the text with its outputs updated, and what is typed where that fails."""
    document = parse(text, "b.md")
    found = results(document, find_sessions(document)[0])
    new = updated(document, found)
    return new, [result.example.source for result in found if result.problem]


@pytest.mark.parametrize(
    "line", ["# <<A header>>=", "```", "~~~", ">>> 1", "... 1", "a\rb"]
)
def test_what_would_break_the_document_is_not_put_there(
    line: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fence = "~~~" if line == "~~~" else "```"
    text = f"{PROGRAM}{fence}pycon\n>>> print({line!r})\n1\n>>> 2\n1\n{fence}\n"
    (here / "b.md").write_bytes(text.encode())
    assert tangle.main(["b.md", "verify", "--update"]) == 1
    (problem,) = (s for s in capsys.readouterr().err.split("\n") if ": error: " in s)
    assert problem.startswith("b.md:16:1: error: prints what cannot be shown here")
    new = text.replace(">>> 2\n1\n", ">>> 2\n2\n")
    assert (here / "b.md").read_bytes().decode() == new


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("print('a\\n\\nb\\t')", "a\n<BLANKLINE>\nb\t\n"),
        ("int('x')", TRACEBACK + "ValueError: invalid literal for int() with base 10:"),
        ("raise OSError('a\\nb')", TRACEBACK + "OSError: a\nb\n"),
        ("1 +", TRACEBACK + "SyntaxError: invalid syntax\n"),
    ],
)
def test_what_is_shown_after_an_update(typed: str, printed: str) -> None:
    shown = "Traceback (most recent call last):\nNo: it is not\n"
    new, _ = update(PROGRAM + session(f">>> {typed}\n{shown}"))
    assert f"\n>>> {typed}\n{printed}" in new
    assert update(new) == (new, [])


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
    assert "Got:\n    1" in found["detail"]


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

    def full(file: str, mode: str):
        if mode == "xb":
            raise OSError(28, "No space left on device")
        return open(file, mode)

    monkeypatch.setattr(outputs, "open", full, raising=False)
    with pytest.raises(outputs.OutputError, match="no space left on device"):
        outputs.replace_file("b.md", b"old", b"new")
    assert [(path.name, path.read_bytes()) for path in here.iterdir()] == [
        ("b.md", b"old")
    ]


def test_a_document_saved_meanwhile_is_kept(here: Path) -> None:
    (here / "b.md").write_bytes(b"newer")
    with pytest.raises(outputs.OutputError, match="changed by somebody else"):
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


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("name", ["SIGHUP", "SIGTERM", "SIGKILL", "SIGINT"])
def test_no_session_outlives_verify(here: Path, name: str) -> None:
    endless = f""">>> import os, subprocess
>>> with open({str(here / "ids")!r}, "w") as file:
...     other = subprocess.Popen(["sleep", "60"])
...     _ = file.write(f"{{os.getpid()}} {{other.pid}}\\n")
>>> while True: pass
"""
    (here / "b.md").write_text(PROGRAM + session(endless))
    command = [sys.executable, str(HOME / "tangle.py"), "b.md", "verify"]
    process = subprocess.Popen(command, cwd=here, preexec_fn=hear_signals)
    wait_until(lambda: (here / "ids").exists() and (here / "ids").read_text())
    process.send_signal(getattr(signal, name))
    process.wait(10)
    ids = [int(word) for word in (here / "ids").read_text().split()]
    wait_until(lambda: not any(map(is_running, ids)))


def wait_until(is_so: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_chapters_by_their_titles(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "".join(
        f"## {title}\n\n{session('>>> 1' + chr(10) + shown + chr(10))}"
        for title, shown in [("The chain rule", "1"), ("Rules", "1"), ("Slopes", "2")]
    )
    (here / "b.md").write_text(PROGRAM + text)
    assert tangle.main(["b.md", "verify"]) == 1
    assert "b.md:33:1: error: not what" in capsys.readouterr().err
    assert tangle.main(["b.md", "verify", "RULE"]) == 0
    assert capsys.readouterr().out.startswith("b.md: 2 examples in 2 sessions")
    assert tangle.main(["b.md", "verify", "the", "chain"]) == 0
    assert capsys.readouterr().out.startswith("b.md: 1 example in 1 session")
    assert tangle.main(["b.md", "verify", "slope", "--update"]) == 0
    assert tangle.main(["b.md", "verify"]) == 0
    assert tangle.main(["b.md", "verify", "slops"]) == 2
    assert 'did you mean "Slopes"?' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--updat"], 'there is no option --updat; did you mean "--update"?'),
        *(
            (
                [f"--timeout={wrong}"],
                f"argument --timeout: it is a number of seconds, not {wrong}",
            )
            for wrong in ("soon", "0", "-1", "nan", "inf")
        ),
        (["--format", "xml"], "argument --format: invalid choice: 'xml'"),
    ],
)
def test_usage(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tangle.main(["verify", *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"tangle.py: error: {message}")
