"""`tangle.py practice`: the reader writes the program, task by task."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from exercises import judging
from exercises.edits import solution
from literate.core.document import parse

ROOT = Path(__file__).resolve().parents[2]
BOOK = parse((ROOT / "microgpt.md").read_text(encoding="utf-8"), "microgpt.md")
PATH = judging.path(BOOK)


@pytest.fixture
def practice(tmp_path):
    """Return what runs the command in a folder with a copy of the book."""
    shutil.copyfile(ROOT / "microgpt.md", tmp_path / "microgpt.md")

    def run(*arguments, **options):
        command = [sys.executable, str(ROOT / "tangle.py"), "practice", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, encoding="utf-8", **options
        )

    run.folder = tmp_path / "practice"
    return run


def file(practice, name):
    [found] = practice.folder.glob(f"[0-9][0-9]_{name.replace('-', '_')}.py")
    return found


def solve(practice, name):
    text = solution(BOOK, judging.find(name).chunk)
    file(practice, name).write_text(text, encoding="utf-8")


def test_a_reader_writes_a_task(practice):
    made = practice()
    assert made.returncode == 0
    assert "27 of 27 files made" in made.stdout
    assert "Begin with practice" in made.stdout and "“Documents”" in made.stdout
    softmax = file(practice, "softmax")
    start = softmax.read_text(encoding="utf-8")
    assert "# Task 12 of 27: softmax" in start and start.endswith("    ...\n")
    assert practice("check").stdout.startswith(f"0 of {len(PATH)} right.")
    softmax.write_text(start.replace("...", "return logits"), encoding="utf-8")
    checked = practice("check", "softmax")
    assert checked.returncode == 1
    assert "softmax.py: not yet" in checked.stdout
    assert "yours gives [1, 1]\n    it should be [0.5, 0.5]" in checked.stdout
    assert practice("hint", "softmax").stdout.startswith("1 of 2: ")
    assert "logsumexp" in practice("solution", "12").stdout
    solve(practice, "softmax")
    checked = practice("check")
    assert checked.returncode == 0
    assert "softmax.py: right\n1 of 27 right." in checked.stdout


def test_what_was_written_stays(practice):
    practice()
    file(practice, "softmax").write_text("# mine\n", encoding="utf-8")
    file(practice, "mlp").unlink()
    assert "1 of 27 files made" in practice().stdout
    assert file(practice, "softmax").read_text(encoding="utf-8") == "# mine\n"


HOSTILE = {
    "split_docs": ("while True: pass", "no end after 10 seconds"),
    "encode": ("import os; os.write(1, b'x' * 10**8); os._exit(3)", "SystemExit: 3"),
    "decode": ("while True: print('x' * 1000)", "more than 20,000 characters"),
    "value": ("import builtins; builtins.len = None; self.data = 1", "not yet"),
    "power": ("import os, signal; os.kill(os.getpid(), 9)", "ended Python itself"),
    "relu": ("(", "line "),
}


@pytest.mark.slow
def test_no_answer_does_harm(practice):
    practice()
    for name, (code, _) in HOSTILE.items():
        if name == "relu":
            continue
        path = file(practice, name)
        text = path.read_text(encoding="utf-8").replace("...", code)
        path.write_text(text, encoding="utf-8")
    file(practice, "mlp").write_bytes(b"\xef\xbb\xbfdef mlp(:\r\n    pass\r\n")
    solve(practice, "add")
    checked = practice("check")
    assert checked.returncode == 1
    assert len(checked.stdout) < 5000
    for code, said in HOSTILE.values():
        assert said in " ".join(checked.stdout.split()), code
    assert "13_mlp.py: not yet\n    Python says: line 1: " in checked.stdout
    assert "add.py: right" in checked.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "sofmax"], 'no task "sofmax"; did you mean "softmax"?'),
        (["check", "softmax"], "12_softmax.py has a function without a body"),
        (["watch", "add"], "add has no place here"),
        (["hint"], "which task?"),
        (["hint", "softmax", "9"], "softmax has 2 hints"),
        (["hint", "0"], 'no task "0"'),
        (["chek"], "invalid choice"),
    ],
)
def test_what_is_wrong_in_a_command_is_said(practice, arguments, said):
    practice()
    done = practice(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_readers_functions_are_run(practice, program):
    practice()
    solve(practice, "softmax")
    run = practice("run", "--steps", "2", "--samples", "2")
    assert run.returncode == 0
    assert "step    2 /    2 | loss 3.1867" in run.stdout
    written = (practice.folder / "microgpt.py").read_text(encoding="utf-8")
    assert "def softmax" in written
    assert "Yours: softmax. The rest" in run.stderr
    for body, said in (("return (", "2: not Python"), ("1 / 0", "2: ZeroDivision")):
        file(practice, "softmax").write_text(f"def softmax(x):\n    {body}\n")
        run = practice("run", "--steps", "2")
        assert run.returncode == 1
        assert f"12_softmax.py:{said}" in run.stderr
        assert "Traceback" not in run.stderr
    assert practice("run", "--help").returncode == 0


@pytest.mark.slow
def test_who_has_written_all_has_the_program(practice, program):
    """All tasks solved: the printed losses and names are the program's."""
    practice()
    for name in PATH:
        solve(practice, name)
    checked = practice("check")
    assert "27 of 27 right. The program is yours" in checked.stdout
    wanted = subprocess.run(
        [sys.executable, program.path], capture_output=True, cwd=practice.folder.parent
    )
    assert practice("run").stdout.encode() == wanted.stdout
