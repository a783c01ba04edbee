"""How the program begins: the one place that says it for labs and experiments."""

from __future__ import annotations

import random
from types import ModuleType

SEED = 42  # the program's


def start(
    program: ModuleType,
    docs: list[str],
    seed: int = SEED,
    tokenizer=None,
    **sizes: int,
):
    """Return documents, model and random numbers as a program has them at step 1.

    The documents are shuffled, and the model has random parameters, in the order in
    which the program draws them. Raises ValueError if the sizes do not fit together.
    """
    rng = random.Random(seed)
    docs = [*docs]
    rng.shuffle(docs)
    model = program.Model(tokenizer or program.Tokenizer("".join(docs)), **sizes)
    return docs, model.randomize(rng), rng
