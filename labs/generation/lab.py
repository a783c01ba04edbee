"""Sampling's lab: names drawn letter by letter, and what each letter was drawn from."""

from __future__ import annotations

import contextlib
import functools
import random
from collections.abc import Iterator
from itertools import accumulate

import microgpt

from labs import LabError
from labs.shared import fields, hooks, models
from labs.shared.start import start

MOST = 20  # names at a time
FURTHEST = 1_000_000  # random numbers that may have been used before
STEPS = 1000  # documents that the trained model saw, one a step


def names(
    model: str = "trained",
    temperature: float | str = 0.5,
    seed: int | str = 42,
    prompt: str = "",
    count: int = 10,
    drawn: int = 0,
) -> dict:
    """Return names that the program generates, with each draw.

    The random numbers are those of `random.Random(seed)`, without the first `drawn`,
    which earlier names have used: one for each token. The answer has `tokens`, the
    texts of all tokens; `given`, the length of the prompt; `drawn`, how many numbers
    are used now; and `names`. Each name has its `text`, of which the prompt is a part;
    `listed`, whether it stands in the book's list; `seen`, whether it was among the
    documents of the training, null if that is not known; and `draws`, the last of which
    is BOS unless all positions were used.
    Raises LabError if an argument cannot be used.
    """
    chosen = models.model(model)
    temperature = fields.number(
        "temperature", temperature, microgpt.positive, "a positive number, such as 0.5"
    )
    seed = fields.number("seed", seed, microgpt.whole, "a whole number, such as 42")
    models.check_text(prompt, chosen)
    if not 1 <= count <= MOST or not 0 <= drawn <= FURTHEST:
        raise LabError(
            f"Between 1 and {MOST} names can be drawn at a time, and not too many "
            "after one another. Go back to the start."
        )
    rng = Watched(seed)
    for _ in range(drawn):
        rng.random()
    found = [_name(chosen, rng, temperature, prompt) for _ in range(count)]
    for name in found:
        name["listed"] = name["text"] in _listed()
        name["seen"] = name["text"] in _seen() if model == "trained" else None
    return {
        "tokens": models.tokens_of(chosen),
        "given": len(prompt),
        "drawn": drawn + sum(len(name["draws"]) for name in found),
        "names": found,
    }


class Watched(random.Random):
    """Random numbers; `notes` is called with each one that is given out."""

    notes = staticmethod(lambda number: None)

    def random(self) -> float:
        """Return the next number, at least 0 and below 1."""
        number = super().random()
        self.notes(number)
        return number


def _name(model, rng: Watched, temperature: float, prompt: str) -> dict:
    """Return a name's `text` and `draws`.

    A draw has the `token`; the `random` number that chose it; `probs`, the
    probabilities that it was drawn from, and `plain`, those at temperature 1; and
    `between`, what the probabilities before the token add up to, without and with it.
    """
    draws = []
    given = model.tokenizer.encode(prompt)[1:-1]
    trouble = microgpt.saying("cannot sample from this model")
    with microgpt.collector_paused(), trouble, _watching() as latest:
        rng.notes = lambda number: draws.append({"random": number, **latest()})
        tokens = list(microgpt.generate(model, rng, temperature, given))
    rng.notes = Watched.notes
    ends = [model.tokenizer.bos] * (len(draws) - len(tokens))
    for draw, token in zip(draws, [*tokens, *ends]):
        sums = [0.0, *accumulate(draw["probs"])]
        draw |= {"token": token, "between": sums[token : token + 2]}
    return {"text": prompt + model.tokenizer.decode(tokens), "draws": draws}


@contextlib.contextmanager
def _watching() -> Iterator:
    """Let the block ask for what the program's softmax returned last.

    What is given returns `probs`, these probabilities, and `plain`, the program's
    softmax of the logits that its gpt returned last.
    """
    gpt, softmax = microgpt.gpt, microgpt.softmax
    logits, probs = [], []

    def watched_gpt(*arguments):
        logits[:] = gpt(*arguments)
        return [*logits]

    def watched_softmax(scores):
        probs[:] = softmax(scores)
        return [*probs]

    def latest() -> dict:
        plain = softmax(logits)
        return {"probs": [p.data for p in probs], "plain": [p.data for p in plain]}

    with hooks.replaced(microgpt, gpt=watched_gpt, softmax=watched_softmax):
        yield latest


@functools.cache
def _listed() -> set[str]:
    return {*models.names()}


@functools.cache
def _seen() -> set[str]:
    return {*start(microgpt, models.names())[0][:STEPS]}
