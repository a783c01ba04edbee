"""What is measured besides the trials; each function returns what JSON can hold."""

from __future__ import annotations

import math
import random
import statistics
import unicodedata
from collections import Counter
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from types import ModuleType

from experiments.lists import SEED, documents, fresh_model, shuffled, split
from experiments.plain import Plain
from experiments.programs import BOOK, program
from experiments.trials import TRIALS, rounded, start, trained
from labs.shared.hooks import replaced
from labs.shared.start import start as begin
from literate.core.document import parse
from literate.core.modules import output_at

TEMPERATURES = (0.3, 0.5, 0.8, 1.0, 1.5)
SAMPLES = 1000
SMOOTHING = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02)
STRENGTHS = (5, 10, 20, 40, 80)
COUNTED = ("emma", "muhammadmustafa")  # a short and a long name
END = "."  # stands for BOS in the tables of counts


# The ladder: what counting alone can do


def contexts(doc: str, n: int):
    """Yield the n - 1 letters before each letter of a name and its end, and that."""
    text = END * (n - 1) + doc + END
    for i in range(n - 1, len(text)):
        yield text[i - n + 1 : i], text[i]


def ngram(docs: list[str], n: int) -> Counter:
    """Count how often each letter follows each n - 1 letters, and these alone."""
    counts = Counter()
    for doc in docs:
        for before, letter in contexts(doc, n):
            counts[before, letter] += 1
            counts[before] += 1
    return counts


def ngram_loss(counts: Counter, n: int, docs: list[str], smoothing: float) -> float:
    """Return the loss per token of counts to each of which `smoothing` is added."""
    surprises = [
        -math.log((counts[pair] + smoothing) / (counts[pair[0]] + 27 * smoothing))
        for doc in docs
        for pair in contexts(doc, n)
    ]
    return statistics.fmean(surprises)


def tuned_smoothing(docs: list[str], n: int) -> float:
    """Return the smoothing that suits the last fifth of docs best."""
    cut = len(docs) * 4 // 5
    counts = ngram(docs[:cut], n)
    return min(SMOOTHING, key=lambda s: ngram_loss(counts, n, docs[cut:], s))


def mixed_loss(tables: list[Counter], strengths: tuple, docs: list[str]) -> float:
    """Return the loss per token of counts that each lean on the shorter ones.

    To each count is added what the guess from one letter less expects, times a
    strength: where much was counted it weighs little, where nothing was, it is all.
    """
    surprises = []
    for doc in docs:
        rows = zip(*(contexts(doc, n) for n in range(1, len(tables) + 1)))
        for pairs in rows:
            guess = 1 / 27
            for counts, pair, strength in zip(tables, pairs, strengths):
                seen = counts[pair[0]]
                guess = (counts[pair] + strength * guess) / (seen + strength)
            surprises.append(-math.log(guess))
    return statistics.fmean(surprises)


def tuned_strengths(docs: list[str], choices: list[tuple]) -> tuple:
    """Return of some strengths those that suit the last fifth of docs best."""
    cut = len(docs) * 4 // 5
    tables = [ngram(docs[:cut], k) for k in range(1, len(choices[0]) + 1)]
    return min(choices, key=lambda s: mixed_loss(tables, s, docs[cut:]))


def ladder(which: str, steps: int, seed: int = SEED, document: Path = BOOK) -> dict:
    """Return the held-out losses of guessing blindly and of counting.

    Counted are the names that a run of so many steps trains on, as a seed deals them.
    Tuned smoothing is chosen by names that are trained on, never by those held out.
    """
    docs, held_out = split(which, steps, document, seed)
    docs = docs[:steps]
    found = {"uniform": {"add one": rounded(math.log(27), 6)}}
    for n, name in enumerate(("unigram", "bigram", "trigram", "four-gram"), start=1):
        counts, best = ngram(docs, n), tuned_smoothing(docs, n)
        found[name] = {
            "add one": rounded(ngram_loss(counts, n, held_out, 1.0), 6),
            "tuned": rounded(ngram_loss(counts, n, held_out, best), 6),
            "smoothing": best,
            "training": rounded(ngram_loss(counts, n, docs, best), 6),
        }
    best = tuned_strengths(docs, [*product((1,), *[STRENGTHS] * 3)])
    tables = [ngram(docs, n) for n in range(1, 5)]
    found["mixed"] = {
        "strengths": best,
        "training": rounded(mixed_loss(tables, best, docs), 6),
        "tuned": rounded(mixed_loss(tables, best, held_out), 6),
    }
    return found


def merges(which: str, document: Path = BOOK) -> dict:
    """Return which pairs become tokens, and how names that are held out are spelt."""
    _, model = start(TRIALS["pairs as tokens"], which, SEED, document)
    tokenizer, (_, held_out) = model.tokenizer, split(which, 1000, document)

    def pieces(name: str) -> list[str]:
        return [tokenizer.chars[token] for token in tokenizer.encode(name)[1:-1]]

    tokens = sum(len(pieces(name)) for name in held_out)
    return {
        "pairs": ["+".join(pair) for pair in tokenizer.pairs],
        "spelt": {name: pieces(name) for name in held_out[:6]},
        "tokens a letter": rounded(tokens / sum(map(len, held_out))),
    }


# The default run


def default_run(which: str, document: Path = BOOK) -> dict:
    """Return each loss of the program's default run."""
    microgpt, model = start(TRIALS["baseline"], which, SEED, document)
    found = microgpt.train(model, shuffled(which, document), 1000)
    return {"losses": [rounded(loss) for loss in found]}


def checkpoints(which: str, document: Path = BOOK) -> dict:
    """Return train and held-out loss at some steps of the default run."""
    microgpt, model = start(TRIALS["baseline"], which, SEED, document)
    docs, held_out = split(which, 1000, document)
    docs = docs[:1000]
    steps = microgpt.train(model, docs, 1000)
    found, done = {}, 0
    for wanted in (0, 50, 100, 200, 300, 500, 800, 1000):
        for _ in range(wanted - done):
            next(steps)
        done = wanted
        found[str(wanted)] = both_losses(microgpt, model, docs, held_out)
    return found


def both_losses(microgpt: ModuleType, model, docs: list, held_out: list) -> dict:
    """Return the losses on names trained on and on names held out."""
    return {
        "train": rounded(microgpt.loss_per_token(docs, model)),
        "held out": rounded(microgpt.loss_per_token(held_out, model)),
    }


def few_names(which: str, names: int, steps: int, document: Path = BOOK) -> dict:
    """Return both losses of a run that goes round the first few names for long."""
    microgpt, model = start(TRIALS["baseline"], which, SEED, document)
    docs, held_out = split(which, max(steps, 1000), document)
    docs = docs[:names]
    for _ in microgpt.train(model, docs, steps):
        pass
    return {"names": names, "steps": steps} | both_losses(
        microgpt, model, docs[:1000], held_out
    )


def places(
    which: str, steps: int, variant: str | None = None, document: Path = BOOK
) -> dict:
    """Return both losses of a run on the places in Greece, and what it says.

    It is what the command line does with --block-size 24 and --held-out 60.
    """
    microgpt = program(document, variant)
    book = parse(document.read_bytes().decode(), str(document))
    names = microgpt.split_docs(output_at(book, "build/places.txt").text)
    docs, model, rng = begin(microgpt, names, SEED, block_size=24)
    docs, held_out = docs[:-60], docs[-60:]
    for _ in microgpt.train(model, docs, steps):
        pass
    decode = model.tokenizer.decode
    said = [decode(microgpt.generate(model, rng)) for _ in range(200)]
    return both_losses(microgpt, model, docs, held_out) | {
        "said": said[:20],
        "known": sum(name in names for name in said),
        "one accent a word": sum(map(has_one_accent, said)),
        "one accent in the list": sum(map(has_one_accent, names)),
    }


def has_one_accent(name: str) -> bool:
    """Tell whether each word of a Greek name has exactly one letter with an accent."""
    words = unicodedata.normalize("NFD", name).split()
    return all(word.count("\N{COMBINING ACUTE ACCENT}") == 1 for word in words)


# What it says


def sampled(microgpt: ModuleType, model, temperature: float, count: int) -> list[str]:
    """Return some samples, always the same."""
    rng = random.Random(SEED)
    decode = model.tokenizer.decode
    return [decode(microgpt.generate(model, rng, temperature)) for _ in range(count)]


def samples(which: str, document: Path = BOOK) -> dict:
    """Return what a thousand samples at each temperature have in common."""
    microgpt, model = trained(which, 1000, document)
    known = set(documents(which, document))
    seen = set(shuffled(which, document)[:1000])
    found = {}
    for temperature in TEMPERATURES:
        names = sampled(microgpt, model, temperature, SAMPLES)
        found[str(temperature)] = describe(names, known, seen)
    names = shuffled(which, document)[:1000]
    found["trained on"] = {"mean length": rounded(statistics.fmean(map(len, names)))}
    return found


def describe(names: list[str], known: set[str], seen: set[str]) -> dict:
    """Return how new, how different and how long some names are."""
    count = len(names)
    return {
        "new": rounded(sum(name not in known for name in names) / count, 6),
        "trained on": rounded(sum(name in seen for name in names) / count, 6),
        "distinct": rounded(len(set(names)) / count, 6),
        "mean length": rounded(statistics.fmean(map(len, names))),
        "show": names[:10],
    }


def nonsense(which: str, document: Path = BOOK) -> dict:
    """Compare held-out names with the same letters in another order."""
    microgpt, model = trained(which, 1000, document)
    _, held_out = split(which, 1000, document)
    rng = random.Random(SEED)
    pairs = [(name, other_order(name, rng)) for name in held_out[:300]]
    pairs = [(name, other) for name, other in pairs if other]
    found = [[microgpt.loss_per_token([x], model) for x in pair] for pair in pairs]
    real, shuffled_ = zip(*found)
    show = [
        [*pair, *(rounded(loss, 2) for loss in losses)]
        for pair, losses in zip(pairs[:8], found)
    ]
    return {
        "pairs": len(pairs),
        "real": rounded(statistics.fmean(real)),
        "shuffled": rounded(statistics.fmean(shuffled_)),
        "real is likelier": rounded(sum(a < b for a, b in found) / len(found), 6),
        "show": show,
    }


def other_order(name: str, rng: random.Random) -> str:
    """Return the letters of a name in another order, or '' if there is none."""
    if len(set(name)) < 2:
        return ""
    letters = list(name)
    while "".join(letters) == name:
        rng.shuffle(letters)
    return "".join(letters)


def parameters(which: str, document: Path = BOOK) -> dict:
    """Return the trained parameters, matrix by matrix, row by row, in tenths."""
    _, model = trained(which, 1000, document)
    return {
        name: [[round(10 * p.data) for p in row] for row in matrix]
        for name, matrix in model.state_dict.items()
    }


def positions(which: str, document: Path = BOOK) -> dict:
    """Return how far training has moved each row of wpe, on average a number.

    `longest` is the length of the longest name that was trained on: its end stands at
    that position, and no later row was ever used.
    """
    _, model = trained(which, 1000, document)
    microgpt = program(document)
    before = fresh_model(microgpt, which, document=document)
    rows = zip(before.state_dict["wpe"], model.state_dict["wpe"], strict=True)
    docs, _ = split(which, 1000, document)
    return {
        "longest": max(map(len, docs[:1000])),
        "moved": [
            rounded(statistics.fmean(abs(p.data - q.data) for p, q in zip(*row)), 6)
            for row in rows
        ],
    }


def next_letters(which: str, document: Path = BOOK) -> dict:
    """Return the probabilities of the letter after "ma" at each temperature."""
    microgpt, model = trained(which, 1000, document)
    keys, values = model.caches()
    for pos_id, token in enumerate(model.tokenizer.encode("ma")[:-1]):
        logits = microgpt.gpt(token, pos_id, keys, values, model)
    names = [*model.tokenizer.chars, "end"]
    found = {}
    for temperature in TEMPERATURES:
        probs = microgpt.softmax([logit / temperature for logit in logits])
        found[str(temperature)] = dict(zip(names, [rounded(p.data, 6) for p in probs]))
    return found


def stream(which: str, document: Path = BOOK) -> dict:
    """Return the size of the stream, and of what each part adds, on held-out names.

    A size is the root of the mean square of all their numbers. In the forward pass
    `add` is called three times at a position: for the embedding, for what attention
    adds, for what the MLP adds.
    """
    microgpt, model = trained(which, 1000, document)
    _, held_out = split(which, 1000, document)
    calls, add = [], microgpt.add

    def watched(x, y):
        calls.append([statistics.fmean(p.data**2 for p in part) for part in (x, y)])
        return add(x, y)

    with replaced(microgpt, add=watched):
        microgpt.loss_per_token(held_out, model)
    attention, mlp = calls[1::3], calls[2::3]
    squares = {
        "stream": [x for x, _ in attention],
        "attention adds": [y for _, y in attention],
        "between": [x for x, _ in mlp],
        "MLP adds": [y for _, y in mlp],
    }
    return {
        name: rounded(math.sqrt(statistics.fmean(all_)), 3)
        for name, all_ in squares.items()
    }


# What the heads look at


def attention_weights(microgpt: ModuleType, model, doc: str) -> list:
    """Return the weights of each head of the first layer: [head][position][seen]."""
    rows = attention_rows(microgpt, model, doc)
    per_position = model.n_head * model.n_layer
    return [rows[head::per_position] for head in range(model.n_head)]


def attention_rows(microgpt: ModuleType, model, doc: str) -> list[list[float]]:
    """Return all rows of weights over a document, in the order of their making.

    In the forward pass nothing but attention calls softmax: at each position layer
    after layer, and in a layer head after head.
    """
    rows, softmax = [], microgpt.softmax

    def watched(logits):
        probs = softmax(logits)
        rows.append([p.data for p in probs])
        return probs

    with replaced(microgpt, softmax=watched):
        microgpt.mean_loss(model.tokenizer.encode(doc), model)
    return rows


def attention(which: str, steps: int = 1000, document: Path = BOOK) -> dict:
    """Return where each head looks, on held-out names, and what it is worth."""
    microgpt, model = trained(which, steps, document)
    _, held_out = split(which, steps, document)
    weights = {doc: attention_weights(microgpt, model, doc) for doc in held_out}
    without = [loss_without(microgpt, model, h, held_out) for h in range(model.n_head)]
    heads = [
        [(doc, row) for doc, found in weights.items() for row in found[head]]
        for head in range(model.n_head)
    ]
    sarah = attention_weights(microgpt, model, "sarah")
    return {
        "heads": {
            str(head + 1): looks(rows) | {"held out without": rounded(without[head])}
            for head, rows in enumerate(heads)
        },
        "alike": looks([(doc, [1 / len(row)] * len(row)) for doc, row in heads[0]]),
        "held out": rounded(microgpt.loss_per_token(held_out, model)),
        "sarah": [[[rounded(w, 3) for w in row] for row in head] for head in sarah],
    }


def looks(rows: list[tuple[str, list[float]]]) -> dict:
    """Return the mean weights on BOS, itself, the letter before and those earlier.

    Only positions count that have all four: from the third letter on. The weight on
    vowels is the share of the weight on letters that goes to a, e, i, o, u.
    """
    rows = [(doc, row) for doc, row in rows if len(row) >= 4]
    letters = sum(sum(row[1:]) for _, row in rows)
    vowels = sum(w for doc, row in rows for c, w in zip(doc, row[1:]) if c in "aeiou")
    return {
        "BOS": rounded(statistics.fmean(row[0] for _, row in rows), 6),
        "itself": rounded(statistics.fmean(row[-1] for _, row in rows), 6),
        "one before": rounded(statistics.fmean(row[-2] for _, row in rows), 6),
        "earlier": rounded(statistics.fmean(sum(row[1:-2]) for _, row in rows), 6),
        "vowels": rounded(vowels / letters, 6),
    }


def loss_without(microgpt: ModuleType, model, head: int, docs: list[str]) -> float:
    """Return the loss per token when what a head finds is thrown away."""
    size = model.n_embd // model.n_head
    columns = range(head * size, (head + 1) * size)
    matrix = model.state_dict["layer0.attn_wo"]
    kept = [[row[column].data for column in columns] for row in matrix]
    for row in matrix:
        for column in columns:
            row[column].data = 0.0
    loss = microgpt.loss_per_token(docs, model)
    for row, numbers in zip(matrix, kept):
        for column, number in zip(columns, numbers):
            row[column].data = number
    return loss


# Sizes


def graph_size(loss) -> dict:
    """Return how many values lie behind a loss, itself included, and their links."""
    found = {loss}
    fresh = found
    while fresh:
        fresh = {child for value in fresh for child in value._children} - found
        found = found | fresh
    return {"values": len(found), "links": sum(len(v._children) for v in found)}


def counts(which: str, names: Iterable[str] = COUNTED, document: Path = BOOK) -> dict:
    """Return the size of the graph of some names, in both engines."""
    microgpt = program(document)
    model = fresh_model(microgpt, which, document=document)
    plain = Plain(documents(which, document))
    found = {}
    for doc in names:
        ours = graph_size(microgpt.mean_loss(model.tokenizer.encode(doc), model))
        found[doc] = {"program": ours, "plain": graph_size(plain.loss(doc))}
    return found


def gradients(which: str, document: Path = BOOK) -> dict:
    """Return the root mean square of the slopes of each matrix, before and after."""
    microgpt, model = start(TRIALS["baseline"], which, SEED, document)
    docs, _ = split(which, 1000, document)
    before = slope_sizes(microgpt, model, docs[:100])
    for _ in microgpt.train(model, docs, 1000):
        pass
    after = slope_sizes(microgpt, model, docs[:100])
    return {
        name: {
            "start": rounded(before[name], 5),
            "end": rounded(after[name], 5),
            "deviation": rounded(deviation(model.state_dict[name]), 3),
        }
        for name in before
    }


def slope_sizes(microgpt: ModuleType, model, docs: list[str]) -> dict[str, float]:
    """Return, for each matrix, the root mean square of its slopes for single names."""
    squares = Counter()
    for doc in docs:
        for p in model.params():
            p.grad = 0.0
        microgpt.mean_loss(model.tokenizer.encode(doc), model).backward()
        for name, matrix in model.state_dict.items():
            squares[name] += statistics.fmean(p.grad**2 for row in matrix for p in row)
    return {name: math.sqrt(total / len(docs)) for name, total in squares.items()}


def deviation(matrix: list) -> float:
    """Return the root mean square of the numbers in a matrix."""
    return math.sqrt(statistics.fmean(p.data**2 for row in matrix for p in row))


def facts(which: str, document: Path = BOOK) -> dict:
    """Return plain facts about a list."""
    names = documents(which, document)
    first = shuffled(which, document)[:1000]
    return {
        "names": len(names),
        "different names": len(set(names)),
        "different among the first 1,000": len(set(first)),
        "share seen in 1,000 steps": rounded(1000 / len(names), 3),
        "longest": max(map(len, names)),
        "mean length": rounded(statistics.fmean(map(len, names))),
        "tokens": sum(len(name) + 1 for name in names),
    }
