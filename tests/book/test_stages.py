"""The stages: small whole programs that print what the book shows."""

from __future__ import annotations

import itertools
import random
import re
import statistics
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from experiments.lists import split
from experiments.measures import contexts
from experiments.run import read
from experiments.stages import STAGES, printed_loss, stage
from experiments.tables import paired, stage_losses

ROOT = Path(__file__).resolve().parents[2]
BOOK = (ROOT / "microgpt.md").read_text(encoding="utf-8")
SHOWN = dict(
    re.findall(r"^\$ python (build/stages/\w+\.py)\n(.*?)^```", BOOK, re.M | re.S)
)
QUICK = [path for path in SHOWN if path[13:19] in ("stage1", "stage2")]
TRAINED = [path for path in SHOWN if path not in QUICK]


def test_every_stage_is_shown():
    assert list(SHOWN) == [f"build/stages/{name}.py" for name in STAGES]


@pytest.mark.parametrize(
    "path",
    QUICK + [pytest.param(path, marks=pytest.mark.slow) for path in TRAINED],
)
def test_a_stage_prints_what_the_book_shows(program, path):
    file = program.folder / path.removeprefix("build/")
    done = subprocess.run([sys.executable, file], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == SHOWN[path]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "loss"),
    [
        ({"p.grad = 0.0": "pass"}, "nan"),
        ({"padded[i : i + 3]": "padded[i + 2 : i + 3]", "3 * 16": "16"}, "2.6584"),
    ],
)
def test_the_solutions_of_stage_3(program, tmp_path, changes, loss):
    text = (program.folder / "stages" / "stage3_values.py").read_text("utf-8")
    for old, new in changes.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    (tmp_path / "stages").mkdir()
    (tmp_path / "names.txt").write_bytes((program.folder / "names.txt").read_bytes())
    file = tmp_path / "stages" / "changed.py"
    file.write_text(text, encoding="utf-8")
    done = subprocess.run([sys.executable, file], capture_output=True, text=True)
    assert done.stdout.startswith(f"loss {loss}")
    assert loss == "nan" or f"The loss is {loss}" in BOOK


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_can_be_imported(program, name):
    command = [sys.executable, "-c", f"import {name}"]
    folder = program.folder / "stages"
    done = subprocess.run(command, cwd=folder, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_the_results_are_those_of_the_stages():
    found = read()["own"]["stages"]["42"]
    for name in STAGES[:2]:
        assert printed_loss(stage(name), "own", 42) == found[name]
    for name in STAGES:
        shown = SHOWN[f"build/stages/{name}.py"]
        assert shown.startswith(f"loss {found[name]:.4f}\n")


@pytest.mark.parametrize("which", ["own", "published"])
@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("stage3_values", "stage2_table"),
        ("stage4_attention", "stage3_values"),
        ("microgpt", "stage4_attention"),
    ],
)
def test_a_step_of_the_ladder_is_no_luck(which, better, worse):
    """Over at least twelve deals, by more than two standard errors."""
    losses = [stage_losses(read(), which, name) for name in (worse, better)]
    mean, error = paired(*losses)
    assert len(losses[0]) >= 12
    assert mean < -2 * error


def test_learning_meets_counting():
    for which in ("own", "published"):
        for found in read()[which]["stages"].values():
            assert abs(found["stage1_counts"] - found["stage2_table"]) < 0.02


def test_how_many_rows_of_larger_tables_a_thousand_names_fill():
    names, _ = split("own", 1000)
    seen = [
        {before for name in names[:1000] for before, _ in contexts(name, length)}
        for length in (3, 4)
    ]
    empty = [1 - len(rows) / 27**n for n, rows in enumerate(seen, start=2)]
    assert [round(share, 1) for share in empty] == [
        0.4,
        0.9,
    ]  # two in five, nine in ten


def test_what_the_text_says_of_the_ladder():
    deals = read()["own"]["stages"]
    mean = {
        name: statistics.fmean(found[name] for found in deals.values())
        for name in deals["42"]
    }
    steps = [mean[new] - mean[old] for old, new in itertools.pairwise(STAGES)]
    assert min(steps) == steps[2]  # "The loss falls by more than in any step before"
    assert round(steps[3], 3) == -0.002  # "two thousandths"
    counted, learned = (SHOWN[path].split()[2:] for path in QUICK)
    same = Counter(counted) & Counter(learned)
    assert same.total() == 4  # "four of the ten names are the same"
    model = stage("stage3_values").draw_model(random.Random(1), 27)
    params = sum(len(row) for matrix in model.values() for row in matrix)
    assert f"{params:,}" == "5,232" and "It knows 5,232 numbers" in BOOK
