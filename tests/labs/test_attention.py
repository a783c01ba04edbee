"""Attention's lab, natively and in the page."""

import json
import math
import re

import pytest
from browser import ROOT, change_colours

from experiments.measures import attention_rows
from labs import LabError


@pytest.mark.parametrize("which", ["untrained", "trained", "yours"])
def test_the_weights_are_the_programs(deep, labs, microgpt, which):
    from labs.shared import models

    model = models.model(which)
    answer = labs("attention.look", which=[which], text="hannah")
    assert answer["tokens"] == ["BOS", *"hannah"]
    (found,) = answer["models"]
    heads = [head for layer in found["layers"] for head in layer]
    assert (len(found["layers"]), len(heads)) == (
        model.n_layer,
        model.n_layer * model.n_head,
    )
    per_position = zip(*(head["weights"] for head in heads))
    in_order = [row for position in per_position for row in position]
    assert in_order == attention_rows(microgpt, model, "hannah")
    for head in heads:
        assert [len(row) for row in head["weights"]] == [*range(1, 8)]
        assert all(abs(math.fsum(row) - 1) < 1e-12 for row in head["weights"])
        assert head["sums"] == [sum(row) for row in head["weights"]]


@pytest.mark.parametrize("which", ["untrained", "trained", "yours"])
def test_a_row_leads_from_the_query_to_the_result(deep, labs, microgpt, which):
    from labs.shared import models, trace

    model = models.model(which)
    size = model.n_embd // model.n_head
    seen = trace.positions(model, model.tokenizer.encode("otto")[:-1])

    def values_of(vector):
        return [microgpt.Value(x) for x in vector]

    for layer in range(model.n_layer):
        for head in range(model.n_head):
            place = {"model": which, "text": "otto", "layer": layer, "head": head}
            row = labs("attention.row", **place, position=3)
            part = slice(head * size, (head + 1) * size)
            layers = [each.layers[layer] for each in seen[:4]]
            assert row["query"] == layers[3].query[part]
            assert row["keys"] == [each.key[part] for each in layers]
            assert row["values"] == [each.value[part] for each in layers]
            assert row["root"] == size**0.5
            for products, score in zip(row["products"], row["scores"]):
                assert math.fsum(products) == pytest.approx(score, abs=1e-15)
            scaled = [score / row["root"] for score in row["scores"]]
            assert row["scaled"] == pytest.approx(scaled, rel=1e-15)
            probs = microgpt.softmax(values_of(row["scaled"]))
            assert row["weights"] == [p.data for p in probs]
            log_total = microgpt.logsumexp(values_of(row["scaled"])).data
            assert row["log_total"] == log_total
            columns = zip(*map(values_of, row["values"]))
            mixed = microgpt.linear(values_of(row["weights"]), [*columns])
            assert row["out"] == [x.data for x in mixed] == layers[3].found[part]
            totals = [math.fsum(column) for column in zip(*row["parts"])]
            assert totals == pytest.approx(row["out"], abs=1e-15)


def test_two_models_can_be_looked_at_side_by_side(labs):
    both = labs("attention.look", which=["trained", "untrained"], text="anna")
    for found in both["models"]:
        (alone,) = labs("attention.look", which=[found["name"]], text="anna")["models"]
        assert found == alone
    assert both["models"][0]["layers"] != both["models"][1]["layers"]


def test_the_picture_in_the_book_is_what_the_lab_shows(labs):
    results = json.loads((ROOT / "experiments" / "results.json").read_text("utf-8"))
    (found,) = labs("attention.look", which=["trained"], text="sarah")["models"]
    rounded = [
        [[round(weight, 3) for weight in row] for row in head["weights"]]
        for head in found["layers"][0]
    ]
    assert rounded == results["own"]["attention"]["sarah"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Sarah", "does not know 'S'"),
        ("🙂" * 20, "does not know"),
        ("a" * 16, "16 characters"),
        ("a" * 500, "500 characters"),
    ],
)
def test_what_cannot_be_read_is_explained(labs, text, said):
    with pytest.raises(LabError, match=re.escape(said)):
        labs("attention.look", which=["trained"], text=text)


@pytest.mark.parametrize("name", ["layer", "head", "position"])
@pytest.mark.parametrize("number", [-1, 9])
def test_a_place_that_is_not_there_is_refused(labs, name, number):
    place = {"layer": 0, "head": 0, "position": 0, name: number}
    with pytest.raises(LabError, match="no such"):
        labs("attention.row", model="trained", text="anna", **place)


def test_bos_alone_looks_at_itself(labs):
    (found,) = labs("attention.look", which=["untrained"], text="")["models"]
    assert [head["weights"] for head in found["layers"][0]] == [[[1.0]]] * 4


def wait_for_title(lab, text):
    lab.frame.locator(".att-title").get_by_text(text, exact=True).wait_for()


def test_the_page_shows_the_programs_weights_and_what_is_behind_them(open_lab, labs):
    lab = open_lab("attention")
    page, frame = lab.page, lab.frame
    assert not lab.audit()
    change_colours(page, 0, "default")
    frame.get_by_label("Word").fill("anna")
    page.wait_for_function("document.querySelectorAll('.att-cell').length === 60")
    (found,) = labs("attention.look", which=["trained"], text="anna")["models"]
    for number, head in enumerate(found["layers"][0], start=1):
        table = frame.get_by_role("table", name=f"Head {number}")
        cells = table.locator(".att-cell").all_inner_texts()
        assert cells == [f"{w:.2f}" for row in head["weights"] for w in row]
        assert table.locator(".att-sum").all_inner_texts() == ["1.00"] * 5

    # The cell in which the second n looks at the first a, in head 3
    weight = found["layers"][0][2]["weights"][3][1]
    table = frame.get_by_role("table", name="Head 3")
    table.get_by_label(f"n (3) looks at a (1): {weight:.2f}").click()
    wait_for_title(lab, "n (3) looks at a (1): head 3, after 1,000 steps")
    place = {"model": "trained", "text": "anna", "layer": 0, "head": 2, "position": 3}
    row = labs("attention.row", **place)
    column = 1
    numbers = [
        *(*row["query"], *row["keys"][column]),
        *(*row["products"][column], row["scores"][column]),
        *(row["scores"][column], row["scaled"][column]),
        *(*row["scaled"], *row["weights"]),
        *(row["scaled"][column], row["log_total"], row["weights"][column]),
        *(x for w, value in zip(row["weights"], row["values"]) for x in (w, *value)),
        *(*row["parts"][column], *row["out"]),
    ]
    shown = frame.locator(".att-steps .num").all_inner_texts()
    assert shown == [f"{x:.3f}" for x in numbers]
    frame.locator(".att-steps .num").nth(1).hover()
    what, exact = frame.locator(".num-tip").inner_text().split(" = ")
    assert what == "query of n (3), 1"
    assert float(exact) == pytest.approx(row["query"][1], rel=1e-12)

    change_colours(page, 1, "slate")
    frame.get_by_label("Compare with").select_option("untrained")
    page.wait_for_function("document.querySelectorAll('.att-map').length === 8")
    (plain,) = labs("attention.look", which=["untrained"], text="anna")["models"]
    table = frame.get_by_role("table", name="Head 2, before training")
    rows = plain["layers"][0][1]["weights"]
    cells = table.locator(".att-cell").all_inner_texts()
    assert cells == [f"{w:.2f}" for row in rows for w in row]
    table.locator(".att-cell").nth(4).click()
    wait_for_title(lab, "n (2) looks at a (1): head 2, before training")


@pytest.mark.slow
def test_the_keyboard_goes_everywhere_and_bad_text_is_survived(open_lab):
    lab = open_lab("attention", viewport={"width": 390, "height": 800}, has_touch=True)
    page, frame = lab.page, lab.frame
    word = frame.get_by_label("Word")
    for text, said in [
        ("Sarah", "does not know 'S'"),
        ("<b>", "does not know '<'"),
        ("a" * 500, "500 characters"),
    ]:
        word.fill(text)
        frame.get_by_text(said).wait_for()
        assert frame.locator(".att-maps[inert]").count()  # of another word
    word.fill("")
    page.wait_for_function("document.querySelectorAll('.att-cell').length === 4")
    assert not frame.locator("[inert]").count()
    word.fill("ann")
    page.wait_for_function("document.querySelectorAll('.att-cell').length === 40")
    frame.locator(".att-map").first.locator("[tabindex='0']").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    label = page.evaluate("document.activeElement.ariaLabel")
    assert label.startswith("n (3) looks at n (2): ")
    wait_for_title(lab, "n (3) looks at n (2): head 1, after 1,000 steps")
    assert "n (3) looks at n (2): " in frame.locator(".num-tip").inner_text()
    frame.locator(".att-cell").first.tap()
    wait_for_title(lab, "BOS looks at BOS: head 1, after 1,000 steps")

    word.fill("muhammadmustafa")
    page.wait_for_function("document.querySelectorAll('.att-cell').length === 544")
    for width in (360, 390):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    # The heads scroll beside each other, and the arithmetic is right below them
    tops = {map.bounding_box()["y"] for map in frame.locator(".att-map").all()}
    assert len(tops) == 1
    frame.locator(".att-map").last.locator(".att-cell").last.tap()
    wait_for_title(lab, "a (15) looks at a (15): head 4, after 1,000 steps")
