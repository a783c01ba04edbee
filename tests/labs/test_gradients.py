"""The gradients lab, natively and in the page."""

import itertools

import pytest

from labs import LabError
from labs.gradients.mutants import MUTANTS

CACHE, NORM, RELU = MUTANTS


def test_both_programs_do_what_they_do_alone(labs, fresh):
    from experiments.programs import fresh_program
    from labs.shared import models
    from labs.shared.start import start

    labs("gradients.begin", mutant=RELU, deal=1)
    told = [labs("gradients.step")["losses"] for _ in range(12)]
    wrong = labs("gradients.check")["wrong"]
    alone = {}
    for code in (fresh, fresh_program(variant=MUTANTS[RELU].variant)):
        docs, model, rng = start(code, models.names())
        alone[code] = [*itertools.islice(code.train(model, docs, 1000), 12)]
        made = [model.tokenizer.decode(code.generate(model, rng)) for _ in range(10)]
        name = wrong if code is not fresh else {"A": "B", "B": "A"}[wrong]
        assert [losses["AB".index(name)] for losses in told] == alone[code]
        assert labs("gradients.samples")[name] == made
    assert told[0][0] == told[0][1]  # the forward pass is right
    assert told[1][0] != told[1][1]


@pytest.mark.parametrize("mutant", MUTANTS)
@pytest.mark.parametrize("steps", [0, 20])
def test_the_check_tells_which_one_is_wrong(labs, mutant, steps):
    labs("gradients.begin", mutant=mutant, deal=3)
    for _ in range(steps):
        labs("gradients.step")
    found = labs("gradients.check", seed=5)
    assert found["mutant"] == mutant
    right = found["along"].pop({"A": "B", "B": "A"}[found["wrong"]])
    assert all(entry["holds"] for entry in right)
    assert all(abs(entry["ratio"] - 1) < 1e-3 for entry in right)
    wrong = {entry["name"]: entry["holds"] for entry in found["along"].popitem()[1]}
    assert not all(wrong.values())
    off = {
        CACHE: {"wte", "wpe", "layer0.attn_wk", "layer0.attn_wv"},
        NORM: {"wte", "wpe"} | {f"layer0.attn_w{x}" for x in "qkvo"},
        RELU: {"wte", "wpe", "layer0.mlp_fc1"} | {f"layer0.attn_w{x}" for x in "qkvo"},
    }
    matrices = {name for name in wrong if not name.startswith("direction")}
    assert {name for name in matrices if not wrong[name]} == off[mutant]


def test_the_check_leaves_the_training_alone(labs):
    def losses(checks):
        labs("gradients.begin", mutant=NORM, deal=3)
        found = []
        for _ in range(4):
            if checks:
                labs("gradients.check")
            found.append(labs("gradients.step")["losses"])
        return found

    assert losses(True) == losses(False)


def test_chance_deals_mutants_and_names(labs):
    from labs.gradients import lab as gradients

    drawn = set()
    for deal in range(30):
        labs("gradients.begin", deal=deal)
        drawn.add(gradients.save()[0])
    assert drawn == {*itertools.product(MUTANTS, "AB")}


def test_another_worker_goes_on_as_if_nothing_had_happened(labs):
    from labs.shared import driver

    labs("gradients.begin")
    for _ in range(3):
        labs("gradients.step", until=3)
    kept, was = driver.save("gradients"), labs("gradients.status")
    checked = labs("gradients.check", seed=1)
    expected = [labs("gradients.step") for _ in range(3)]
    labs("gradients.begin", mutant=CACHE)
    driver.restore("gradients", kept)
    assert labs("gradients.status") == was
    assert labs("gradients.check", seed=1) == checked
    assert [labs("gradients.step") for _ in range(3)] == expected


def test_what_cannot_be_asked_yet_is_explained(labs, monkeypatch):
    from labs.gradients import lab as gradients

    monkeypatch.setattr(gradients, "STEPS", 1)
    gradients._now.forget()
    assert labs("gradients.status") is None
    with pytest.raises(LabError, match="Nothing has begun"):
        labs("gradients.check")
    labs("gradients.begin")
    assert labs("gradients.step")["done"]
    with pytest.raises(LabError, match="All 1 steps are done"):
        labs("gradients.step")


# In the page


def test_the_reader_guesses_and_then_checks(open_lab):
    lab = open_lab("gradients", viewport={"width": 390, "height": 844})
    frame = lab.frame
    frame.get_by_label("What is wrong").select_option(CACHE)
    frame.get_by_text("Ready to begin.").wait_for()
    frame.get_by_role("button", name="10 steps", exact=True).click()
    frame.get_by_text("Done: step 10 of 1,000").wait_for()
    chart = frame.get_by_role("slider", name="Losses of A and B")
    chart.press("End")
    assert lab.text(".chart-said").startswith("step 10 – A: ")  # noqa: RUF001
    assert len(frame.locator(".lab-samples dd").all()) == 2
    frame.get_by_label("Which one has wrong slopes?").select_option("A")
    frame.get_by_role("button", name="Check the slopes").click()
    frame.get_by_text(f"has the wrong slopes: {CACHE}").wait_for()
    assert "You had said" in lab.text(".lab-verdict")
    row = frame.get_by_role("row", name="layer0.attn_wv")
    assert row.get_by_role("img", name="not 1").count() == 1
    right = frame.get_by_role("row", name="lm_head").locator("td").all_inner_texts()
    assert [float(text) for text in right] == [1.0, 1.0]
    assert lab.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not lab.audit()
