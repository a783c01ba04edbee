"""The autograd lab, natively and in the page."""

import math
import re
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from labs import LabError

BOOK = {"expression": "((a * b) + 1) ** 2", "values": {"a": 2, "b": 3}}
NUMBERS = st.floats(-3, 3).map(lambda x: round(x, 2))


def grow(inner):
    """Return expressions that are made of others."""
    pairs = st.tuples(inner, st.sampled_from("+-*/"), inner)
    return st.one_of(
        pairs.map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map("(-{})".format),
        st.tuples(st.sampled_from(["log", "exp", "relu"]), inner).map(
            "{0[0]}({0[1]})".format
        ),
        st.tuples(inner, st.sampled_from(["log", "exp", "relu"])).map(
            "({0[0]}).{0[1]}()".format
        ),
        st.tuples(inner, st.sampled_from(["2", "3", "-1", "0.5", "(1 / 3)", "0"])).map(
            "({0[0]}) ** {0[1]}".format
        ),
    )


LEAVES = [*"abc", "(1 - a)", "(b * 2.5)", "(c / 4)", "(0.1 + a)", "(2 / b)"]
EXPRESSIONS = st.recursive(st.sampled_from(LEAVES), grow, max_leaves=8)


def by_hand(microgpt, expression, values):
    """Return inputs and result of an expression that Python itself calculates."""
    value = microgpt.Value
    names = {name: value(number) for name, number in values.items()}
    functions = {
        "log": value.log,
        "exp": value.exp,
        "relu": value.relu,
        "linear": microgpt.linear,
        "logsumexp": microgpt.logsumexp,
    }
    return names, eval(expression, functions | names)


def node(answer, name):
    return next(node for node in answer["nodes"] if node["name"] == name)


def test_the_books_example(labs):
    answer = labs("autograd.differentiate", **BOOK)
    assert [
        (n["name"], n["operation"], n["formula"], n["data"], n["grad"])
        for n in answer["nodes"]
    ] == [
        ("a", "input", "input", 2, 42),
        ("b", "input", "input", 3, 28),
        ("v1", "*", "a * b", 6, 14),
        ("k1", "number", "number", 1, 14),
        ("v2", "+", "v1 + 1", 7, 14),
        ("v3", "** 2", "v2 ** 2", 49, 1),
    ]
    assert node(answer, "v1")["children"] == ["a", "b"]
    assert node(answer, "v1")["local_grads"] == ["3", "2"]
    steps = answer["steps"]
    assert [step["node"] for step in steps] == [None, None, "v3", "v2", "v1"]
    assert steps[0]["grads"] == ["0"] * 6
    assert steps[1]["grads"] == ["0"] * 5 + ["1"]
    assert steps[-1]["rules"] == ["a.grad += 3 * 14 = 42", "b.grad += 2 * 14 = 28"]
    assert [check["says"] for check in answer["checks"]] == ["agrees", "agrees"]


def test_the_table_in_the_book_is_a_real_run(labs):
    answer = labs("autograd.differentiate", **BOOK)
    book = (Path(__file__).resolve().parents[2] / "microgpt.md").read_text(
        encoding="utf-8"
    )
    lab = re.search(r'<div class="lab" data-lab="autograd".*?</div>', book, re.S)[0]
    rows = [
        [c.strip(" `") for c in r.split("|")[1:-1]]
        for r in lab.splitlines()
        if "|" in r
    ]
    assert rows[2:] == [
        [n["name"], n["formula"], n["shown"], grad]
        for n, grad in zip(answer["nodes"], answer["steps"][-1]["grads"])
    ]


@given(expression=EXPRESSIONS, numbers=st.tuples(NUMBERS, NUMBERS, NUMBERS))
def test_any_graph_and_its_grads_are_the_programs(labs, microgpt, expression, numbers):
    values = dict(zip("abc", numbers))
    try:
        answer = labs("autograd.differentiate", expression=expression, values=values)
    except LabError as error:
        assert re.search(
            r"has no value here|characters|That makes \d+ values", str(error)
        )
        return
    names, result = by_hand(microgpt, expression, values)
    last = node(answer, answer["result"])["data"]
    assert float(last) == result.data or math.isnan(result.data)
    result.backward()
    for name in answer["inputs"]:
        found = float(node(answer, name)["grad"])
        assert found == names[name].grad or math.isnan(found)
    grads = [float(n["grad"]) for n in answer["nodes"]]
    assert answer["steps"][-1]["grads"] == [f"{grad + 0.0:.4g}" for grad in grads]
    assert len(answer["steps"]) == 2 + sum(
        n["kind"] == "computed" for n in answer["nodes"]
    )


@given(expression=EXPRESSIONS, numbers=st.tuples(NUMBERS, NUMBERS, NUMBERS))
def test_each_step_is_the_chain_rule(labs, expression, numbers):
    values = dict(zip("abc", numbers))
    try:
        answer = labs("autograd.differentiate", expression=expression, values=values)
    except LabError:
        assume(False)
    nodes = {n["name"]: i for i, n in enumerate(answer["nodes"])}
    before = answer["steps"][1]["grads"]
    for step in answer["steps"][2:]:
        turn = node(answer, step["node"])
        own = before[nodes[turn["name"]]]
        changed = {n for n, i in nodes.items() if step["grads"][i] != before[i]}
        assert changed <= {*turn["children"]}
        if own == "0" and not step["rules"]:
            assert step["grads"] == before
        else:
            heads = [rule.split(" = ")[0] for rule in step["rules"]]
            assert heads == [
                f"{child}.grad += {local} * {own}"
                for child, local in zip(turn["children"], turn["local_grads"])
            ]
            finals = {c: r for c, r in zip(turn["children"], step["rules"])}
            for child, rule in finals.items():
                assert rule.split(" = ")[-1] == step["grads"][nodes[child]]
        before = step["grads"]


@given(expression=EXPRESSIONS, numbers=st.tuples(NUMBERS, NUMBERS, NUMBERS))
def test_no_slope_is_said_to_differ_from_the_nudge_without_reason(
    labs, expression, numbers
):
    """Where a slope is small enough to be nudged at all, both ways agree."""
    values = dict(zip("abc", numbers))
    try:
        answer = labs("autograd.differentiate", expression=expression, values=values)
    except LabError:
        assume(False)
    sizes = [abs(float(n["data"])) for n in answer["nodes"]]
    slopes = [abs(float(s)) for n in answer["nodes"] for s in n["local_grads"]]
    assume(max(sizes + slopes) < 30)
    assume(min([s for s in sizes if s] + [1]) > 0.05)
    for check in answer["checks"]:
        assert check["says"] == "agrees" or "ReLU" in check["says"], (expression, check)


def test_every_preset_has_slopes_that_agree(labs, microgpt):
    for preset in labs("autograd.presets"):
        arguments = {"expression": preset["expression"], "values": preset["values"]}
        answer = labs("autograd.differentiate", **arguments)
        assert {*answer["inputs"]} == {*preset["values"]}
        assert {check["says"] for check in answer["checks"]} == {"agrees"}
        names, result = by_hand(microgpt, **arguments)
        result.backward()
        for name, value in names.items():
            assert node(answer, name)["grad"] == value.grad
        children = {child for n in answer["nodes"] for child in n["children"]}
        assert children == {n["name"] for n in answer["nodes"]} - {answer["result"]}
        assert 0 not in [n["grad"] for n in answer["nodes"]]


def test_a_value_that_is_used_twice_is_one_node(labs):
    answer = labs(
        "autograd.differentiate", expression="(b := a + a) + b", values={"a": 1}
    )
    assert [(n["name"], n["children"]) for n in answer["nodes"]] == [
        ("a", []),
        ("b", ["a", "a"]),
        ("v1", ["b", "b"]),
    ]
    assert answer["steps"][-1]["rules"] == [
        "a.grad += 1 * 2 = 2",
        "a.grad += 1 * 2 = 2, and 2 + 2 = 4",
    ]


@pytest.mark.parametrize(
    ("expression", "operations"),
    [
        ("a - b", ["*", "+"]),
        ("1 - a", ["*", "+"]),
        ("a / b", ["** -1", "*"]),
        ("1 / a", ["** -1", "*"]),
        ("a / 4", ["*"]),
        ("2 * 3", ["*"]),
        ("log(a) + a.log()", ["log", "log", "+"]),
        ("a ** (1 / 2)", ["** 0.5"]),
        ("linear([a, b], [[1, c]])[0]", ["linear"]),
        ("logsumexp([a, b])", ["logsumexp"]),
        ("a", []),
        ("5", []),
    ],
)
def test_the_nodes_are_the_operations_that_the_program_did(
    labs, expression, operations
):
    answer = labs("autograd.differentiate", expression=expression, values={})
    computed = [n for n in answer["nodes"] if n["kind"] == "computed"]
    assert [n["operation"] for n in computed] == operations
    assert node(answer, answer["result"])["grad"] == 1


def test_a_formula_can_be_read_without_doubt(labs):
    answer = labs("autograd.differentiate", expression="(-8) ** 2", values={})
    assert answer["nodes"][-1]["formula"] == "(-8) ** 2"


def test_a_sleeping_relu_hands_nothing_on(labs):
    answer = labs("autograd.differentiate", expression="relu(a * b)", values={"a": -2})
    assert [n["grad"] for n in answer["nodes"]] == [0, 0, 0, 1]
    assert answer["steps"][-1]["says"] == "The grad of v1 is 0, so it hands nothing on."
    assert answer["steps"][-1]["rules"] == []


def test_what_has_no_slope_is_said(labs):
    def says(expression, **values):
        answer = labs("autograd.differentiate", expression=expression, values=values)
        return [check["says"] for check in answer["checks"]]

    assert "corner of a ReLU" in says("relu(a)", a=0)[0]
    assert says("relu(a)", a=0.1) == ["agrees"]
    assert says("relu(a ** 2)", a=0) == ["agrees"]
    assert "cannot be nudged" in says("log(a)", a=0.000001)[0]
    assert says("exp(exp(a)) * exp(exp(a))", a=6.5) == ["not finite"]


BAD = [
    ("", "no expression yet"),
    ("   ", "no expression yet"),
    ("a" * 500, "500 characters; 200"),
    ("a + 🙂", "“🙂” cannot be used"),
    ("1/0", "divided by 0"),
    ("a / 0", "divided by 0"),
    ("1 / (a - 1)", "divided by 0"),
    ("(3 * a) ** 1000", "larger than 1.8e308"),
    ("exp(1000)", "larger than 1.8e308"),
    ("1e999", "too large"),
    ("a ** 1e999", "too large"),
    ("a ** b", "must be a plain number"),
    ("a ** (1 / 0)", "must be a plain number"),
    ("log(-1)", "only numbers above 0 .* of -1"),
    ("log(a - a)", "only numbers above 0 .* of 0"),
    ("(-8) ** 0.5", "not a real number"),
    ("0 ** -1", "0 to the power -1"),
    ("0 ** 0.5", "slope of a power 0.5 at 0"),
    ("foo(a)", "no function “foo”"),
    ("foo", "“foo” is not known"),
    ("A", "“A” is not known"),
    ("log", "log is a function"),
    ("log(a, b)", r"Write log like this: log\(a\)"),
    ("log(x=a)", "without “=”"),
    ("linear(a, b)", "Write linear"),
    ("linear([a], [[b, c]])[0]", "Write linear"),
    ("linear([a], [[b]])[1]", "Write linear"),
    ("logsumexp([])", "Write logsumexp"),
    ("[x for x in a]", "cannot be used"),
    ("lambda: 1", "cannot be used"),
    ("a.data", "cannot be used"),
    ("a.__class__", "cannot be used"),
    ("a.backward()", "no function “backward”"),
    ("__import__('os')", "no function “__import__”"),
    ("(lambda: a)()", "cannot be used"),
    ("a if b else c", "cannot be used"),
    ("a == b", "cannot be used"),
    ("a // b", "cannot be used"),
    ("a @ b", "cannot be used"),
    ("a[0]", "cannot be used"),
    ("True", "cannot be used"),
    ("'a'", "cannot be used"),
    ("...", "cannot be used"),
    ("1or a", "cannot be used"),
    ("2j", "not a real number"),
    ("a, b", "without commas"),
    ("b = a", "without “=”"),
    ("a += 1", "without “=”"),
    ("(a := a + 1)", "before it gets its value"),
    ("(b := 1) + (b := 2)", "has a value already"),
    ("(bb := 1)", "take one letter"),
    ("a^2", "Write \\*\\* for a power"),
    ("a \N{MULTIPLICATION SIGN} b", "Write \\* to multiply"),
    ("a \N{MINUS SIGN} b", "Write - for minus"),
    ("a b", "Python cannot read that"),
    ("a +", "Python cannot read that"),
    ("(a", "Python cannot read that"),
    ("a\0", "cannot be used"),
    ("(" * 90 + "a" + ")" * 90, "nested 90 deep; 20"),
    ("-" * 150 + "a", "301 values; 60"),
    ("+".join("a" * 90), "values; 60"),
    ("*".join(["a" * 50] * 3), "is not known"),
]


@pytest.mark.parametrize(("expression", "said"), BAD)
def test_what_is_wrong_is_explained(labs, microgpt, expression, said):
    init = microgpt.Value.__init__
    with pytest.raises(LabError, match=said):
        labs("autograd.differentiate", expression=expression, values={})
    assert microgpt.Value.__init__ is init


@pytest.mark.parametrize("number", [None, "1", True, math.nan, math.inf, 101, [1]])
def test_an_input_has_to_be_a_number(labs, number):
    with pytest.raises(LabError, match="a needs a number from -100 to 100"):
        labs("autograd.differentiate", expression="a", values={"a": number})


@given(text=st.text(max_size=60))
def test_any_text_is_answered_or_explained(labs, text):
    try:
        labs("autograd.differentiate", expression=text, values={})
    except LabError as error:
        assert str(error)


def test_numbers_that_are_not_finite_are_shown(labs):
    answer = labs("autograd.differentiate", expression="a * 1e308 * 10", values={})
    assert node(answer, answer["result"])["shown"] == "inf"
    assert labs("autograd.differentiate", expression="a ** 1000", values={"a": 2})


# In the page


def shown(lab):
    """Return data and grad of each node, as they are drawn."""
    nodes = lab.frame.locator(".graph-node").evaluate_all(
        "all => all.map(g => [...g.querySelectorAll('text')].map(t => t.textContent))"
    )
    return {texts[0]: (texts[-2], texts[-1]) for texts in nodes}


def expected(answer, step):
    grads = answer["steps"][step]["grads"]
    return {n["name"]: (n["shown"], g) for n, g in zip(answer["nodes"], grads)}


def choose(lab, title):
    lab.frame.get_by_label("Example").select_option(title)


def wait(lab, text):
    lab.frame.locator(".ag-said").get_by_text(text).first.wait_for()


def press(lab, name, times=1):
    for _ in range(times):
        lab.frame.get_by_role("button", name=name, exact=True).click()


def test_every_preset_steps_to_the_programs_grads(open_lab, labs):
    lab = open_lab("autograd")
    for preset in labs("autograd.presets"):
        choose(lab, preset["title"])
        arguments = {"expression": preset["expression"], "values": preset["values"]}
        answer = labs("autograd.differentiate", **arguments)
        last = len(answer["steps"]) - 1
        wait(lab, f"Step 0 of {last}.")
        lab.frame.locator(".graph-node").nth(len(answer["nodes"]) - 1).wait_for()
        assert shown(lab) == expected(answer, 0)
        press(lab, "Last")
        assert shown(lab) == expected(answer, -1)
        edges = lab.frame.locator(".graph-edge").count()
        assert edges == sum(len(n["children"]) for n in answer["nodes"])
        checks = (
            lab.frame.locator(".ag-table").last.locator("tbody tr").all_inner_texts()
        )
        assert [line.split("\t") for line in checks] == [
            [c["name"], c["grad"], c["nudged"], c["says"]] for c in answer["checks"]
        ]


def test_it_is_stepped_by_mouse_and_by_keys(open_lab, labs):
    lab = open_lab("autograd")
    answer = labs("autograd.differentiate", **BOOK)
    for step in (1, 2, 3, 4):
        press(lab, "Forward")
        assert shown(lab) == expected(answer, step)
        said = lab.text(".ag-said")
        assert f"Step {step} of 4." in said
        assert all(rule in said for rule in answer["steps"][step]["rules"])
    lab.page.keyboard.press("Enter")  # there is no further one, and the focus stays
    assert lab.frame.get_by_role("button", name="Forward").evaluate(
        "b => b === document.activeElement && b.ariaDisabled === 'true'"
    )
    for key, step in [
        ("ArrowLeft", 3),
        ("Home", 0),
        ("ArrowLeft", 0),
        ("End", 4),
        ("ArrowLeft", 3),
        ("ArrowRight", 4),
    ]:
        lab.page.keyboard.press(key)
        assert shown(lab) == expected(answer, step)
    slider = lab.frame.get_by_role("slider", name=re.compile("^Step"))
    slider.focus()
    lab.page.keyboard.press("ArrowLeft")
    assert shown(lab) == expected(answer, 3)
    assert slider.get_attribute("aria-valuetext") == "3 of 4"
    press(lab, "Back")
    assert lab.frame.locator(".graph-node.turn .name").text_content() == "v3"
    assert shown(lab) == expected(answer, 2)


@pytest.mark.slow
def test_it_plays_by_itself_to_the_end(open_lab):
    lab = open_lab("autograd", reduced_motion="reduce")
    choose(lab, "A sum")
    wait(lab, "Step 0 of 2.")
    press(lab, "Play")
    wait(lab, "Step 2 of 2.")
    lab.frame.get_by_role("button", name="Play").wait_for()


def test_sliders_change_the_numbers_and_not_the_picture(open_lab, labs):
    lab = open_lab("autograd")
    press(lab, "Last")
    lab.frame.locator(".graph svg").evaluate("svg => svg.dataset.kept = 'yes'")
    slider = lab.frame.get_by_role("slider", name="a", exact=True)
    slider.focus()
    lab.page.keyboard.press("ArrowRight")
    changed = {**BOOK, "values": {"a": 2.1, "b": 3}}
    answer = labs("autograd.differentiate", **changed)
    lab.frame.locator(".graph-node").get_by_text(
        answer["nodes"][-1]["shown"]
    ).wait_for()
    assert shown(lab) == expected(answer, -1)
    assert lab.frame.locator(".graph svg").get_attribute("data-kept") == "yes"
    assert slider.evaluate("s => s === document.activeElement")
    number = lab.frame.get_by_label("b as a number")
    number.fill("12.5")
    answer = labs("autograd.differentiate", **{**BOOK, "values": {"a": 2.1, "b": 12.5}})
    lab.frame.locator(".graph-node").get_by_text(
        answer["nodes"][-1]["shown"]
    ).wait_for()
    assert shown(lab) == expected(answer, -1)
    number.fill("")
    lab.frame.get_by_text("b needs a number from -100 to 100").wait_for()
    lab.frame.locator(".graph[inert]").wait_for()
    number.fill("3")
    lab.frame.locator(".graph:not([inert])").wait_for()


PICKED = [
    "",
    "a" * 500,
    "a + 🙂",
    "1/0",
    "(3 * a) ** 1000",
    "a ** b",
    "log(-1)",
    "foo(a)",
    "__import__('os')",
    "[x for x in a]",
    "(" * 90 + "a" + ")" * 90,
    "1e999",
    "b = a",
    "(-8) ** 0.5",
    "<img src=x onerror=alert(1)>",
]


@pytest.mark.slow
def test_own_expressions_and_bad_ones(open_lab, labs):
    lab = open_lab("autograd")
    text = lab.frame.get_by_label("Expression")
    alert = lab.frame.locator(".lab-message")
    for expression in PICKED:
        arguments = {"expression": expression, "values": BOOK["values"]}
        with pytest.raises(LabError) as wrong:
            labs("autograd.differentiate", **arguments)
        text.fill(expression)
        alert.get_by_text(str(wrong.value), exact=True).wait_for()
    assert lab.frame.locator("img").count() == 0
    assert text.get_attribute("aria-invalid") == "true"
    own = "exp(q) * relu(r - 0.5) / (1 + q ** 2)"
    text.fill(own)
    answer = labs("autograd.differentiate", expression=own, values={})
    wait(lab, f"Step 0 of {len(answer['steps']) - 1}.")
    press(lab, "Last")
    assert shown(lab) == expected(answer, -1)
    assert lab.frame.get_by_label("Example").input_value() == "own"
    assert alert.inner_text() == ""


def test_it_fits_a_phone_and_can_be_used_by_all(open_lab):
    lab = open_lab("autograd", viewport={"width": 390, "height": 800})
    choose(lab, "Later in the book: a dot product in one node")
    wait(lab, "Step 0 of 2.")
    press(lab, "Last")
    assert lab.page.evaluate("document.documentElement.scrollWidth") == 390
    box = lab.frame.locator(".graph")
    assert box.evaluate("b => b.scrollWidth > b.clientWidth")
    size = lab.frame.locator(".graph-node text").first.evaluate(
        "t => t.getBoundingClientRect().height"
    )
    assert size >= 11
    lab.frame.get_by_text("The graph as a table").click()
    assert not lab.audit()
    assert lab.frame.locator(".ag-table").first.locator("tbody tr").count() == 7
