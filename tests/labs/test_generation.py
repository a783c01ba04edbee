"""Sampling's lab, natively and in the page."""

import json
import random
from pathlib import Path

import pytest

from labs import LabError

BOOK = Path(__file__).resolve().parents[2] / "microgpt.md"


@pytest.fixture(scope="module")
def trained(labs):
    from labs.shared import models

    return models.model("trained")


def texts(answer):
    return [name["text"] for name in answer["names"]]


@pytest.mark.parametrize(
    ("seed", "temperature", "prompt"),
    [(7, 0.5, ""), (42, 1.3, ""), (3, 0.1, "mar"), (10**30, 2.0, "abcdefghijklmno")],
)
def test_the_names_are_the_programs(labs, microgpt, trained, seed, temperature, prompt):
    rng = random.Random(seed)
    given = trained.tokenizer.encode(prompt)[1:-1]
    expected = [
        prompt
        + trained.tokenizer.decode(
            microgpt.generate(trained, rng, temperature, prompt=given)
        )
        for _ in range(10)
    ]
    settings = {"seed": str(seed), "temperature": temperature, "prompt": prompt}
    assert texts(labs("generation.names", **settings)) == expected


def test_the_names_are_those_of_the_command_line(labs, program):
    from labs.shared import models

    saved = str(models.HOME / "model.json")
    done = program.run("--load", saved, "--seed", "7", "--samples", "10")
    printed = [line.split()[-1] for line in done.stdout.splitlines() if ": " in line]
    assert texts(labs("generation.names", seed=7)) == printed[-10:]


def test_names_go_on_where_earlier_ones_ended(labs):
    whole = labs("generation.names", seed=5, count=12)
    first = labs("generation.names", seed=5, count=7)
    rest = labs("generation.names", seed=5, count=5, drawn=first["drawn"])
    assert first["names"] + rest["names"] == whole["names"]
    assert rest["drawn"] == whole["drawn"]


def test_a_draw_is_what_generate_had(labs, microgpt, trained):
    answer = labs("generation.names", seed=3, count=1, temperature=0.8)
    draws = answer["names"][0]["draws"]
    rng = random.Random(3)
    keys, values = trained.caches()
    token = trained.tokenizer.bos
    for position, draw in enumerate(draws):
        logits = microgpt.gpt(token, position, keys, values, trained)
        probs = microgpt.softmax([logit / 0.8 for logit in logits])
        token, weights = draw["token"], [p.data for p in probs]
        assert draw["probs"] == weights
        assert draw["plain"] == [p.data for p in microgpt.softmax(logits)]
        assert draw["random"] == rng.random()
        assert draw["between"] == pytest.approx(
            [sum(weights[:token]), sum(weights[: token + 1])], abs=1e-12
        )
        assert draw["between"][0] <= draw["random"] <= draw["between"][1]
        assert sum(weights) == pytest.approx(1)
    assert answer["tokens"][token] == "BOS"


def test_the_program_is_left_as_it_was(labs, microgpt):
    before = (microgpt.gpt, microgpt.softmax)
    labs("generation.names", count=1)
    assert (microgpt.gpt, microgpt.softmax) == before


def test_what_is_in_the_list_is_said(labs, microgpt):
    from labs.shared import models
    from labs.shared.start import start

    docs = start(microgpt, models.names())[0]
    for text, seen in ((docs[3], True), (docs[2000], False)):
        found = []
        for drawn in range(0, 4000, 40):  # a prompt one letter short, until it fits
            answer = labs("generation.names", prompt=text[:-1], count=4, drawn=drawn)
            found += [name for name in answer["names"] if name["text"] == text]
            if found:
                break
        assert found[0]["listed"] and found[0]["seen"] is seen
    strange = labs("generation.names", prompt="qqqqq", count=1)["names"][0]
    assert not strange["listed"] and not strange["seen"]
    assert labs("generation.names", model="untrained")["names"][0]["seen"] is None


def test_a_name_may_have_no_end(labs):
    answer = labs("generation.names", prompt="qxqxqxqxqxqxqxq", temperature=2, count=20)
    full = [name for name in answer["names"] if len(name["text"]) == 16]
    assert full and all(len(name["draws"]) == 1 for name in full)
    assert full[0]["draws"][0]["token"] != 26


def test_a_model_of_another_size_has_more_positions_than_letters(labs, microgpt):
    from labs.shared import models
    from labs.shared.start import start

    docs = ["ab🙂a", "ba"]
    _, model, _ = start(microgpt, docs, n_embd=4, n_head=2, block_size=12)
    models.make_yours(model)
    answer = labs("generation.names", model="yours", seed=1, prompt="🙂")
    assert answer["tokens"] == ["a", "b", "🙂", "BOS"]
    assert all(name["text"].startswith("🙂") for name in answer["names"])
    assert {len(d["probs"]) for n in answer["names"] for d in n["draws"]} == {4}
    model.state_dict["wte"][0][0].data = float("nan")
    with pytest.raises(LabError, match="cannot sample from this model"):
        labs("generation.names", model="yours", prompt="a")
    models.make_yours(models.model("untrained"))


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"temperature": 0}, "temperature must be a positive number, such as 0.5; '0'"),
        ({"temperature": "warm"}, "'warm' is not"),
        ({"temperature": "nan"}, "'nan' is not"),
        ({"temperature": -1}, "'-1' is not"),
        ({"seed": "4.5"}, "seed must be a whole number, such as 42; '4.5' is not"),
        ({"seed": ""}, "'' is not"),
        ({"seed": "🙂" * 500}, "…' is not"),
        ({"seed": "9" * 5000}, "9…' is not"),
        ({"prompt": "a" * 500}, "500 characters.* 15 is the most"),
        ({"prompt": "Emma"}, "does not know 'E'.*lower case"),
        ({"prompt": "🙂"}, "does not know '🙂'"),
        ({"prompt": "a" * 16}, "16 characters"),
        ({"count": 0}, "Between 1 and 20"),
        ({"count": 10**9}, "Between 1 and 20"),
        ({"drawn": -1}, "Between 1 and 20"),
        ({"drawn": 10**12}, "Between 1 and 20"),
    ],
)
def test_what_cannot_be_used_is_explained(labs, arguments, problem):
    with pytest.raises(LabError, match=problem):
        labs("generation.names", **arguments)


@pytest.mark.parametrize("temperature", [1e-99, 1e-3, 1e99])
def test_odd_temperatures_are_those_of_the_program(labs, temperature):
    assert len(labs("generation.names", temperature=temperature, count=2)["names"]) == 2


def names_on(lab):
    """Return the names that the page shows, without their ends."""
    rows = lab.frame.locator(".gen-name").all()
    letters = ":is(.gen-given, .gen-letter:not(.gen-end))"
    return ["".join(row.locator(letters).all_inner_texts()) for row in rows]


def test_the_page_draws_the_programs_names(open_lab, labs):
    lab = open_lab("generation")
    frame = lab.frame
    answer = labs("generation.names", seed=7)
    frame.get_by_label("Seed").fill("7")
    frame.get_by_text("of seed 7").wait_for()
    assert names_on(lab) == texts(answer)
    # The opened letter shows the program's probabilities
    draw = answer["names"][0]["draws"][0]
    bars = frame.locator(".gen-bars > li")
    shown = [row.split("\n")[:2] for row in bars.all_inner_texts()]
    expected = [f"{100 * p:.1f} %" for p in draw["probs"]]
    letters = [*answer["tokens"][:-1], "end"]
    assert shown == [[*pair] for pair in zip(letters, expected)]
    marked = frame.locator(".gen-bars .drawn").inner_text()
    assert marked.startswith(answer["tokens"][draw["token"]])
    assert f"{draw['random']:.4f}" in lab.text(".gen-draw")
    # Names go on, and begin again
    further = labs("generation.names", seed=7, count=1, drawn=answer["drawn"])
    frame.get_by_role("button", name="Next name").click()
    frame.get_by_text("Name 11 from").wait_for()
    assert names_on(lab) == texts(further)
    frame.get_by_role("button", name="From the start").click()
    frame.get_by_text("Names 1 to 10").wait_for()
    assert names_on(lab) == texts(answer)
    # A beginning and another temperature
    frame.get_by_role("slider").fill("1.3")
    frame.get_by_label("Beginning").fill("mar")
    wanted = texts(labs("generation.names", seed=7, prompt="mar", temperature=1.3))
    lab.page.wait_for_function(
        "n => document.querySelectorAll('.gen-name')[9].innerText.replace(/\\s/g, '')"
        ".includes(n)",
        arg=wanted[9],
    )
    assert names_on(lab) == wanted
    assert frame.locator(".gen-given").count() == 30


def test_the_keyboard_opens_letters_and_bad_input_is_explained(open_lab, labs):
    lab = open_lab("generation", viewport={"width": 390, "height": 800})
    page, frame = lab.page, lab.frame
    draws = labs("generation.names")["names"][1]["draws"]
    frame.get_by_role("button", name="From the start").focus()
    for key in ("Tab", "ArrowDown", "ArrowRight", "End"):
        page.keyboard.press(key)
    assert "Name 2, after “roina”: the end was drawn" in lab.text(".gen-opened")
    assert f"{100 * draws[-1]['probs'][26]:.1f} %" in lab.text(".gen-opened")
    focused = page.evaluate("document.activeElement.ariaLabel")
    assert focused == f"end, {100 * draws[-1]['probs'][26]:.1f} %"
    page.keyboard.press("Home")
    assert "Name 2, at the beginning:" in lab.text(".gen-opened")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert lab.audit() == []

    message = frame.locator(".lab-message")
    before = names_on(lab)
    bad = {
        "Beginning": ["<img src=x onerror=alert(1)>", "Emma", "🙂", "a" * 500],
        "Seed": ["", "1.5", "<b>", "9" * 500 + "x"],
    }
    for field, inputs in bad.items():
        good = frame.get_by_label(field).input_value()
        for text in inputs:
            frame.get_by_label(field).fill(text)
            with pytest.raises(LabError) as problem:
                name = {"Beginning": "prompt", "Seed": "seed"}[field]
                labs("generation.names", **{name: text})
            said = json.dumps(str(problem.value))
            page_says = "document.querySelector('.lab-message').textContent"
            page.wait_for_function(f"{page_says} === {said}")
            assert frame.locator(".gen-names[inert]").count()
        frame.get_by_label(field).fill(good)
        message.wait_for(state="hidden")
    assert names_on(lab) == before
    assert frame.locator("img:visible").count() == 0


def test_what_is_done_seldom_is_done_with_the_newest_arguments(reader, site):
    reader.goto(site.address)
    reader.evaluate(
        """async () => {
          const { seldom } = await import(new URL("labs/shared/controls.js", location));
          window.done = [];
          const ask = seldom((n) => done.push(n), 30);
          for (const n of [1, 2, 3, 4]) ask(n);
        }"""
    )
    reader.wait_for_function("done.length === 2")
    assert reader.evaluate("done") == [1, 4]


def test_the_names_in_the_book_are_those_of_the_lab(labs):
    columns = [
        [name["text"] for name in labs("generation.names", model=model)["names"][:3]]
        for model in ("untrained", "trained")
    ]
    book = BOOK.read_text(encoding="utf-8")
    assert all(f"| {before} | {after} |\n" in book for before, after in zip(*columns))
