"""Trains the program that lies beside it, and records what one would see of it.

It is the run that the program prints with its own names and its own seed. After some
of its steps, at the same random numbers each time, the model makes up names and says
what it expects after a letter: so one sees the same draws turn into names.
"""

import gc
import json
import random
import sys
from pathlib import Path

from microgpt import Model, Tokenizer, generate, gpt, softmax, split_docs, train

STEPS = 1000
LOOKS = 40  # the squares of 0 to 40 fall where most is learned: among the first steps
STOPS = [round(STEPS * (i / LOOKS) ** 2) for i in range(LOOKS + 1)]
DRAWS = range(6)  # a seed for each name: the first, good or bad
BEFORE = "m"


def record() -> dict:
    """Return the losses, and for each stop the names and the guess in percent."""
    docs = split_docs(Path("names.txt").read_text(encoding="utf-8"))
    rng = random.Random(42)
    rng.shuffle(docs)
    model = Model(Tokenizer("".join(docs))).randomize(rng)
    losses, looks = [], [_look(model)]
    for loss in train(model, docs, STEPS):
        losses.append(round(loss, 4))
        if len(losses) in STOPS:
            looks.append(_look(model))
    return {
        "tokens": model.tokenizer.chars,
        "before": BEFORE,
        "losses": losses,
        "stops": STOPS,
        "names": [names for names, _ in looks],
        "guesses": [guess for _, guess in looks],
    }


def _look(model: Model) -> tuple[list[str], list[int]]:
    decode, encode = model.tokenizer.decode, model.tokenizer.encode
    names = [decode(list(generate(model, random.Random(seed)))) for seed in DRAWS]
    keys, values = model.caches()
    for position, token in enumerate(encode(BEFORE)[:-1]):
        logits = gpt(token, position, keys, values, model)
    return names, [round(100 * p.data) for p in softmax(logits)]


if __name__ == "__main__":
    gc.disable()  # what a step leaves is freed without it
    Path(sys.argv[1]).write_text(json.dumps(record()), encoding="utf-8")
