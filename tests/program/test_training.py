"""The parts one by one: documents, tokens, steps, samples; and what they leave."""

import gc
import os
import random
import signal
import subprocess
import sys
import threading
import types
from pathlib import Path

import pytest

from experiments.speed.lines import code_lines

ROOT = Path(__file__).resolve().parents[2]
DOCS = ["anna", "hanna", "hannah", "ann", "nan"]


def small_model(microgpt, docs=DOCS, **sizes):
    tokenizer = microgpt.Tokenizer("".join(docs))
    model = microgpt.Model(tokenizer, **{"n_embd": 4, "n_head": 2, **sizes})
    return model.randomize(random.Random(1))


# The parts


def test_split_docs(microgpt):
    assert microgpt.split_docs(" ab \n\n\t\nc d\r\ne") == ["ab", "c d", "e"]


def test_documents_are_split_at_newlines_only(microgpt):
    text = "a\vb\fc\x1cd\x1de\x1ef\x85g\u2028h\u2029i"
    assert microgpt.split_docs(text) == [text]


def test_tokens_are_numbers_in_sorted_order(microgpt):
    tokenizer = microgpt.Tokenizer("hello")
    assert tokenizer.chars == ["e", "h", "l", "o"]
    assert (tokenizer.bos, tokenizer.vocab_size) == (4, 5)
    assert tokenizer.encode("hole") == [4, 1, 3, 2, 0, 4]
    assert tokenizer.decode([1, 3, 2, 0]) == "hole"


def test_an_unknown_character_is_named(microgpt):
    with pytest.raises((KeyError, ValueError), match="'x'"):
        microgpt.Tokenizer("abc").encode("abx")


def test_the_published_order_of_the_matrices(microgpt):
    model = small_model(microgpt, n_layer=2, block_size=3)
    layer = ["attn_wq", "attn_wk", "attn_wv", "attn_wo", "mlp_fc1", "mlp_fc2"]
    names = [f"layer{i}.{name}" for i in range(2) for name in layer]
    assert list(model.state_dict) == ["wte", "wpe", "lm_head", *names]
    first = random.Random(1)
    assert [p.data for p in model.params()] == [
        first.gauss(0, 0.08) for _ in model.params()
    ]


def test_gpt_returns_a_logit_for_each_token_and_fills_the_caches(microgpt):
    model = small_model(microgpt, n_layer=3)
    keys, values = model.caches()
    for position in range(2):
        logits = microgpt.gpt(0, position, keys, values, model)
    assert len(logits) == model.tokenizer.vocab_size
    assert [len(layer) for layer in keys + values] == [2] * 6


def test_attention_that_looks_at_one_position_returns_its_value(microgpt):
    vector = [microgpt.Value(x) for x in (1.0, 2.0, 3.0, 4.0)]
    out = microgpt.attention(vector, [vector], [vector], n_head=2)
    assert [x.data for x in out] == [1, 2, 3, 4]


def test_slopes_flow_through_the_caches(microgpt):
    """The last guess of a document depends on the first position's embedding."""
    model = small_model(microgpt)
    keys, values = model.caches()
    microgpt.gpt(0, 0, keys, values, model)
    microgpt.gpt(1, 1, keys, values, model)[2].backward()
    assert all(p.grad for p in model.state_dict["wpe"][0])


def test_train_yields_a_loss_for_each_step_and_the_loss_falls(microgpt):
    losses = list(microgpt.train(small_model(microgpt), DOCS, 100))
    assert len(losses) == 100
    assert sum(losses[-10:]) < sum(losses[:10]) * 0.8


def test_train_does_a_step_only_when_asked(microgpt):
    model = small_model(microgpt)
    before = [p.data for p in model.params()]
    steps = microgpt.train(model, DOCS, 10)
    assert [p.data for p in model.params()] == before
    next(steps)
    assert [p.data for p in model.params()] != before


def test_slopes_left_by_others_do_not_disturb_training(microgpt):
    clean, touched = small_model(microgpt), small_model(microgpt)
    for p in touched.params():
        p.grad = 100.0
    losses = list(microgpt.train(clean, DOCS, 5))
    assert list(microgpt.train(touched, DOCS, 5)) == losses


def test_generate_draws_tokens_until_bos_or_the_end_of_the_block(microgpt):
    model, lengths = small_model(microgpt, block_size=5), set()
    for seed in range(30):
        tokens = list(microgpt.generate(model, random.Random(seed), 1.0))
        assert model.tokenizer.bos not in tokens
        lengths.add(len(tokens))
    assert max(lengths) == 5 and len(lengths) > 2


def test_generate_goes_on_from_a_prompt(microgpt):
    """The same random numbers: what follows a prompt depends on the prompt."""
    model = small_model(microgpt, block_size=8)
    list(microgpt.train(model, DOCS, 50))
    prompt = model.tokenizer.encode("han")[1:-1]
    new = list(microgpt.generate(model, random.Random(1), 0.1, prompt))
    assert len(new) <= 5
    assert model.tokenizer.decode(new).startswith("na")


@pytest.mark.parametrize("n_layer", [7, 60])
def test_many_layers_train(microgpt, n_layer):
    model = small_model(microgpt, n_layer=n_layer)
    (loss,) = microgpt.train(model, DOCS, 1)
    assert 0 < loss < 5
    assert all(p.grad for p in model.state_dict["layer0.attn_wo"][0])


def test_the_gradient_of_the_deepest_layers(microgpt):
    """One parameter of the first of seven layers, by central differences."""
    model = small_model(microgpt, n_layer=7)
    tokens = model.tokenizer.encode("hannah")
    microgpt.mean_loss(tokens, model).backward()
    p, h = model.state_dict["layer0.attn_wo"][0][0], 1e-5
    p.data += h
    above = microgpt.mean_loss(tokens, model).data
    p.data -= 2 * h
    below = microgpt.mean_loss(tokens, model).data
    assert p.grad == pytest.approx((above - below) / (2 * h), rel=1e-5, abs=1e-9)


# Memory


def living(microgpt):
    """How many values exist; the collector knows all of them."""
    return sum(type(thing) is microgpt.Value for thing in gc.get_objects())


def test_memory_after_1000_steps_is_what_it_was_after_10(fresh):
    model, blocks = small_model(fresh, ["an"], n_embd=2, n_head=1), []
    for _ in fresh.train(model, ["an"], 1000):
        blocks.append(sys.getallocatedblocks())
    assert blocks[-1] < blocks[9] + 1000


def test_memory_while_sampling_for_ever(fresh):
    model, rng, blocks = small_model(fresh, n_embd=2, n_head=1), random.Random(1), []
    for _ in range(300):
        list(fresh.generate(model, rng))
        blocks.append(sys.getallocatedblocks())
    assert max(blocks[100:]) < max(blocks[:100]) + 1000


def test_nothing_of_a_step_survives_it_without_the_collector(fresh):
    """No cycles: counting references alone frees every value at once."""
    model = small_model(fresh)
    gc.disable()
    try:
        list(fresh.train(model, DOCS, 3))
        list(fresh.generate(model, random.Random(1)))
        assert living(fresh) == len(model.params())
    finally:
        gc.enable()


class Interrupt(BaseException):
    """Raised at a chosen place in the middle of a step."""


def interrupted_linear(microgpt, calls):
    """linear, but its last of so many calls raises Interrupt."""
    whole, count = microgpt.linear, iter(range(calls))

    def linear(x, w):
        if next(count, None) is None:
            raise Interrupt
        return whole(x, w)

    return linear


def interrupted_loss(microgpt):
    """mean_loss, but its result raises Interrupt in the middle of backward."""
    whole = microgpt.mean_loss

    class Trap(float):
        def __mul__(self, other):
            raise Interrupt

    def mean_loss(tokens, model):
        key = model.state_dict["layer0.attn_wk"][0][0]
        trap = microgpt.Value(0.0, (key,), (Trap(),)) * 1
        return whole(tokens, model) + trap

    return mean_loss


@pytest.mark.parametrize("part", ["forward", "backward"])
def test_steps_broken_off_leave_nothing(fresh, monkeypatch, part):
    model = small_model(fresh)
    before, enabled = [p.data for p in model.params()], gc.isenabled()
    for calls in range(100):
        with monkeypatch.context() as patch:
            if part == "forward":
                patch.setattr(fresh, "linear", interrupted_linear(fresh, calls))
            else:
                patch.setattr(fresh, "mean_loss", interrupted_loss(fresh))
            with pytest.raises(Interrupt):
                list(fresh.train(model, ["hannahhannahhannah"], 1))
    assert [p.data for p in model.params()] == before
    assert living(fresh) == len(before)
    assert gc.isenabled() == enabled


def test_a_step_after_one_broken_off_is_as_if_nothing_had_been(microgpt, monkeypatch):
    clean, broken = small_model(microgpt), small_model(microgpt)
    with monkeypatch.context() as patch:
        patch.setattr(microgpt, "mean_loss", interrupted_loss(microgpt))
        with pytest.raises(Interrupt):
            list(microgpt.train(broken, DOCS, 5))
    losses = list(microgpt.train(clean, DOCS, 5))
    assert list(microgpt.train(broken, DOCS, 5)) == losses


# What is left as it was found


@pytest.fixture(params=[True, False], ids=["collector on", "collector off"])
def enabled(request):
    if not request.param:
        gc.disable()
    yield request.param
    gc.enable()


def test_the_algorithm_does_not_touch_the_collector(microgpt, enabled):
    model = small_model(microgpt)
    for _ in microgpt.train(model, DOCS, 3):
        assert gc.isenabled() == enabled
    for _ in microgpt.generate(model, random.Random(1)):
        assert gc.isenabled() == enabled


def test_the_command_line_leaves_the_collector_as_it_was(
    microgpt, enabled, tmp_path, monkeypatch, capsys
):
    seen, whole = [], microgpt.mean_loss
    monkeypatch.setattr(
        microgpt, "mean_loss", lambda *a: seen.append(gc.isenabled()) or whole(*a)
    )
    (tmp_path / "names.txt").write_text("anna\n")
    options = ["--input", str(tmp_path / "names.txt"), "--steps", "2", "--n-embd", "4"]
    assert microgpt.main(options) == 0
    assert microgpt.main([*options, "--prompt", "x"]) == 2
    assert gc.isenabled() == enabled
    assert seen == [enabled and sys.implementation.name != "cpython"] * 2


def test_the_handler_of_interrupts_is_left_as_it_was(microgpt, tmp_path, capsys):
    def handler(*_):
        pass

    (tmp_path / "names.txt").write_text("anna\n")
    before = signal.signal(signal.SIGINT, handler)
    try:
        list(microgpt.train(small_model(microgpt), DOCS, 2))
        options = ["--input", str(tmp_path / "names.txt"), "--steps", "2"]
        assert microgpt.main(options) == 0
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_training_works_outside_of_the_main_thread(microgpt):
    losses, model = [], small_model(microgpt)
    work = threading.Thread(
        target=lambda: losses.extend(microgpt.train(model, DOCS, 3))
    )
    work.start()
    work.join()
    assert losses == list(microgpt.train(small_model(microgpt), DOCS, 3))


def test_training_goes_on_from_where_adam_is(microgpt):
    whole = list(microgpt.train(small_model(microgpt), DOCS, 6))
    model = small_model(microgpt)
    adam = microgpt.Adam(model.params())
    first = [next(microgpt.train(model, DOCS, 6, adam=adam)) for _ in range(4)]
    assert first + list(microgpt.train(model, DOCS, 6, adam=adam)) == whole


# The file as such


def parts(program):
    """The program's text in three parts: imports, algorithm, comfort."""
    source = program.path.read_text(encoding="utf-8")
    first = source.index("def split_docs")
    last = source.index("\n\n\n", source.index("def generate"))
    return source[:first], source[first:last], source[last:]


def test_the_algorithm_and_the_comfort_are_short(program):
    _, algorithm, comfort = parts(program)
    assert 150 < len(code_lines(algorithm)) <= 190
    assert 200 < len(code_lines(comfort)) <= 300


def test_the_book_says_how_long_both_are(program):
    _, algorithm, comfort = (len(code_lines(part)) for part in parts(program))
    book = " ".join((ROOT / "microgpt.md").read_text(encoding="utf-8").split())
    assert f"| **together** | | {algorithm} |" in book
    assert f"eleven lines of the {algorithm}" in book
    assert "| looking back | [Attention](#attention) | 11 |" in book
    assert (
        f"last part](#a-program-for-others) of this book and take {comfort} lines"
        in book
    )
    assert "test_the_algorithm_runs_when_all_after_it_is_cut_away`" in book


def test_the_algorithm_runs_when_all_after_it_is_cut_away(program, microgpt):
    imports, algorithm, _ = parts(program)
    alone = types.ModuleType("alone")
    exec(compile(imports + algorithm, "alone.py", "exec"), alone.__dict__)
    losses = list(alone.train(small_model(alone), DOCS, 20))
    assert losses == list(microgpt.train(small_model(microgpt), DOCS, 20))
    names = [
        [*each.generate(small_model(each), random.Random(3))]
        for each in (alone, microgpt)
    ]
    assert names[0] == names[1]


def test_import_has_no_side_effects(program, tmp_path):
    """No output, no files, no settings; and nothing but the standard library."""
    code = f"""
import gc, os, random, signal, sys, threading
def state():
    handlers = [signal.getsignal(s) for s in signal.valid_signals()]
    streams = [sys.stdin, sys.stdout, sys.stderr]
    return (gc.isenabled(), handlers, streams, [s.encoding for s in streams],
        random.getstate(), threading.active_count(), os.getcwd(), dict(os.environ),
        sys.getrecursionlimit(), list(sys.argv))
before = state()
sys.path.insert(0, {str(program.folder)!r})
import microgpt
sys.path.pop(0)
assert state() == before
tops = {{name.partition(".")[0] for name in sys.modules}}
new = tops - set(sys.stdlib_module_names) - {{"microgpt", "__main__", "__mp_main__"}}
assert not new, new
"""
    command = [sys.executable, "-I", "-B", "-S", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    assert os.listdir(tmp_path) == []
