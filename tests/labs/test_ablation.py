"""The ablation lab, natively and in the page."""

import itertools
import math
import random
import re
import statistics
import subprocess
import sys

import pytest
from conftest import ROOT

from experiments import programs as experiments
from labs import LabError


def native(module, program, steps, count, learning_rate=0.01):
    """Return the first losses of a run, and the names after it."""
    text = (program.folder / "names.txt").read_text(encoding="utf-8")
    docs, rng = module.split_docs(text), random.Random(42)
    rng.shuffle(docs)
    model = module.Model(module.Tokenizer("".join(docs))).randomize(rng)
    losses = module.train(model, docs, steps, learning_rate)
    first = [*itertools.islice(losses, count)]
    made = [model.tokenizer.decode(module.generate(model, rng)) for _ in range(10)]
    return first, made


def test_every_variant_of_the_chapter_is_offered(labs):
    from labs.ablation.changes import CHANGES

    book = (ROOT / "microgpt.md").read_text(encoding="utf-8")
    chapter = book.split("## What each part is worth")[1].split("\n### Try it")[0]
    found = re.findall(r"\(variant ([\w-]+)\)", chapter)
    offered = [change.variant for change in CHANGES.values()]
    assert {*found} == {*offered}
    table = [*re.findall(r"^\| ([^|]+?) \|", chapter, re.MULTILINE)]
    assert {each["name"] for each in labs("ablation.changes")} <= {*table}


@pytest.mark.parametrize(
    ("name", "tangled", "learning_rate"),
    [
        ("no attention", "no-attention", 0.01),
        ("no positions", "no-positions", 0.01),
        ("SGD, rate 0.5", "sgd", 0.5),
        ("no decay", "no-decay", 0.01),
    ],
)
def test_both_programs_do_what_they_do_alone(
    labs, program, fresh, name, tangled, learning_rate
):
    labs("ablation.begin", chosen=[name], steps=20)
    told = [labs("ablation.step") for _ in range(20)]
    module = experiments.program(variant=tangled)
    for place, (code, rate) in enumerate([(fresh, 0.01), (module, learning_rate)]):
        losses, names = native(code, program, 20, 20, rate)
        assert [each["losses"][place] for each in told] == losses
        assert labs("ablation.compare")["samples"][place]["names"] == names
    assert told[-1]["done"]
    with pytest.raises(LabError, match="All 20 steps are done"):
        labs("ablation.step")


def test_a_variant_prints_the_same_lines(labs, tmp_path):
    command = [sys.executable, "tangle.py", "--variant", "no-norms", "--out", tmp_path]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    path = tmp_path / "microgpt.py"
    command = [sys.executable, path, "--steps", "12", "--samples", "0"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    labs("ablation.begin", chosen=["no norms"], steps=12)
    lines = [
        f"step {i:4d} /   12 | loss {labs('ablation.step')['losses'][1]:.4f}"
        for i in range(1, 13)
    ]
    assert "\n".join(lines) in done.stdout


def test_another_worker_goes_on_as_if_nothing_had_happened(labs):
    from labs.shared import driver

    chosen = ["SGD, rate 0.01", "no decay", "tied head"]
    labs("ablation.begin", chosen=chosen, steps=12, seed=5)
    for _ in range(5):
        labs("ablation.step", until=5)
    kept, was = driver.save("ablation"), labs("ablation.status")
    expected = [labs("ablation.step") for _ in range(7)]
    compared = labs("ablation.compare")
    labs("ablation.begin", chosen=["no MLP"])
    driver.restore("ablation", kept)
    assert labs("ablation.status") == was
    assert [labs("ablation.step") for _ in range(7)] == expected
    assert labs("ablation.compare") == compared


def test_a_program_may_break_down_in_its_last_step(labs):
    from labs.ablation import lab as ablation

    labs("ablation.begin", chosen=["no MLP"], steps=2)
    labs("ablation.step"), labs("ablation.step")
    for p in ablation._now.race.runs["no MLP"].model.params():
        p.data = math.inf
    compared = labs("ablation.compare")
    assert [each["name"] for each in compared["programs"]] == ["intact"]
    assert compared["samples"][1] == {"name": "no MLP", "names": []}
    assert "no MLP broke down at step 2" in labs("ablation.status")["trouble"]


def test_the_comparison_is_of_the_same_steps(labs):
    labs("ablation.begin", chosen=["no residuals"], steps=40)
    assert labs("ablation.compare")["programs"] == []
    for _ in range(30):
        labs("ablation.step")
    intact, changed = labs("ablation.status")["losses"]
    gaps = [b - a for a, b in zip(intact, changed)]
    found = labs("ablation.compare")
    assert found["recent"] == 30
    assert found["programs"][0]["gap"] == 0
    assert found["programs"][1] == {
        "name": "no residuals",
        "mean": statistics.fmean(changed),
        "gap": statistics.fmean(gaps),
        "error": statistics.stdev(gaps) / 30**0.5,
    }


def test_a_program_that_breaks_down_is_left_behind(labs, monkeypatch):
    from labs.ablation import lab as ablation

    change = ablation.CHANGES["SGD, rate 0.5"]._replace(learning_rate=1e200)
    monkeypatch.setitem(ablation.CHANGES, "SGD, rate 0.5", change)
    labs("ablation.begin", chosen=["SGD, rate 0.5"], steps=5)
    told = [labs("ablation.step") for _ in range(5)]
    assert all(isinstance(each["losses"][0], float) for each in told)
    assert told[-1]["losses"][1] is None
    assert "SGD, rate 0.5 broke down at step" in told[-1]["trouble"]
    assert [each["name"] for each in labs("ablation.compare")["programs"]] == ["intact"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"chosen": []}, "Choose one thing"),
        ({"chosen": ["no MLP", "no MLP"]}, "Choose one thing"),
        ({"chosen": ["no MLP", "no norms", "no √d", "no decay"]}, "or up to 3"),
        ({"chosen": ["no brain"]}, "no variant called no brain"),
        ({"chosen": ["no MLP"], "steps": 0}, "from 1 to 5,000"),
    ],
)
def test_what_cannot_be_raced_is_explained(labs, arguments, said):
    with pytest.raises(LabError, match=said):
        labs("ablation.begin", **arguments)


# In the page


@pytest.mark.slow
def test_the_page_shows_what_the_programs_do(open_lab, labs):
    lab = open_lab("ablation", viewport={"width": 390, "height": 844})
    frame = lab.frame
    frame.get_by_label("no residuals").uncheck()
    frame.get_by_label("no norms").check()
    frame.get_by_role("button", name="10 steps", exact=True).click()
    frame.get_by_text("Done: step 10 of 1,000").wait_for()
    labs("ablation.begin", chosen=["no attention", "no norms"])
    told = [labs("ablation.step")["losses"] for _ in range(10)]
    means = [statistics.fmean(losses) for losses in zip(*told)]
    frame.get_by_role("slider", name="Losses of the programs").press("End")
    names = ("intact", "no attention", "no norms")
    shown = "; ".join(f"{n}: {mean:.4f}" for n, mean in zip(names, means))
    assert lab.text(".chart-said") == f"step 10 – {shown}"  # noqa: RUF001
    found = labs("ablation.compare")
    gap = found["programs"][1]["gap"]
    way = "less" if gap < 0 else "more"
    frame.get_by_text(f"{means[1]:.4f}, {abs(gap):.4f} {way} than intact").wait_for()
    for each in found["samples"]:
        names = ", ".join(name or "(nothing)" for name in each["names"])
        frame.get_by_text(names).wait_for()
    frame.get_by_label("Show").select_option("gaps")
    frame.get_by_role("slider", name="Losses of the programs").press("End")
    assert lab.text(".chart-said").split("; ")[0].endswith(f"no attention: {gap:.4f}")
    chart = frame.get_by_role("slider", name="Losses of the programs")
    chart.get_by_text("more than intact, mean of 50").wait_for()  # it is drawn anew
    chart.hover(position={"x": 75, "y": 60})
    assert re.match(r"step [1-5] – no attention: ", lab.text(".chart-said"))  # noqa: RUF001
    assert lab.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not lab.audit()


def test_choices_that_cannot_be_are_explained(open_lab):
    lab = open_lab("ablation")
    frame = lab.frame
    frame.get_by_label("no MLP").check()
    frame.get_by_label("no norms").click()
    frame.get_by_text("3 at a time are enough").wait_for()
    assert not frame.get_by_label("no norms").is_checked()
    for name in ("no attention", "no MLP", "no residuals"):
        frame.get_by_label(name).uncheck()
    frame.get_by_text("Choose one thing to change").wait_for()
    frame.get_by_label("SGD, rate 0.01").check()
    frame.get_by_role("button", name="1 step", exact=True).click()
    frame.get_by_text("Done: step 1 of").wait_for()
    frame.get_by_role("button", name="All steps").click()
    frame.get_by_text("Training to step 1,000").wait_for()
    frame.get_by_role("button", name="Pause").click()
    frame.get_by_text("Paused after").wait_for()
    legend = frame.locator(".chart-legend li").all_inner_texts()
    assert [text.strip() for text in legend[:2]] == ["intact", "SGD, rate 0.01"]
    frame.get_by_label("no decay").check()
    frame.get_by_text("Reset begins anew").wait_for()
    frame.get_by_role("button", name="Reset").click()
    frame.get_by_text("Ready to begin.").wait_for()
    assert "no decay" in lab.text(".chart-legend")
