"""The book's programs as ports, and its mutants: what a check says of them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conformance import prove
from conformance.check import CASES, Case, Port, compare
from conformance.mutants import MUTANTS
from literate.core.document import parse

BOOK = parse(prove.BOOK.read_text(encoding="utf-8"), prove.BOOK.name)
CHECK = prove.HOME / "check.py"
QUICK = ("half-slopes", "softmax-without-the-maximum")
PYTHONS = sorted(Path.home().glob(".pyenv/versions/3.1[0-9].*/bin/python"))


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """The program and the engines, written into a folder."""
    return prove.write_programs(BOOK, tmp_path_factory.mktemp("build"))


def test_the_program_passes(programs):
    assert programs[0].name == "microgpt.py"
    assert prove.fault_of_program(programs[0]) == ""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vectors", "numpy", "torch"])
def test_an_engine_is_off_by_less_than_the_book_says(programs, name):
    [path] = [path for path in programs if path.stem == f"microgpt_{name}"]
    if name != "vectors" and not os.environ.get("CI"):
        pytest.importorskip(name, reason=f"the engine needs {name}")
    cases = [Case(json.loads(path.read_text())) for path in CASES.glob("*.json")]
    command = [sys.executable, str(prove.HOME / "ports" / "book.py"), str(path)]
    with Port(command, patience=100) as port:
        for case in cases:
            for level in {"forward", "loss", "gradients", "adam"} & {*case.expected}:
                answer = port.ask(level, case.given)
                assert answer and compare(level, case, answer, 1e-14) is None


@pytest.mark.parametrize("name", QUICK)
def test_a_mutant_fails_where_its_mistake_is(name, tmp_path):
    assert prove.fault_of_mutant(MUTANTS[name], BOOK, tmp_path) == ""


def test_there_are_more_than_twenty_mistakes():
    assert 20 < sum(bool(mutant.level) for mutant in MUTANTS.values()) < 30


def test_32_bits_hide_another_epsilon_as_the_book_says(tmp_path):
    path = tmp_path / "mutant.py"
    path.write_text(MUTANTS["norm-with-another-epsilon"].program(BOOK))
    assert prove.check(path).returncode == 1
    assert prove.check(path, "--float32").returncode == 0


def test_an_edit_that_no_longer_fits_is_noticed():
    mutant = prove.Mutant("Draw the next token", "no such line", "")
    with pytest.raises(ValueError, match="'Draw the next token' has no 'no such line'"):
        mutant.program(BOOK)


def test_a_mutant_that_is_not_found_is_told(tmp_path, capsys):
    right = MUTANTS["missing-root"]
    wrong = prove.Mutant(right.chunk, right.old, right.new, "loss", "loss")
    fault = prove.fault_of_mutant(wrong, BOOK, tmp_path)
    assert "layer0.scores[1][0][0]" in fault or "layer0.scores[0][0][0]" in fault
    assert prove.tell("missing-root", "fails at loss: loss", fault)
    assert "WRONG: should be: fails at loss: loss" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("python", PYTHONS, ids=lambda path: path.parts[-3])
def test_other_pythons_agree(programs, python):
    port = [python, prove.HOME / "ports" / "book.py", programs[0]]
    done = subprocess.run(
        [python, CHECK, "--", *port],
        capture_output=True,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "not offered" not in done.stdout


@pytest.mark.slow
def test_make_conformance():
    done = subprocess.run(
        [sys.executable, "-m", "conformance.prove"],
        cwd=prove.HOME.parent,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout
    wrong = [mutant for mutant in MUTANTS.values() if mutant.level]
    assert done.stdout.count(" fails at ") == len(wrong) >= 8


@pytest.mark.skipif(not shutil.which("node"), reason="the port is in JavaScript: node")
def test_the_forward_pass_in_javascript():
    done = subprocess.run(
        [sys.executable, CHECK, "--", "node", prove.HOME / "ports" / "forward.js"],
        capture_output=True,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("forward    holds in 6 cases\nloss       not offered")


def test_the_port_in_javascript_is_as_short_as_the_book_says():
    lines = (prove.HOME / "ports" / "forward.js").read_text("ascii").splitlines()
    assert len(lines) == 76
