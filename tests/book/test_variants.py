"""Do the variants of "What newer models changed" compute what the chapter says?

Each is compared with a calculation on plain numbers that knows nothing of it.
"""

import cmath
import math
import random
from collections import Counter
from itertools import pairwise

import pytest

from experiments.programs import program
from experiments.trials import TRIALS, start

LETTERS = "abcdefghijklmnopqrstuvwxyz"
NAMES = ["emma", "olivia", "muhammad", "ana"]
NEW = [trial.variant for trial in TRIALS.values() if trial.variant]
NEW = dict.fromkeys(NEW[NEW.index("rope") :])


def fresh(variant, seed=1, **sizes):
    """Return a variant of the program and a model that begins with bolder numbers."""
    code = program(variant=variant)
    reads_names = variant == "pairs"
    tokenizer = code.Tokenizer(NAMES if reads_names else LETTERS)
    model = code.Model(tokenizer, **sizes).randomize(random.Random(seed))
    for p in model.params():
        p.data *= 4
    return code, model


def numbers(vector):
    return [x.data for x in vector]


def values(code, count, seed=3):
    rng = random.Random(seed)
    return [code.Value(rng.gauss(0, 1)) for _ in range(count)]


def logits(code, model, word):
    """Return the logits after each token of a word."""
    caches = model.caches()
    tokens = model.tokenizer.encode(word)[:-1]
    return [
        numbers(code.gpt(token, place, *caches, model))
        for place, token in enumerate(tokens)
    ]


@pytest.mark.parametrize("variant", NEW)
def test_the_slopes_of_a_variant_are_right(variant):
    """A small push at a parameter changes the loss as its slope says."""
    code, model = fresh(variant, n_layer=2)
    tokens = model.tokenizer.encode("emma")
    code.mean_loss(tokens, model).backward()
    for name, matrix in model.state_dict.items():
        p = matrix[tokens[1] if name == "wte" else 1][1]
        at = []
        for push in (1e-6, -2e-6):
            p.data += push
            at.append(code.mean_loss(tokens, model).data)
        p.data += 1e-6
        assert p.grad == pytest.approx((at[0] - at[1]) / 2e-6, rel=1e-6, abs=1e-8), name


@pytest.mark.parametrize("variant", NEW)
def test_the_command_line_trains_and_speaks(variant, tmp_path, capsys):
    names = tmp_path / "names.txt"
    names.write_text("\n".join(NAMES * 3))
    options = ["--steps=3", "--samples=2", "--n-embd=8", "--held-out=2"]
    assert program(variant=variant).main(["--input", str(names), *options]) == 0
    printed = capsys.readouterr()
    assert printed.out.count("loss") == 3 and "sample  2: " in printed.out
    assert "held-out loss" in printed.err


def test_rotary_positions_turn_pairs_as_complex_numbers_do():
    code, _ = fresh("rope")
    x = values(code, 8)
    turned = numbers(code.rotate(x, 5))
    for i, speed in enumerate([1, 0.1, 0.01, 0.001]):
        pair = complex(x[2 * i].data, x[2 * i + 1].data)
        found = complex(*turned[2 * i : 2 * i + 2])
        assert found == pytest.approx(pair * cmath.exp(5j * speed), abs=1e-12)


def test_rotary_positions_see_distances_only():
    code, model = fresh("rope")
    for p in [p for row in model.state_dict["wpe"] for p in row]:
        p.data = math.nan  # which nobody looks at
    q, k = values(code, 4), values(code, 4, seed=4)

    def score(here, there):
        return code.linear(code.rotate(q, here), [code.rotate(k, there)])[0].data

    assert score(9, 7) == pytest.approx(score(5, 3), abs=1e-12)
    assert score(9, 7) != pytest.approx(score(9, 6), abs=1e-3)
    first, second = logits(code, model, "abc"), logits(code, model, "bac")
    assert not math.isnan(first[0][0])
    assert first[3] != pytest.approx(second[3], abs=1e-3)  # the order is seen


def test_shared_keys_and_values_are_full_ones_that_repeat():
    code, model = fresh("grouped-queries")
    whole, full = fresh(None)
    for name, matrix in model.state_dict.items():
        rows = [[whole.Value(p.data) for p in row] for row in matrix]
        if name in ("layer0.attn_wk", "layer0.attn_wv"):
            assert len(rows) == 8
            rows = [*rows[:4], *rows[:4], *rows[4:], *rows[4:]]
        full.state_dict[name] = rows
    expected = logits(whole, full, "emma")
    for found, row in zip(logits(code, model, "emma"), expected, strict=True):
        assert found == pytest.approx(row, abs=1e-12)


def test_swiglu_is_gate_times_silu():
    code, model = fresh("swiglu")
    shapes = model.shapes()
    assert shapes["layer0.mlp_gate"] == shapes["layer0.mlp_fc1"] == (42, 16)
    matrices = {n: [numbers(r) for r in m] for n, m in model.state_dict.items()}

    def times(name, x):
        rows = matrices[name]
        return [math.fsum(a * b for a, b in zip(row, x, strict=True)) for row in rows]

    def norm(x):
        scale = (math.fsum(a * a for a in x) / len(x) + 1e-5) ** -0.5
        return [a * scale for a in x]

    bos = model.tokenizer.bos
    x = norm([a + b for a, b in zip(matrices["wte"][bos], matrices["wpe"][0])])
    found = times("layer0.attn_wv", norm(x))  # one position: it sees itself alone
    x = [a + b for a, b in zip(x, times("layer0.attn_wo", found))]
    gates = [g / (1 + math.exp(-g)) for g in times("layer0.mlp_gate", norm(x))]
    hidden = [g * h for g, h in zip(gates, times("layer0.mlp_fc1", norm(x)))]
    x = [a + b for a, b in zip(x, times("layer0.mlp_fc2", hidden))]
    assert logits(code, model, "")[0] == pytest.approx(times("lm_head", x), abs=1e-12)


def test_weight_decay_shrinks_beside_adam():
    code, model = fresh("weight-decay")
    whole, twin = fresh(None)
    before = numbers(twin.params())
    tokens = model.tokenizer.encode("emma")
    code.learn(tokens, model, code.Adam(model.params()), 0.02)
    whole.learn(tokens, twin, whole.Adam(twin.params()), 0.02)
    expected = [p.data - 0.02 * 0.1 * b for p, b in zip(twin.params(), before)]
    assert numbers(model.params()) == pytest.approx(expected, abs=1e-12)


def test_a_batch_has_the_slopes_of_the_mean_loss():
    code, model = fresh("batch")
    batch = [model.tokenizer.encode(name) for name in NAMES]
    loss = sum(code.mean_loss(tokens, model) for tokens in batch) / 4
    loss.backward()
    expected = [p.grad for p in model.params()]
    found = code.learn(batch, model, code.Adam(model.params()), 1e-9)
    assert found == pytest.approx(loss.data, abs=1e-12)
    assert [p.grad for p in model.params()] == pytest.approx(expected, abs=1e-9)


def test_a_batch_takes_the_next_four_documents_and_goes_round(monkeypatch):
    code, model = fresh("batch")
    seen = []
    decode = model.tokenizer.decode
    monkeypatch.setattr(
        code, "learn", lambda batch, *_: seen.extend(decode(b[1:-1]) for b in batch)
    )
    docs = [*"abcdef"]

    class Counted:
        steps = 0

    list(code.train(model, docs, 3, adam=Counted))
    assert "".join(seen) == "abcdefabcdef"


def test_pairs_are_merged_as_byte_pair_encoding_says():
    trial = TRIALS["pairs as tokens"]
    code, model = start(trial, "own")
    tokenizer = model.tokenizer
    texts = [list(name) for name in code.split_docs(code.names)]
    random.Random(42).shuffle(texts)
    texts, held_out = texts[:1000], texts[2000:]
    merged = []
    for _ in range(24):
        counts = Counter(p for text in texts for p in pairwise(text))
        best = sorted(counts, key=lambda pair: (-counts[pair], pair))[0]
        merged.append("".join(best))
        for text in texts:
            for i in range(len(text) - 1):
                if tuple(text[i : i + 2]) == best:
                    text[i : i + 2] = ["".join(best)]
    assert tokenizer.chars == [*LETTERS, *merged]
    assert tokenizer.vocab_size == 51 == len(tokenizer.ids) + 1
    random.Random(42).shuffle(docs := code.split_docs(code.names))
    for name, text in zip(docs[:1000], texts, strict=True):
        assert [tokenizer.chars[t] for t in tokenizer.encode(name)[1:-1]] == text
    for name in held_out:
        assert tokenizer.decode(tokenizer.encode("".join(name))[1:-1]) == "".join(name)


def test_the_loss_of_pairs_is_for_each_letter():
    code, model = fresh("pairs")
    surprise = 0.0
    for name in NAMES:
        tokens = model.tokenizer.encode(name)
        for guess, token in zip(logits(code, model, name), tokens[1:], strict=True):
            surprise += math.log(math.fsum(map(math.exp, guess))) - guess[token]
    found = code.loss_per_token(NAMES, model)
    assert found == pytest.approx(surprise / len("emmaoliviamuhammadana...."))
    assert max(map(len, map(model.tokenizer.encode, NAMES))) <= model.block_size
