"""The parameters' lab, natively and in the page."""

import re
from itertools import islice

import pytest

from experiments import run
from labs import LabError


@pytest.fixture
def yours(labs):
    """A model that the reader trains, forgotten in the end."""
    from labs.shared import models
    from labs.training import lab as training

    labs("training.begin")
    yield models.model("yours")
    training._now.clear()
    models._yours.clear()


@pytest.mark.parametrize("which", ["untrained", "trained"])
def test_all_matrices_are_the_models(labs, which):
    from labs.shared import models

    model = models.model(which)
    answer = labs("parameters.matrices", model=which)
    found = {each["name"]: each for each in answer["matrices"]}
    assert {n: tuple(m["shape"]) for n, m in found.items()} == model.shapes()
    assert [*found] == [*model.shapes()]
    assert answer["total"] == 4192 and answer["width"] == 16
    for name, matrix in model.state_dict.items():
        assert found[name]["numbers"] == [p.data for row in matrix for p in row]
        assert found[name]["purpose"]


@pytest.mark.parametrize(
    ("name", "row", "column", "meaning"),
    [
        ("wte", 4, 7, "number 7 of the row for “e”"),
        ("wte", 26, 0, "number 0 of the row for BOS"),
        ("wpe", 15, 3, "number 3 of the row for position 15"),
        ("lm_head", 0, 2, "how much number 2 speaks for “a” as the next token"),
        (
            "layer0.attn_wq",
            6,
            1,
            "how much number 1 counts for number 2 of the query of head 2",
        ),
        (
            "layer0.attn_wk",
            0,
            1,
            "how much number 1 counts for number 0 of the key of head 1",
        ),
        (
            "layer0.attn_wv",
            15,
            0,
            "how much number 0 counts for number 3 of the value of head 4",
        ),
        (
            "layer0.attn_wo",
            2,
            9,
            "how much number 1 of what head 3 found adds to number 2",
        ),
        ("layer0.mlp_fc1", 63, 5, "how much number 5 excites neuron 63"),
        ("layer0.mlp_fc2", 5, 63, "how much neuron 63 adds to number 5"),
    ],
)
def test_each_parameter_has_a_meaning(labs, name, row, column, meaning):
    from labs.shared import models

    place = {"matrix": name, "row": row, "column": column}
    found = labs("parameters.cell", model="trained", **place)
    value = models.model("trained").state_dict[name][row][column].data
    assert found == {
        "meaning": meaning,
        "value": value,
        "slope": None,
        "m": None,
        "v": None,
    }


@pytest.mark.parametrize(
    ("name", "row", "column"),
    [
        ("wte", 27, 0),
        ("wte", 0, 16),
        ("wte", -1, 0),
        ("layer1.attn_wq", 0, 0),
        ("", 0, 0),
    ],
)
def test_what_is_not_there_is_refused(labs, name, row, column):
    with pytest.raises(LabError, match="This model has no"):
        labs("parameters.cell", model="trained", matrix=name, row=row, column=column)


def test_the_picture_shows_the_same_model(labs):
    drawn = run.read()["own"]["parameters"]
    for matrix in labs("parameters.matrices", model="trained")["matrices"]:
        tenths = [number for row in drawn[matrix["name"]] for number in row]
        assert tenths == [round(10 * number) for number in matrix["numbers"]]


def test_there_may_be_no_model(labs, monkeypatch):
    monkeypatch.setattr("labs.shared.models._yours", [])
    with pytest.raises(LabError, match="not trained a model yet"):
        labs("parameters.matrices", model="yours")


def test_a_model_in_training_shows_slopes_and_means(labs, microgpt, yours):
    place = {"model": "yours", "matrix": "wte", "row": 26, "column": 3}
    assert labs("parameters.cell", **place)["slope"] is None
    for _ in range(3):
        labs("training.step")
    # The same by the program alone
    from labs.shared import models
    from labs.shared.start import start

    docs, model, _ = start(microgpt, models.names())
    assert len([*islice(microgpt.train(model, docs, 1000), 3)]) == 3
    answer = labs("parameters.matrices", model="yours")
    numbers = [n for matrix in answer["matrices"] for n in matrix["numbers"]]
    assert numbers == [p.data for p in model.params()]
    answer = labs("parameters.matrices", model="yours", show="slopes")
    slopes = [n for matrix in answer["matrices"] for n in matrix["numbers"]]
    assert slopes == [p.grad for p in model.params()]
    found = labs("parameters.cell", **place)
    assert found["value"] == model.state_dict["wte"][26][3].data
    assert found["slope"] == model.state_dict["wte"][26][3].grad != 0
    assert found["m"] and found["v"] > 0


def test_a_model_of_other_sizes_is_shown_as_it_is(labs, yours):
    labs("training.begin", n_embd=8, n_head=2, n_layer=2, block_size=5, data="ab\nba")
    answer = labs("parameters.matrices", model="yours")
    shapes = {each["name"]: each["shape"] for each in answer["matrices"]}
    assert len(shapes) == 15 and answer["width"] == 8
    assert shapes["wte"] == [3, 8] and shapes["layer1.mlp_fc2"] == [8, 32]
    place = {"matrix": "layer1.attn_wo", "row": 0, "column": 5}
    found = labs("parameters.cell", model="yours", **place)
    assert found["meaning"] == "how much number 1 of what head 2 found adds to number 0"


def said_of(cell):
    return f"{cell['value']:.4f}"


def picture(page, name):
    """Return the pixels of a matrix, as text."""
    return page.locator(f".param-{name} canvas").evaluate("c => c.toDataURL()")


def wait_for_another(page, name, before):
    """Wait until the pixels of a matrix are not what they were."""
    canvas = f"document.querySelector('.param-{name} canvas')"
    page.wait_for_function(f"before => {canvas}.toDataURL() !== before", arg=before)


def test_the_page_shows_matrices_to_scale_and_their_numbers(open_lab, labs):
    lab = open_lab("parameters")
    page, frame = lab.page, lab.frame
    frame.locator(".param-cells").nth(8).wait_for()
    frame.get_by_text("4,192 parameters in 9 matrices").wait_for()  # all is drawn
    sizes = frame.locator(".param-cells canvas").evaluate_all(
        "all => all.map(c => [c.clientHeight / c.height, c.clientWidth / c.width])"
    )
    assert len({cell for pair in sizes for cell in pair}) == 1
    # A click, and then keys
    cells = frame.get_by_label("wte,")
    side = sizes[0][0]
    cells.click(position={"x": side * 7.5, "y": side * 4.5})
    answer = labs("parameters.cell", model="trained", matrix="wte", row=4, column=7)
    frame.get_by_text(f"wte, row 4, column 7: {said_of(answer)}").wait_for()
    assert answer["meaning"] in lab.text(".param-readout")
    frame.get_by_label("layer0.mlp_fc2").focus()
    for key in ("ArrowDown", "ArrowDown", "End"):
        page.keyboard.press(key)
    place = {"matrix": "layer0.mlp_fc2", "row": 2, "column": 63}
    answer = labs("parameters.cell", model="trained", **place)
    frame.get_by_text(f"row 2, column 63: {said_of(answer)}").wait_for()
    for _ in range(3):  # there is nothing beyond the edge
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    frame.get_by_text("row 1, column 63").wait_for()
    # The other colours
    before = picture(page, "wte")
    page.evaluate("document.getElementById('__palette_1').click()")
    wait_for_another(page, "wte", before)
    assert lab.audit() == []


def test_the_matrices_change_while_the_page_trains(open_lab, labs, yours):
    lab = open_lab("parameters", viewport={"width": 390, "height": 800})
    page, frame = lab.page, lab.frame
    frame.get_by_label("wte,").focus()
    page.keyboard.press("Enter")
    frame.get_by_text("wte, row 0, column 0").wait_for()
    before = picture(page, "mlp_fc1")
    frame.get_by_role("button", name="10 steps", exact=True).click()
    frame.get_by_text("Done: step 10 of 1,000").wait_for()
    for _ in range(10):
        told = labs("training.step")
    learned = f"It has learned from “{told['doc']}”, with a loss of {told['loss']:.4f}."
    assert learned in frame.inner_text()
    cell = labs("parameters.cell", model="yours", matrix="wte", row=0, column=0)
    frame.get_by_text(f"column 0: {said_of(cell)}").wait_for()
    shown = re.findall(r"(slope|m|v) (-?[\d.e-]+)", lab.text(".param-readout"))
    assert [(what, float(number)) for what, number in shown] == [
        (what, float(f"{cell[what]:.3g}")) for what in ("slope", "m", "v")
    ]
    assert frame.get_by_label("Model").input_value() == "yours"
    wait_for_another(page, "mlp_fc1", before)
    # Slopes, and a new beginning
    frame.get_by_label("Show").select_option("slopes")
    frame.get_by_text("or more").filter(has_not_text="0.5 or").wait_for()
    frame.get_by_role("button", name="100 steps").click()
    frame.get_by_text(learned).wait_for(state="detached")
    frame.get_by_role("button", name="Pause").click()
    frame.get_by_text("Paused after step").wait_for()
    frame.get_by_role("button", name="Resume").wait_for()
    frame.get_by_role("button", name="Reset").click()
    frame.get_by_text("no step is done").wait_for()
    frame.get_by_text("Ready to begin.").wait_for()
    frame.get_by_text("All slopes are 0").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
