"""The command line of the tangler, as a process of its own."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import tangle

HOME = Path(__file__).resolve().parents[2]

BOOK = """# A book

Some words.

## One

```python
# <<build/a.py>>=
# <<Greet>>
```

```python
# <<Greet>>=
print("Grüß dich, 数")
```

```python
# <<Greet>>= (variant in-silence)
pass
```
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "microgpt.md").write_bytes(BOOK.encode("utf-8"))
    return tmp_path


def run(here: Path, *arguments: str) -> tuple[int, str, str]:
    """Return the exit status, standard output and standard error, in a plain locale."""
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, str(HOME / "tangle.py"), *arguments],
        cwd=here,
        env=environment,
        capture_output=True,
    )
    out, err = (text.decode("utf-8") for text in (done.stdout, done.stderr))
    return done.returncode, out.replace("\r\n", "\n"), err.replace("\r\n", "\n")


def test_the_book_is_the_default(here: Path) -> None:
    program = os.path.join("build", "a.py")
    assert run(here) == (0, f"wrote {program}\n", "")
    assert run(here) == (0, "build is up to date\n", "")
    text = (here / "build" / "a.py").read_bytes().decode("utf-8")
    assert text == '# Greet\nprint("Grüß dich, 数")\n'


def test_another_document(here: Path) -> None:
    (here / "docs").mkdir()
    other = os.path.join("docs", "other.md")
    (here / "microgpt.md").rename(here / other)
    program = os.path.join("docs", "build", "a.py")
    assert run(here, other) == (0, f"wrote {program}\n", "")
    assert run(here, other, f"--out={here / 'out'}")[0] == 0
    assert (here / "out" / "a.py").exists()


def test_a_problem_in_the_document(here: Path) -> None:
    broken = BOOK.replace("# <<Greet>>\n", "# <<Great>>\n")
    (here / "microgpt.md").write_bytes(broken.encode("utf-8"))
    assert run(here) == (
        1,
        "",
        'microgpt.md:9:3: error: no chunk is called "Great"\n'
        "  # <<Great>>\n"
        "    ^^^^^^^^^\n"
        '  hint: did you mean "Greet"?\n',
    )
    assert not (here / "build").exists()


def test_a_syntax_error_writes_nothing(here: Path) -> None:
    run(here)
    broken = BOOK.replace('print("', "print(")
    (here / "microgpt.md").write_bytes(broken.encode("utf-8"))
    for arguments in ([], ["--check"], []):
        status, out, err = run(here, *arguments)
        assert (status, out) == (1, "")
        assert err.startswith("microgpt.md:14:")
    assert "print(" in (here / "build" / "a.py").read_text("utf-8")


def test_a_syntax_error_is_found_in_a_file_copied_by_hand(here: Path) -> None:
    broken = BOOK.replace('print("Grüß dich, 数")', "print(")
    (here / "microgpt.md").write_bytes(broken.encode("utf-8"))
    (here / "build").mkdir()
    (here / "build" / "a.py").write_bytes(b"# Greet\nprint(\n")
    assert run(here)[0] == 1


def test_warnings_of_the_compiler_do_not_show(here: Path) -> None:
    odd = BOOK.replace("print(", "assert (1, '\\d') is 1, (")
    (here / "microgpt.md").write_bytes(odd.encode("utf-8"))
    status, _, err = run(here)
    assert (status, err) == (0, "")


def test_check(here: Path) -> None:
    status, out, err = run(here, "--check")
    assert (status, err) == (1, "")
    assert out.startswith("build/a.py: missing\n--- build/a.py\n+++ microgpt.md says\n")
    assert "+# Greet\n" in out
    assert not (here / "build").exists()
    run(here)
    assert run(here, "--check") == (0, "", "")
    (here / "microgpt.md").write_bytes(BOOK.replace("dich", "Gott").encode("utf-8"))
    status, out, err = run(here, "--check")
    assert (status, err) == (1, "")
    assert out == (
        "--- build/a.py\n+++ microgpt.md says\n@@ -1,2 +1,2 @@\n # Greet\n"
        '-print("Grüß dich, 数")\n+print("Grüß Gott, 数")\n'
    )
    with open(here / "build" / "a.py", "ab") as stream:
        stream.write(b"x = 1")
    assert run(here, "--check")[1].startswith("build/a.py: edited by hand\n")


def test_check_names_orphans(here: Path) -> None:
    run(here)
    other = BOOK.replace("build/a.py", "build/b.py")
    (here / "microgpt.md").write_bytes(other.encode("utf-8"))
    status, out, _ = run(here, "--check")
    assert status == 1
    assert "build/a.py: no root of microgpt.md any more\n" in out
    assert "build/b.py: missing\n" in out
    assert (here / "build" / "a.py").exists()


def test_list(here: Path) -> None:
    status, out, err = run(here, "--list")
    assert (status, err) == (0, "")
    assert out == (
        "chunk                 lines  defined  used\n"
        "build/a.py                1  8        root\n"
        "Greet                     1  13       9\n"
        "  variant in-silence      1  18\n"
        "\n"
        "chapter  code  words\n"
        "A book      0      4\n"
        "One         1      1\n"
        "total       1      5\n"
    )
    assert not (here / "build").exists()


def test_a_variant(here: Path) -> None:
    run(here)
    program = os.path.join("silent", "a.py")
    wanted = (0, f"wrote {program}\n", "")
    assert run(here, "--variant", "in-silence", "--out", "silent") == wanted
    assert (here / "silent" / "a.py").read_text() == "# Greet\npass\n"
    assert run(here, "--check") == (0, "", "")
    check = ("--variant", "in-silence", "--out", "silent", "--check")
    assert run(here, *check) == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--variant", "in-silence"], "--variant needs --out DIR: build/ holds the "),
        (
            ["--variant", "silence", "--out", "x"],
            'microgpt.md has no variant "silence"; did you mean "in-silence"?',
        ),
        (["--list", "--variant", "silence"], 'microgpt.md has no variant "silence"'),
        (["rum"], "rum: no such document, and no command"),
        (["missing.md"], "missing.md: no such document, and no command"),
        (["."], ". is a folder; name a document in it"),
        (["--chekc"], 'there is no option --chekc; did you mean "--check"?'),
        (["-v"], "there is no option -v"),
        (["verfy"], 'verfy: no such document, and no command; did you mean "verify"?'),
        (["--check=yes"], "argument --check: ignored explicit argument 'yes'"),
        (["--out"], "argument --out: expected one argument"),
        (["--out="], "argument --out: a folder needs a name"),
        (["microgpt.md", "microgpt.md"], "there is no place for the argument micro"),
        (["--check", "--list"], "argument --list: not allowed with argument --check"),
        (["--check", "--force"], "argument --force: not allowed with argument"),
    ],
)
def test_usage_errors(here: Path, arguments: list[str], message: str) -> None:
    status, out, err = run(here, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith(f"tangle.py: error: {message}")
    assert err.count("\n") == 1
    assert not (here / "build").exists()


def test_without_a_book(tmp_path: Path) -> None:
    status, _, err = run(tmp_path)
    assert status == 2
    assert err.startswith("tangle.py: error: there is no microgpt.md here; name a ")


@pytest.mark.parametrize(
    ("redirection", "status", "message"),
    [
        ("2>&-", 0, ""),
        (">&-", 0, ""),
        ("<&- >&- 2>&-", 0, ""),
        ("--list >&-", 0, ""),
        ("--list > /dev/full", 1, "No space left on device"),
        ("--help | true", 0, ""),
        ("--list | true", 0, ""),
        ("verify --help > /dev/full", 1, "No space left on device"),
    ],
)
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_closed_and_full_streams(
    here: Path, redirection: str, status: int, message: str
) -> None:
    line = f'"{sys.executable}" "{HOME / "tangle.py"}" {redirection}'
    done = subprocess.run(
        line, shell=True, cwd=here, capture_output=True, text=True, check=False
    )
    assert done.returncode == status
    assert message in done.stderr and len(done.stderr.splitlines()) == bool(message)
    if redirection.startswith((">", "2", "<")):
        assert (here / "build" / "a.py").exists()


def test_a_safe_path(here: Path) -> None:
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    command = [sys.executable, str(HOME / "tangle.py")]
    for arguments in ([], ["run"]):
        done = subprocess.run(
            [*command, *arguments], cwd=here, env=environment, capture_output=True
        )
        assert (done.returncode, done.stderr) == (0, b"")


def test_every_command_has_help(here: Path) -> None:
    out = run(here, "--help")[1]
    for name in tangle.COMMANDS:
        status, help_of_command, err = run(here, name, "--help")
        assert (status, err) == (0, "")
        assert help_of_command.startswith(f"usage: tangle.py [DOCUMENT.md] {name}")
        (line,) = [line for line in out.splitlines() if line.startswith(f"  {name} ")]
        assert line.split(maxsplit=1)[1] in help_of_command


def test_help(here: Path) -> None:
    status, out, err = run(here, "--help")
    assert (status, err) == (0, "")
    for option in ("--check", "--list", "--out", "--variant", "--force"):
        assert option in out


def test_a_document_that_is_not_utf8(here: Path) -> None:
    (here / "microgpt.md").write_bytes(
        "# Ein Büch\r\rDas is π: ".encode() + b"\xe9t\xe9"
    )
    status, out, err = run(here)
    assert (status, out) == (1, "")
    assert err == (
        "microgpt.md:3:11: error: byte 0xe9 is not UTF-8\n"
        "  Das is π: \ufffdt\ufffd\n"
        "            ^\n"
        "  hint: save the document as UTF-8\n"
    )


@pytest.mark.skipif(os.name == "nt", reason="pipes break otherwise there")
def test_a_reader_that_has_seen_enough(here: Path) -> None:
    chunks = "".join(
        f"```sh\n# <<build/{n}>>=\n{'x' * 40}\n```\n\n" for n in range(3000)
    )
    (here / "many.md").write_text(chunks)
    process = subprocess.Popen(
        [sys.executable, str(HOME / "tangle.py"), "many.md", "--list"],
        cwd=here,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait()


def test_the_examples_of_contributing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(HOME)
    text = (HOME / "CONTRIBUTING.md").read_text(encoding="utf-8")
    examples = [
        shlex.split(line, comments=True)[2:]
        for line in text.splitlines()
        if line.startswith("python tangle.py ")
    ]
    wheres = [words for words in examples if words[0] == "where"]
    assert wheres
    for words in wheres:
        assert tangle.main(words) == 0
    for command in {words[0] for words in examples} - set(tangle.COMMANDS):
        assert command.startswith("--")
