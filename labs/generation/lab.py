"""Sampling's lab: names drawn letter by letter, and what each letter was drawn from."""

from __future__ import annotations

import functools
import random
from itertools import accumulate

import microgpt

from labs import LabError
from labs.shared import fields, hooks, models, runs
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
    seed = fields.number("seed", seed, microgpt.count, "a whole number, such as 42")
    models.check_text(prompt, chosen)
    if not 1 <= count <= MOST or not 0 <= drawn <= FURTHEST:
        raise LabError(
            f"Between 1 and {MOST} names can be drawn at a time, and not too many "
            "after one another. Go back to the start."
        )
    rng = NotedRandom(seed)
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


class NotedRandom(random.Random):
    """Random numbers; `draws` has what was chosen with them, see `_name`."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.draws: list[dict] = []

    def random(self) -> float:
        """Return the next number, at least 0 and below 1."""
        self.number = super().random()
        return self.number

    def choices(self, tokens: range, weights: list[float]) -> list[int]:
        """Return one of the tokens, as the program asks for it."""
        [token] = chosen = super().choices(tokens, weights)
        between = [0.0, *accumulate(weights)][token : token + 2]
        draw = {"token": token, "random": self.number, "probs": weights}
        self.draws.append({**draw, "between": between})
        return chosen


def _name(model, rng: NotedRandom, temperature: float, prompt: str) -> dict:
    """Return a name's `text` and `draws`.

    A draw has the `token`; the `random` number that chose it; `probs`, the
    probabilities that it was drawn from, and `plain`, those at temperature 1; and
    `between`, what the probabilities before the token add up to, without and with it.
    """
    rng.draws = []
    given = model.tokenizer.encode(prompt)[1:-1]
    trouble = microgpt.saying("cannot sample from this model")
    noted = hooks.logits_noted(microgpt)
    with microgpt.collector_paused(), trouble, noted as logits:
        tokens = list(microgpt.generate(model, rng, temperature, given))
    for draw, plain in zip(rng.draws, runs.probabilities(logits[len(given) :])):
        draw["plain"] = plain
    return {"text": prompt + model.tokenizer.decode(tokens), "draws": rng.draws}


@functools.cache
def _listed() -> set[str]:
    return {*models.names()}


@functools.cache
def _seen() -> set[str]:
    return {*start(microgpt, models.names())[0][:STEPS]}
