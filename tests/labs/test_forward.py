"""What the labs see of a forward pass, and the lab that walks through it."""

import inspect
import re
import sys

import pytest
from browser import ROOT

from labs import LabError

WHICH = ["untrained", "trained", "yours"]


@pytest.fixture(params=WHICH)
def which(request, deep):
    return request.param


def numbers(vector):
    return [value.data for value in vector]


def joined(parts):
    return [number for part in parts for number in part]


def read(microgpt, model, text):
    """Return the program's own logits at each position."""
    keys, values = model.caches()
    tokens = model.tokenizer.encode(text)[:-1]
    return [
        numbers(microgpt.gpt(token, pos_id, keys, values, model))
        for pos_id, token in enumerate(tokens)
    ]


def test_the_trace_is_what_the_program_computes(which, labs, microgpt):
    from labs.shared import models, trace

    model = models.model(which)
    tokens = model.tokenizer.encode("hannah")[:-1]
    found = trace.positions(model, tokens)
    assert [each.logits for each in found] == read(microgpt, model, "hannah")

    def again(function, *vectors, **named):
        made = [[microgpt.Value(x) for x in vector] for vector in vectors]
        return numbers(function(*made, **named))

    def times(vector, name):
        return again(lambda x: microgpt.linear(x, model.state_dict[name]), vector)

    def added(one, other):
        return [a + b for a, b in zip(one, other)]

    for pos_id, (token, here) in enumerate(zip(tokens, found)):
        assert here.token == token
        assert here.token_row == numbers(model.state_dict["wte"][token])
        assert here.position_row == numbers(model.state_dict["wpe"][pos_id])
        assert here.embedded == added(here.token_row, here.position_row)
        assert here.scale == pytest.approx(
            here.layers[0].entered[0] / here.embedded[0], rel=1e-12
        )
        assert here.probs == again(microgpt.softmax, here.logits)
        stream = again(microgpt.rmsnorm, here.embedded)
        assert len(here.layers) == model.n_layer
        for i, layer in enumerate(here.layers):
            assert layer.entered == stream
            assert layer.normed == again(microgpt.rmsnorm, stream)
            for part, vector in zip("qkv", (layer.query, layer.key, layer.value)):
                assert vector == times(layer.normed, f"layer{i}.attn_w{part}")
            assert layer.mixed == times(layer.found, f"layer{i}.attn_wo")
            assert layer.attended == added(stream, layer.mixed)
            assert layer.normed_again == again(microgpt.rmsnorm, layer.attended)
            assert layer.hidden == times(layer.normed_again, f"layer{i}.mlp_fc1")
            assert layer.active == [max(0.0, x) for x in layer.hidden]
            assert layer.thought == times(layer.active, f"layer{i}.mlp_fc2")
            stream = added(layer.attended, layer.thought)
            assert layer.left == stream
            assert layer.scales[1] == pytest.approx(
                layer.normed_again[0] / layer.attended[0], rel=1e-12
            )
        assert here.logits == times(stream, "lm_head")


def test_the_heads_are_parts_of_the_vectors(which, labs):
    from labs.shared import models, trace

    model = models.model(which)
    found = trace.positions(model, model.tokenizer.encode("anna")[:-1])
    for i in range(model.n_layer):
        layers = [each.layers[i] for each in found]
        for pos_id, layer in enumerate(layers):
            heads = layer.heads
            assert joined(head.query for head in heads) == layer.query
            assert joined(head.out for head in heads) == layer.found
            for seen in range(pos_id + 1):
                assert joined(head.keys[seen] for head in heads) == layers[seen].key
                values = joined(head.values[seen] for head in heads)
                assert values == layers[seen].value


def test_nothing_is_watched_any_more_after_an_error(labs):
    from labs.shared import models, trace

    before = sys.gettrace()
    with pytest.raises(IndexError):
        trace.positions(models.model("untrained"), [26, 1000])
    assert sys.gettrace() is before


def test_a_chunk_that_was_renamed_is_missed_by_its_name(labs):
    from labs.shared import chunks

    with pytest.raises(KeyError, match="Attend to earlier tokens"):
        chunks.code("Attend to earlier tokens")


def test_a_chunk_stands_in_the_program_where_its_lines_are(labs, microgpt):
    from labs.shared import chunks, trace

    program = inspect.getsource(microgpt).splitlines()
    for name in (trace.ENTER, trace.NORM, trace.MIX, trace.ATTEND, trace.THINK):
        lines = [program[line - 1].strip() for line in chunks.lines(name)]
        assert [line for line in lines if line] == chunks.code(name)


def test_a_model_that_went_astray_is_no_mistake_of_the_lab(deep, labs):
    deep.state_dict["wte"][0][0].data = float("nan")
    stages = labs("forward.walk", model="yours", text="a", position=1)["stages"]
    assert stages[-1]["groups"][0]["values"] == ["nan"] * 27


def test_each_stage_has_the_programs_line_and_its_vectors(which, labs, microgpt):
    from labs.shared import models

    model = models.model(which)
    source = inspect.getsource(microgpt)
    for position in range(5):
        answer = labs("forward.walk", model=which, text="emma", position=position)
        assert answer["tokens"] == ["BOS", *"emma"]
        assert len(answer["stages"]) == 4 + 12 * model.n_layer
        for stage in answer["stages"]:
            assert stage["title"] and stage["shape"] and stage["said"].endswith(".")
            assert all(line in source for line in stage["code"])
            assert stage["groups"]
            for group in stage["groups"]:
                assert len(group["names"] or group["values"]) == len(group["values"])
        logits = read(microgpt, model, "emma")[position]
        assert answer["stages"][-2]["groups"][0]["values"] == logits
        probs = numbers(microgpt.softmax([microgpt.Value(x) for x in logits]))
        assert answer["guess"]["probs"] == probs
        assert answer["stages"][-1]["groups"][0]["values"] == probs
        follows = model.tokenizer.encode("emma")[position + 1]
        assert answer["guess"]["next"] == follows
        assert (
            answer["guess"]["names"][follows] == ["e", "m", "m", "a", "BOS"][position]
        )


def test_layers_are_told_apart_only_where_there_are_several(deep, labs):
    one = labs("forward.walk", model="untrained", text="a")["stages"]
    two = labs("forward.walk", model="yours", text="a")["stages"]
    assert one[2]["title"] == "Norm before attention"
    assert two[2]["title"] == "Layer 1: Norm before attention"
    assert two[14]["title"] == "Layer 2: Norm before attention"


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("Emma", 0, "does not know 'E'"),
        ("🙂", 0, "does not know"),
        ("a" * 16, 0, "16 characters"),
        ("a" * 500, 0, "500 characters"),
        ("emma", 5, "no position 5"),
        ("emma", -1, "no position -1"),
    ],
)
def test_what_cannot_be_walked_through_is_explained(labs, text, position, said):
    with pytest.raises(LabError, match=re.escape(said)):
        labs("forward.walk", text=text, position=position)


def test_the_longest_and_the_shortest_text_can_be_walked_through(labs):
    assert labs("forward.walk", text="", position=0)["tokens"] == ["BOS"]
    assert labs("forward.walk", text="a" * 15, position=15)["position"] == 15


def test_the_books_table_is_what_the_lab_says(labs):
    answer = labs("forward.walk", model="trained", text="emma", position=3)
    book = (ROOT / "microgpt.md").read_text(encoding="utf-8")
    table = book.partition('data-lab="forward"')[2].partition("</div>")[0]
    lines = [line.split(" | ") for line in table.splitlines() if line.startswith("| ")]
    assert [line[0] for line in lines[2:]] == [
        f"| {stage['title']}" for stage in answer["stages"]
    ]
    for line, stage in zip(lines[2:], answer["stages"]):
        assert line[1] == stage["shape"]
        made = stage["groups"][-1 if stage["groups"][-1]["label"][0] == "x" else 0]
        first = ", ".join(f"{x:.3f}" for x in made["values"][:3])
        assert line[2] == f"{first} |", stage["title"]


def shown(lab):
    return lab.frame.locator(".fwd-panel .num").all_inner_texts()


def expected(stage):
    return [f"{x:.3f}" for group in stage["groups"] for x in group["values"]]


def test_the_page_shows_the_programs_numbers_stage_by_stage(open_lab, labs):
    lab = open_lab("forward")
    page = lab.page
    assert not lab.audit()
    stages = labs("forward.walk", text="emma", position=0)["stages"]
    following = lab.frame.get_by_role("button", name="Next")
    for number, stage in enumerate(stages, start=1):
        where = f"Stage {number} of {len(stages)}: {stage['title']}"
        lab.frame.get_by_text(where, exact=True).wait_for()
        assert shown(lab) == expected(stage)
        assert lab.text(".fwd-code") == "\n".join(stage["code"])
        if number < len(stages):
            following.click()
    assert following.get_attribute("aria-disabled") == "true"
    assert lab.text(".fwd-next b") == "e"
    assert not lab.audit()

    lab.frame.get_by_role("button", name="a, position 4").click()
    last = labs("forward.walk", text="emma", position=4)["stages"][-1]
    page.wait_for_function(
        "document.querySelector('.fwd-next b').textContent === 'BOS'"
    )
    assert shown(lab) == expected(last)

    lab.frame.get_by_label("Model").select_option("untrained")
    plain = labs("forward.walk", model="untrained", text="emma", position=4)
    first = f"{max(plain['guess']['probs']):.3f}"
    lab.frame.locator(".fwd-bars li").first.get_by_text(first).wait_for()
    assert shown(lab) == expected(plain["stages"][-1])


@pytest.mark.slow
def test_the_keyboard_goes_everywhere_and_bad_text_is_survived(open_lab, labs):
    lab = open_lab("forward", viewport={"width": 390, "height": 800}, has_touch=True)
    page, word = lab.page, lab.frame.get_by_label("Word")
    for text, said in [
        ("Emma", "does not know 'E'"),
        ("<b>", "does not know '<'"),
        ("a" * 500, "500 characters"),
    ]:
        word.fill(text)
        lab.frame.get_by_text(said).wait_for()
        assert lab.frame.locator(".fwd[inert]").count()
    word.fill("")
    page.wait_for_function(
        "document.querySelectorAll('.fwd-places button').length === 1"
    )
    word.fill("ann")
    page.wait_for_function(
        "document.querySelectorAll('.fwd-places button').length === 4"
    )

    lab.frame.locator(".fwd-places [tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    wanted = labs("forward.walk", text="ann", position=1)["stages"]
    sentence = "which token this is, a."
    lab.frame.get_by_text(sentence).wait_for()
    assert page.evaluate("document.activeElement.ariaLabel") == "a, position 1"
    lab.frame.get_by_role("button", name="Next").focus()
    page.keyboard.press("Enter")
    lab.frame.get_by_text("Stage 2 of 16").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    lab.frame.get_by_text("Stage 3 of 16").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    exact = wanted[2]["groups"][0]["values"][1]
    tip = lab.frame.locator(".num-tip")
    what, number = tip.inner_text().split(" = ")
    assert what == "normed, number 1"
    assert float(number) == pytest.approx(exact, rel=1e-12)
    page.keyboard.press("Escape")
    assert tip.is_hidden()
    lab.frame.locator(".num").nth(3).tap()
    assert "normed, number 3 = " in tip.inner_text()

    for width in (360, 390):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


DRIVEN = """async ([address, answer]) => {
  const lab = document.querySelector('[data-lab="forward"]');
  const body = document.createElement('div');
  const style = document.createElement('link');
  style.rel = 'stylesheet';
  style.href = new URL('../labs.css', address).href;
  body.className = 'lab-body';
  lab.append(style, body);
  const { default: forward } = await import(address);
  const ask = async (name) => (name === 'forward.walk' ? answer : ['yours']);
  await forward(body, { ask, machine: new EventTarget() });
}"""


def test_the_map_shows_one_of_several_layers(reader, site, deep, labs):
    answer = labs("forward.walk", model="yours", text="anna", position=2)
    reader.set_default_timeout(10000)
    reader.goto(site.url("the-whole-model/"))
    reader.evaluate(DRIVEN, [site.url("labs/forward/lab.js"), answer])
    said = reader.locator(".fwd-said b")
    reader.get_by_role("button", name="mix", exact=True).click()
    assert said.inner_text() == "Stage 7 of 28: Layer 1: What the heads found"
    reader.get_by_role("button", name="Layer 2").click()
    reader.get_by_role("button", name="mix", exact=True).click()
    assert said.inner_text() == "Stage 19 of 28: Layer 2: What the heads found"
    current = reader.locator(".fwd-map [aria-current='step']")
    assert current.get_attribute("aria-label") == "mix"
    reader.get_by_role("button", name="logits", exact=True).click()
    reader.keyboard.press("ArrowLeft")
    assert said.inner_text() == "Stage 26 of 28: Layer 2: Added to the stream again"
    cells = reader.locator(".fwd-strip").last.locator(".fwd-above")
    assert cells.count() == 27
