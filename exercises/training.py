"""Exercises of part IV, Training."""

from __future__ import annotations

import random
from collections.abc import Iterator
from types import ModuleType

from exercises.marking import (
    Mark,
    agree,
    equal,
    exercise,
    get,
    near,
    plain_softmax,
    said_by,
    short,
)


@exercise(
    "nudge",
    '''
from microgpt import mean_loss

def worst(tokens, model, params):
    """Return the largest relative difference between grad and a nudge's slope."""
    return 0
''',
)
def _nudge(names: dict, program: ModuleType) -> Iterator[Mark]:
    worst = get(names, "worst")
    model, tokens = _small_model(program), [4, 12, 12, 0]
    tokens = [model.tokenizer.bos, *tokens, model.tokenizer.bos]
    asleep = model.state_dict["wte"][25][0]  # z is not in emma
    program.mean_loss(tokens, model).backward()
    awake = [p for row in model.state_dict["layer0.mlp_fc1"] for p in row if p.grad]
    params = [*awake[:6], *model.state_dict["lm_head"][0], asleep]
    before = [p.data for p in params]
    hint = "set the slopes to 0, go backwards once, and let the nudge be small"
    found = worst(tokens, model, params)
    ok = isinstance(found, float) and 0 < found < 1e-3
    yield Mark(ok, "the slopes of a whole model are right", short(found), hint)
    ok = [p.data for p in params] == before
    came = "all are as before" if ok else "some are not as they were before"
    yield Mark(ok, "each parameter is put back after its nudge", came)
    relu = program.Value.relu
    program.Value.relu = lambda x: x * 2.0 * (x.data > 0) - max(0.0, x.data)
    try:
        found = worst(tokens, model, params)
    finally:
        program.Value.relu = relu
    ok = isinstance(found, float) and found > 0.3
    hint = "divide each difference by the slope, and return the largest"
    yield Mark(ok, "a ReLU with a wrong slope is found out", short(found), hint)


def _small_model(program: ModuleType):
    """Return a model that is quick to go through, with slopes left over in it."""
    letters = program.Tokenizer("abcdefghijklmnopqrstuvwxyz")
    model = program.Model(letters, n_embd=8).randomize(random.Random(1))
    for p in model.params():
        p.grad = 1.0
    return model


@exercise(
    "overfit",
    """
import random
from microgpt import Model, Tokenizer, train

letters = Tokenizer("abcdefghijklmnopqrstuvwxyz")
model = Model(letters).randomize(random.Random(42))

# Fifty losses of a model that sees "emma" and nothing else
losses = []
""",
)
def _overfit(names: dict, program: ModuleType) -> Iterator[Mark]:
    losses = get(names, "losses", "list")
    if not isinstance(losses, list | tuple):
        yield Mark(
            False, "losses is a list", "train yields its losses; make a list of it"
        )
        return
    yield equal("fifty steps", len(losses), 50, "train takes the number of steps")
    if not losses or not all(isinstance(loss, float) for loss in losses):
        return
    yield Mark(
        losses[0] > 2.5, "it begins like someone who guesses", f"{losses[0]:.2f}"
    )
    hint = "" if losses[-1] < 0.1 else ": did it see one name only?"
    came = f"the last loss is {losses[-1]:.2f}{hint}"
    yield Mark(losses[-1] < 0.1, "it ends knowing the name by heart", came)


@exercise(
    "batch",
    '''
from microgpt import mean_loss

def batch_slopes(batch, model):
    """Return the slope of the batch's mean loss against each parameter."""
    return [0.0 for p in model.params()]
''',
)
def _batch(names: dict, program: ModuleType) -> Iterator[Mark]:
    batch_slopes = get(names, "batch_slopes")
    for words in (["emma"], ["emma", "olivia", "ava"]):
        model = _small_model(program)
        batch = [model.tokenizer.encode(word) for word in words]
        got = batch_slopes([*batch], model)
        for p in model.params():
            p.grad = 0.0
        for tokens in batch:
            program.mean_loss(tokens, model).backward()
        total = [p.grad for p in model.params()]
        wanted = [slope / len(batch) for slope in total]
        slips = [
            ("this is the sum; divide by the number of names", total),
            ("there were slopes in grad before you came", [g + 1 for g in wanted]),
        ]
        is_list = isinstance(got, list) and len(got) == len(wanted)
        what = f"the slopes for {' and '.join(words)}"
        if is_list and agree(got, wanted):
            yield Mark(True, what, f"all {len(got)} agree")
            continue
        hint = next((words for words, slip in slips if agree(got, slip)), "")
        came = "not those that backward finds" if is_list else short(got)
        yield Mark(False, what, came, hint or "one number for each of model.params()")


@exercise(
    "temperature",
    '''
import math

def guess(scores, temperature):
    """Return the probabilities of plain numbers at a temperature."""
    return scores
''',
)
def _temperature(names: dict, program: ModuleType) -> Iterator[Mark]:
    guess = get(names, "guess")
    scores = [2.0, 1.0, 0.5]
    for temperature in (1, 0.5, 2, 100, 0.01, 0.001):
        wanted = plain_softmax(program, [score / temperature for score in scores])
        what = f"2, 1 and 0.5 at temperature {temperature}"
        try:
            got = guess([*scores], temperature)
        except OverflowError as error:
            came = f"{said_by(error)}: take the largest score off all of them first"
            yield Mark(False, what, came)
            continue
        multiplied = plain_softmax(program, [score * temperature for score in scores])
        slips = [
            ("scores are divided by the temperature, not multiplied", multiplied),
            ("the temperature is not used yet", plain_softmax(program, scores)),
        ]
        yield near(what, got, wanted, slips=slips)


@exercise(
    "top-k",
    '''
def top_k(probabilities, k):
    """Keep the k likeliest, so that they sum to 1; make all others 0."""
    return probabilities
''',
)
def _top_k(names: dict, program: ModuleType) -> Iterator[Mark]:
    top_k = get(names, "top_k")
    for probabilities, k, kept in (
        ([0.5, 0.3, 0.2], 2, [0.5, 0.3, 0.0]),
        ([0.1, 0.6, 0.2, 0.06, 0.04], 1, [0.0, 0.6, 0.0, 0.0, 0.0]),
        ([0.1, 0.6, 0.2, 0.06, 0.04], 3, [0.1, 0.6, 0.2, 0.0, 0.0]),
        ([0.25, 0.75], 2, [0.25, 0.75]),
    ):
        wanted = [p / sum(kept) for p in kept]
        slips = [
            ("what is left has to sum to 1: divide by its sum", kept),
            ("the places stay as they are", sorted(wanted, reverse=True)),
        ]
        what = f"the {k} likeliest of {short(probabilities)}"
        yield near(what, top_k([*probabilities], k), wanted, slips=slips)
