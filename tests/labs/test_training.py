"""The training lab, natively and in the page."""

import itertools
import math
import random
import re
import time

import pytest
from browser import change_colours

from labs import LabError
from labs.shared.start import start

NAMES = "anna\nbert\ncarl\ndora\nemil\nfritz\ngustav\nhanna\n"


def native(program, docs, seed=42, steps=1000, learning_rate=0.01, **sizes):
    """Return the losses, as a generator, the model and the random numbers of a run."""
    rng = random.Random(seed)
    docs = [*docs]
    rng.shuffle(docs)
    model = program.Model(program.Tokenizer("".join(docs)), **sizes).randomize(rng)
    return program.train(model, docs, steps, learning_rate), model, rng


def book_names(program):
    text = (program.folder / "names.txt").read_text(encoding="utf-8")
    return program.module.split_docs(text)


def do(labs, count):
    return [labs("training.step") for _ in range(count)]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"seed": 7},
        {"n_embd": 8, "n_head": 2},
        {"n_layer": 2, "n_embd": 8},
        {"block_size": 4, "steps": 30},
        {"data": NAMES, "steps": 25, "learning_rate": 0.05},
    ],
)
def test_its_losses_are_those_of_the_programs_training(labs, program, fresh, options):
    labs("training.begin", **options)
    names = fresh.split_docs(options.pop("data", "")) or book_names(program)
    expected, _, _ = native(fresh, names, **options)
    count = 50 if not options else 20
    told = do(labs, count)
    assert [each["loss"] for each in told] == [*itertools.islice(expected, count)]
    assert [each["step"] for each in told] == [*range(1, count + 1)]


def test_steps_and_samples_are_what_the_program_prints(labs, program):
    info = labs("training.begin", steps=20)
    told = do(labs, 20)
    lines = [f"num docs: {info['docs']}", f"vocab size: {info['vocab']}"]
    lines += [f"num params: {info['params']}"]
    lines += [f"step {t['step']:4d} /   20 | loss {t['loss']:.4f}" for t in told]
    lines += ["", "--- inference (new, hallucinated names) ---"]
    names = labs("training.samples", count=20)
    lines += [f"sample {i:2d}: {name}" for i, name in enumerate(names, 1)]
    assert program.run("--steps", "20").stdout.split("\n")[:-1] == lines
    assert told[-1]["log"] == [{"step": 20, "names": names[:5]}]
    assert told[-1]["done"] and not told[-2]["done"]
    with pytest.raises(LabError, match="All 20 steps are done"):
        labs("training.step")
    assert len(labs("training.status")["losses"]) == 20


def test_another_worker_goes_on_as_if_nothing_had_happened(labs):
    from labs.shared import driver

    options = {"seed": 3, "steps": 40, "n_embd": 8, "data": NAMES}
    labs("training.begin", **options)
    do(labs, 5)
    labs("training.set_learning_rate", learning_rate=0.02)
    do(labs, 8)
    kept, was = driver.save("training"), labs("training.status")
    expected = do(labs, 27)
    samples = labs("training.samples")
    labs("training.begin")
    driver.restore("training", kept)
    assert labs("training.status") == was
    assert do(labs, 27) == expected
    assert labs("training.samples") == samples


def test_what_is_kept_of_a_step_is_small(labs):
    """It is copied after each step: a number, and Adam's two, of each parameter."""
    from labs.shared import driver

    numbers = 3 * labs("training.begin")["params"]
    labs("training.step")
    assert len(driver.save("training")) < 9 * numbers  # a float has 8 bytes


def test_a_new_learning_rate_counts_from_the_next_step_on(labs, fresh, program):
    labs("training.begin", steps=100)
    do(labs, 10)
    labs("training.set_learning_rate", learning_rate=0.1)
    told = labs("training.step")
    assert told["rate"] == 0.1 * (1 - 10 / 100)
    docs, model, _ = start(fresh, book_names(program))
    adam = fresh.Adam(model.params())
    for step in range(11):
        rate = (0.1 if step >= 10 else 0.01) * (1 - step / 100)
        tokens = model.tokenizer.encode(docs[step])
        loss = fresh.learn(tokens, model, adam, rate)
    assert told["loss"] == loss
    assert labs("training.step")["loss"] == step_loss(fresh, model, docs[11])


def test_the_books_other_list_can_be_trained_on(labs, fresh, program):
    places = (program.folder / "places.txt").read_text(encoding="utf-8")
    expected, _, _ = native(fresh, fresh.split_docs(places))
    assert labs("training.begin", names="places")["docs"] == 373
    assert labs("training.step")["loss"] == next(expected)
    assert labs("training.status")["names"] == "places"


def test_names_are_made_up_before_training_and_often_at_its_beginning(labs):
    labs("training.begin", steps=120, n_embd=4, n_head=1)
    do(labs, 120)
    told = [entry["step"] for entry in labs("training.status")["log"]]
    assert told == [0, 10, 25, 50, 100, 120]


def step_loss(program, model, doc):
    return program.mean_loss(model.tokenizer.encode(doc), model).data


def test_the_baselines_are_those_of_the_book(labs):
    from experiments.run import read

    info = labs("training.begin")
    ladder = read()["own"]["ladder"]["1000"]["42"]
    assert round(info["uniform"], 6) == ladder["uniform"]["add one"]
    assert round(info["bigram"], 6) == ladder["bigram"]["add one"]
    assert info["held_out"] == 600


def test_counting_pairs_is_measured_with_what_was_seen_if_nothing_else_is_there(labs):
    info = labs("training.begin", data="ab\nab\n", steps=5)
    pairs = {"^a": 2, "ab": 2, "b$": 2}
    share = math.log((2 + 1) / (2 + 3))
    assert len(pairs) == 3 and info["vocab"] == 3 and info["held_out"] == 0
    assert math.isclose(info["bigram"], -share)


def test_the_guesses_are_the_programs(labs, fresh, program):
    labs("training.begin")
    assert labs("training.documents")["last"] is None
    do(labs, 3)
    found = labs("training.documents")
    docs, model, _ = start(fresh, book_names(program))
    losses = fresh.train(model, docs, 1000)
    next(losses), next(losses)
    before = guesses(fresh, model, docs[2])
    next(losses)
    assert found["last"]["before"] == before
    assert found["last"]["now"] == guesses(fresh, model, docs[2])
    assert found["next"]["now"] == guesses(fresh, model, docs[3])
    assert found["last"]["doc"] == docs[2]
    assert found["last"]["inputs"] == ["BOS", *docs[2]]
    assert found["last"]["targets"] == [*docs[2], "BOS"]


def guesses(program, model, doc):
    keys, values = model.caches()
    tokens, found = model.tokenizer.encode(doc), []
    for place, target in enumerate(tokens[1:]):
        logits = program.gpt(tokens[place], place, keys, values, model)
        found.append(program.softmax(logits)[target].data)
    return found


def test_a_parameter_moves_as_adam_moves_it(labs, fresh, program):
    place = {"matrix": "layer0.attn_wq", "row": 3, "column": 5}
    labs("training.begin")
    assert labs("training.parameter", **place)["before"] is None
    do(labs, 4)
    before = labs("training.parameter", **place)
    do(labs, 1)
    found = labs("training.parameter", **place)
    docs, model, _ = start(fresh, book_names(program))
    losses = fresh.train(model, docs, 1000)
    for _ in range(5):
        next(losses)
    p = model.state_dict["layer0.attn_wq"][3][5]
    assert (found["value"], found["slope"]) == (p.data, p.grad)
    assert found["before"] == {name: before[name] for name in ("value", "m", "v")}
    b1, b2 = found["betas"]
    assert found["m"] == b1 * before["m"] + (1 - b1) * p.grad
    assert found["v"] == b2 * before["v"] + (1 - b2) * p.grad * p.grad
    means, rate = found["means"], found["rate"]
    change = -rate * means["m"] / (math.sqrt(means["v"]) + 1e-8)
    assert math.isclose(found["change"], change, rel_tol=1e-9)
    assert rate == 0.01 * (1 - 4 / 1000)


def test_looking_and_sampling_do_not_disturb_the_training(labs):
    labs("training.begin", n_embd=8, steps=30)
    expected = [each["loss"] for each in do(labs, 12)]
    labs("training.begin", n_embd=8, steps=30)
    found = []
    for _ in range(12):
        labs("training.samples", count=2)
        labs("training.documents")
        labs("training.parameter", matrix="wte", row=0, column=0)
        found += [each["loss"] for each in do(labs, 1)]
    assert found == expected


def test_it_says_how_far_to_go(labs):
    labs("training.begin", steps=5)
    assert not labs("training.step", until=2)["done"]
    assert labs("training.step", until=2)["done"]
    assert labs("training.step", until=2)["done"]


def test_divergence_is_said_and_ends_the_training(labs):
    labs("training.begin", learning_rate="1e99", steps=9)
    for _ in range(9):
        told = labs("training.step")
        if told["done"]:
            break
    assert "diverged at step" in told["trouble"] and told["step"] < 9
    with pytest.raises(LabError, match="Lower the learning rate"):
        labs("training.step")
    assert labs("training.status")["trouble"] == told["trouble"]


def test_it_makes_the_model_of_the_reader(labs):
    from labs.shared import models

    labs("training.begin")
    do(labs, 1)
    assert "yours" in labs("shared.models.names_of_models")
    p = models.model("yours").state_dict["lm_head"][0][0]
    place = {"matrix": "lm_head", "row": 0, "column": 0}
    assert labs("training.parameter", **place)["value"] == p.data


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"n_embd": 15}, "width 15 is not a multiple of 4 heads"),
        ({"n_embd": ""}, "The width must be a whole number from 1 to 64; '' is not"),
        ({"n_embd": "1e3"}, "'1e3' is not"),
        ({"n_embd": 0}, "The width must be .*'0' is not"),
        ({"n_embd": 128}, "The width must be .*128 is more"),
        (
            {"n_head": "🙂"},
            "The heads must be a whole number from 1 to 16; '🙂' is not",
        ),
        ({"n_layer": "9" * 500}, "The layers must be"),
        ({"n_layer": 4, "n_embd": 64}, r"parameters\. A page can train up to 60,000"),
        ({"block_size": -1}, "The positions must be"),
        ({"steps": 0}, "The steps must be a whole number from 1 to 10,000"),
        ({"steps": 10_001}, "10,001 is more"),
        ({"seed": "x" * 500}, "The seed must be a whole number; 'xxx"),
        ({"seed": "9" * 5000}, "The seed must be a whole number"),
        ({"learning_rate": -0.01}, "The learning rate must be a positive number"),
        ({"learning_rate": "nan"}, "The learning rate must be a positive number"),
        ({"data": " \n \n"}, "Your list is empty; give one name a line"),
        ({"names": "../names"}, r"no list '\.\./names' in the book"),
        ({"data": "a\n" * 200_001}, "200,001 lines; 200,000 is the most"),
        ({"data": "a" * 2_000_001}, "2,000,001 characters; 2,000,000 is the most"),
    ],
)
def test_what_cannot_be_trained_is_explained_and_leaves_all_as_it_was(
    labs, options, said
):
    labs("training.begin", steps=7)
    with pytest.raises(LabError, match=said):
        labs("training.begin", **options)
    assert labs("training.status")["info"]["steps"] == 7
    with pytest.raises(LabError, match="rows 0 to 26"):
        labs("training.parameter", matrix="wte", row=27, column=0)
    with pytest.raises(LabError, match="no matrix wtf"):
        labs("training.parameter", matrix="wtf", row=0, column=0)
    with pytest.raises(LabError, match="positive number"):
        labs("training.set_learning_rate", learning_rate=0)


def test_odd_lists_can_be_trained_on(labs):
    for data in ("🙂🙂\nzoë\r\n", "x", "名前\n" * 3, "a" * 3000, "<b>&amp;</b>"):
        info = labs("training.begin", data=data, steps=2)
        assert math.isfinite(labs("training.step")["loss"])
        found = labs("training.documents")["last"]
        assert len(found["now"]) == min(16, len(found["doc"]) + 1)
        assert info["longer"] == (len(data) == 3000)


def test_the_published_list_can_be_pasted(labs, published_names):
    """Its 32,033 lines cost no step more than the book's: only the beginning waits."""
    from labs.shared import driver

    data = published_names.read_text(encoding="utf-8")
    began = time.monotonic()
    info = labs("training.begin", data=data)
    assert time.monotonic() - began < 1  # 0.05 s: a page takes some five times as long
    assert (info["docs"], info["params"]) == (32_033, 4192)
    assert [round(told["loss"], 4) for told in do(labs, 2)] == [3.3660, 3.4243]
    assert len(driver.save("training")) < len(data) + 9 * 3 * info["params"]


def test_a_list_of_200_000_lines_can_be_trained_on(labs):
    data = "\n".join(f"{i:06}" for i in range(200_000))
    assert labs("training.begin", data=data)["docs"] == 200_000
    assert math.isfinite(labs("training.step")["loss"])


# In the page


def shown_losses(lab, count):
    """Read the losses of the first steps with the keyboard."""
    lab.frame.get_by_role("slider", name="The loss of each step").press("Home")
    found = []
    for step in range(1, count + 1):
        text = lab.text(".chart-said")
        assert text.startswith(f"step {step} –")  # noqa: RUF001
        found.append(re.search(r"loss of one step: (\S+);", text)[1])
        lab.page.keyboard.press("ArrowRight")
    return found


def train(lab, name, said):
    lab.frame.get_by_role("button", name=name, exact=True).click()
    lab.frame.get_by_text(said).wait_for()


def wait_beyond(lab, step):
    shown = "parseInt(document.querySelector('.train-numbers dd').textContent)"
    lab.page.wait_for_function(f"step => {shown} > step", arg=step)


def numbers(lab):
    return lab.frame.locator(".train-numbers dd").all_inner_texts()


def test_the_page_trains_as_the_program_does(open_lab, labs):
    lab = open_lab("training")
    labs("training.begin")
    told = do(labs, 20)
    train(lab, "10 steps", "Done: step 10 of")
    train(lab, "10 steps", "Done: step 20 of")
    assert shown_losses(lab, 20) == [f"{each['loss']:.4f}" for each in told]
    mean = sum(each["loss"] for each in told) / 20
    shown = ["20 of 1,000", f"{told[-1]['loss']:.4f}", f"{mean:.4f}", "0.00981"]
    assert numbers(lab) == shown
    found = labs("training.documents")
    assert found["last"]["doc"] == told[-1]["doc"]
    shares = [*zip(found["last"]["before"], found["last"]["now"])]
    expected = [f"{100 * p:.1f} %" for pair in shares for p in pair]
    expected += [f"{100 * p:.1f} %" for p in found["next"]["now"]]
    lab.frame.get_by_text(f"Just learned: {told[-1]['doc']}").wait_for()
    bars = lab.frame.locator(".train-share")
    assert [text.split("\n")[-1] for text in bars.all_inner_texts()] == expected
    lab.frame.get_by_label("Matrix").select_option("layer0.mlp_fc2")
    lab.frame.get_by_label("Row").select_option("3")
    lab.frame.get_by_label("Column").select_option("60")
    place = {"matrix": "layer0.mlp_fc2", "row": 3, "column": 60}
    slope = labs("training.parameter", **place)["slope"]
    text = f"{slope:.4g}".replace("-", "−")  # noqa: RUF001
    lab.frame.locator(".train-update dd").get_by_text(text, exact=True).wait_for()


@pytest.mark.slow
def test_it_pauses_goes_on_changes_its_rate_and_begins_anew(open_lab, labs):
    lab = open_lab("training", viewport={"width": 390, "height": 844}, has_touch=True)
    lab.frame.get_by_role("button", name="All steps").tap()
    wait_beyond(lab, 9)
    change_colours(lab.page, 1, "slate")
    lab.frame.get_by_role("slider", name="Learning rate").press("ArrowRight")
    lab.page.wait_for_function(
        "Number(document.querySelectorAll('.train-numbers dd')[3].textContent) > 0.01"
    )
    train(lab, "Pause", "Paused after step")
    done = int(numbers(lab)[0].split(" ")[0])
    train(lab, "1 step", f"Paused after step {done + 1} of")
    assert numbers(lab)[3] == f"{0.02 * (1 - done / 1000):.4g}"
    lab.frame.get_by_role("button", name="100 steps").focus()
    lab.page.keyboard.press("Enter")
    lab.frame.get_by_text(f"Paused after step {done + 101} of").wait_for()
    assert "step 100\n" in lab.text(".train-log")
    assert lab.page.evaluate("document.documentElement.scrollWidth") <= 390
    chart = lab.frame.get_by_role("slider", name="The loss of each step")
    chart.tap()
    assert re.match(r"step \d+ – loss", lab.text(".chart-said"))  # noqa: RUF001
    train(lab, "Reset", "Ready to begin")
    assert numbers(lab)[:2] == ["0 of 1,000", "–"]  # noqa: RUF001
    labs("training.begin", learning_rate=0.02)
    expected = [f"{each['loss']:.4f}" for each in do(labs, 10)]
    train(lab, "10 steps", "Done: step 10 of")
    assert shown_losses(lab, 10) == expected


@pytest.mark.slow
def test_settings_and_lists_of_ones_own(open_lab, labs):
    lab = open_lab("training")
    train(lab, "10 steps", "Done: step 10 of")
    lab.frame.locator("summary").click()
    lab.frame.get_by_label("Learn from").select_option("own")
    lab.frame.get_by_label("Or paste it here").fill(NAMES)
    begin = "Begin with these settings"
    lab.frame.get_by_label("Heads").fill("3")
    train(lab, begin, "width 16 is not a multiple of 3 heads")
    assert numbers(lab)[0] == "10 of 1,000"
    # It stays, whatever else is asked and answered
    value = lab.frame.locator(".train-update dd").last.inner_text()
    lab.frame.get_by_label("Matrix").select_option("wpe")
    last = lab.frame.locator(".train-update dd").last
    last.filter(has_not_text=value).wait_for()
    assert lab.text(".lab-message").endswith("width 16 is not a multiple of 3 heads.")
    lab.frame.get_by_label("Heads").fill("2")
    lab.frame.get_by_label("Steps").fill("<img src=x>")
    train(lab, begin, "The steps must be a whole number from 1 to 10,000")
    lab.frame.get_by_label("Steps").fill("12")
    lab.frame.get_by_label("Or paste it here").fill("🙂 <img src=x>\n" + NAMES)
    train(lab, begin, "9 documents")
    options = {"n_head": 2, "steps": 12, "data": "🙂 <img src=x>\n" + NAMES}
    info = labs("training.begin", **options)
    told = do(labs, 12)
    lab.frame.get_by_text(f"{info['params']:,} parameters").wait_for()
    train(lab, "All steps", "All 12 steps are done.")
    assert shown_losses(lab, 12) == [f"{each['loss']:.4f}" for each in told]
    shown = lab.text(".train-log li:first-child")
    assert shown == f"step 12\n{', '.join(told[-1]['log'][0]['names'])}"
    train(lab, "1 step", "Reset begins anew")
    assert lab.frame.locator(".lab-body img").count() == 0
    assert not lab.audit()


def test_what_was_trained_is_there_when_one_comes_back(open_lab, labs):
    lab = open_lab("training")
    train(lab, "10 steps", "Done: step 10 of")
    lab.frame.get_by_role("button", name="All steps").click()
    wait_beyond(lab, 11)
    lab.frame.get_by_role("button", name="Stop").click()
    lab.frame.get_by_text("Paused after step").wait_for()
    lab.page.locator(".md-footer__link--next").click()
    lab.page.wait_for_url("**/sampling/")
    lab.page.go_back()
    lab.start()
    done = int(numbers(lab)[0].split(" ")[0])
    assert done > 11
    train(lab, "1 step", f"Done: step {done + 1} of")
    labs("training.begin")
    told = do(labs, done + 1)
    assert numbers(lab)[1] == f"{told[-1]['loss']:.4f}"


@pytest.mark.slow
def test_stopping_again_while_python_starts_loses_nothing(open_lab, labs):
    lab = open_lab("training")
    train(lab, "10 steps", "Done: step 10 of")
    lab.page.locator(".language-pycon .offer").first.click()
    cell = lab.page.locator(".cell").first
    cell.get_by_role("textbox").fill("while True: pass")
    cell.get_by_role("button", name="Run").click()
    cell.get_by_role("button", name="Stop").click()
    for _ in range(3):
        lab.page.evaluate("document.querySelector('.lab-bar button').click()")
    cell.get_by_text("Stopped").first.wait_for()
    train(lab, "1 step", "Done: step 11 of")
    labs("training.begin")
    assert numbers(lab)[1] == f"{do(labs, 11)[-1]['loss']:.4f}"


# Click, and wait until nothing has gone on for a while
CLICK = """
async (clicks) => {
  const lab = document.querySelector('.lab[data-lab="training"]');
  const rest = (time) => new Promise((resolve) => setTimeout(resolve, time));
  for (const [name, wait] of clicks) {
    const buttons = [...lab.querySelectorAll("button")];
    buttons.find(({ textContent }) => textContent === name)?.click();
    if (wait) await rest(wait);
  }
  const said = lab.querySelector(".lab-said");
  const stop = lab.querySelector(".lab-bar button");
  const isIdle = () => stop.ariaDisabled === "true";
  const isQuiet = () => isIdle() && !/^(Training|Pausing)/.test(said.textContent);
  for (let quiet = 0; quiet < 15; await rest(20)) quiet = isQuiet() ? quiet + 1 : 0;
}
"""
STEPS = {"1 step": 1, "10 steps": 10, "100 steps": 100, "All steps": 900}


def test_steps_done_are_steps_asked_for(open_lab):
    """Buttons are clicked in any order, in one task of the page or at any speed."""
    lab = open_lab("training")
    lab.frame.locator("summary").click()
    sizes = {"Width": "2", "Heads": "1", "Positions": "2", "Steps": "900"}
    for label, value in sizes.items():
        lab.frame.get_by_label(label, exact=True).fill(value)
    lab.page.evaluate(CLICK, [["Begin with these settings", 0]])
    rng = random.Random(13)
    some = ["1 step", "10 steps", "100 steps"] * 2
    for _ in range(5):
        # A Stop also stops a Reset: they are not tried together
        names = [*some, "Pause", "Resume", rng.choice(["Reset", "Stop"])]
        chosen = rng.choices(names, k=rng.randint(2, 9))
        if rng.random() < 0.2:
            chosen.insert(rng.randrange(len(chosen)), "All steps")
        clicks = [(name, rng.choice([0, 0, 1, 5, 20, 60])) for name in chosen]
        lab.page.evaluate(CLICK, [("Reset", 0)])
        lab.page.evaluate(CLICK, clicks)
        lab.page.evaluate(CLICK, [("Resume", 0)])
        since = len(chosen) - [*chosen[::-1], "Reset"].index("Reset")
        asked = sum(STEPS.get(name, 0) for name in chosen[since:])
        assert numbers(lab)[0] == f"{min(900, asked)} of 900", clicks


@pytest.mark.slow
def test_a_link_holds_the_settings(open_lab, labs):
    lab = open_lab("training", permissions=["clipboard-read", "clipboard-write"])
    lab.frame.locator("summary").click()
    for label, value in {
        "Width": "8",
        "Heads": "2",
        "Steps": "30",
        "Seed": "7",
    }.items():
        lab.frame.get_by_label(label, exact=True).fill(value)
    lab.frame.get_by_role("slider", name="Learning rate").press("ArrowRight")
    lab.frame.get_by_label("Learn from").select_option("places")
    lab.frame.get_by_text("373 documents").wait_for()  # with no step done, at once
    lab.frame.get_by_role("button", name="Copy a link to these").click()
    lab.frame.get_by_text("The link is copied.").wait_for()
    link = lab.page.evaluate("navigator.clipboard.readText()")
    assert link.endswith("#why-the-loss-jumps-up-and-down")
    options = {"n_embd": 8, "n_head": 2, "steps": 30, "seed": 7, "names": "places"}
    labs("training.begin", learning_rate=0.02, **options)
    told = do(labs, 10)
    for address in (link, link.replace("n_embd=8", "n_embd=9")):
        lab.page.goto("about:blank")
        lab.page.goto(address)
        lab.start()
        if address == link:
            assert numbers(lab)[0] == "0 of 30"
            train(lab, "10 steps", "Done: step 10 of")
            assert numbers(lab)[1] == f"{told[-1]['loss']:.4f}"
    said = "What the link asks for cannot be trained. .* width 9 is not a multiple"
    assert re.match(said, lab.text(".lab-message"))
    assert numbers(lab)[0] == "10 of 30"  # what was trained before


def test_lists_from_a_file_and_from_where_they_were_published(
    open_lab, labs, published_names, tmp_path
):
    lab = open_lab("training")
    names = published_names.read_bytes()
    anyone = {"Access-Control-Allow-Origin": "*"}
    answers = [{"status": 404, "headers": anyone}, {"body": names, "headers": anyone}]
    lab.page.route(
        "https://raw.githubusercontent.com/**",
        lambda route: route.fulfill(**answers.pop(0)),
    )
    lab.watched.forgiven = "404|integrity"
    lab.frame.get_by_label("Learn from").select_option("published")
    lab.frame.get_by_text("could not be fetched").wait_for()
    lab.frame.get_by_role("button", name="Reset").click()
    lab.frame.get_by_text("32,033 documents").wait_for()
    asked = [fault for fault in lab.watched.faults if "raw.github" in fault]
    assert len(asked) == 2 and asked == lab.watched.faults
    lab.watched.faults.clear()
    train(lab, "1 step", "Done: step 1 of")
    assert numbers(lab)[1] == "3.3660"
    lab.frame.get_by_label("Learn from").select_option("own")
    bad, one, long = tmp_path / "bad.txt", tmp_path / "one.txt", tmp_path / "long.txt"
    bad.write_bytes(b"\xff\xfe\x00")
    one.write_text("Zoë\n", encoding="utf-8")
    long.write_bytes(b"\n".join([names] * 3))
    lab.frame.get_by_label("A file").set_input_files(bad)
    lab.frame.get_by_text("bad.txt cannot be read: it is no text in UTF-8.").wait_for()
    assert numbers(lab)[0] == "1 of 1,000"
    lab.frame.get_by_label("A file").set_input_files(one)
    lab.frame.get_by_text("Reset begins anew").wait_for()
    train(lab, "Reset", "1 document, 4 tokens")
    lab.frame.get_by_label("A file").set_input_files(long)
    lab.frame.get_by_text("96,099 documents").wait_for()


def test_what_is_beyond_the_chart_is_marked(open_lab, labs):
    lab = open_lab("training")
    rate = lab.frame.get_by_role("slider", name="Learning rate")
    rate.press("End")
    train(lab, "Reset", "Ready to begin")
    train(lab, "10 steps", "Done: step 10 of")
    labs("training.begin", learning_rate=1)
    losses = [told["loss"] for told in do(labs, 10)]
    most = max(losses)
    assert most > 8
    text = f"beyond the chart, up to {most:,.1f} at step {losses.index(most) + 1}"
    lab.frame.get_by_text(text).wait_for()
    drawn = lab.frame.locator(".chart-points path").get_attribute("d")
    assert drawn.count("l4 -5") == sum(loss > 8 for loss in losses)
    rate.press("Home")
    train(lab, "Reset", "Ready to begin")
    lab.frame.get_by_text(text).wait_for(state="hidden")


def test_the_cockpit_is_seen_at_once(open_lab):
    lab = open_lab("training", viewport={"width": 1280, "height": 800})
    train(lab, "10 steps", "Done: step 10 of")
    places = [lab.frame.locator(".lab-bar"), lab.frame.locator(".train-log")]
    top, names = [place.bounding_box() for place in places]
    chart = lab.frame.locator(".train-cockpit").bounding_box()
    assert chart["y"] + chart["height"] - top["y"] < 800 - 60  # the page's header
    assert names["y"] + names["height"] <= chart["y"] + chart["height"] + 1
    assert names["x"] > chart["x"] + chart["width"] / 2
    texts = lab.frame.locator(".chart-levels text")
    line = lab.frame.locator(".chart-levels line").first.bounding_box()
    for text in texts.all():
        assert text.bounding_box()["x"] >= line["x"] + line["width"]
