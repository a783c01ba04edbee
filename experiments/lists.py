"""The two lists of names, and which names are held out of training.

`own` is the book's list, `published` is the list that the original was measured
with; it is not in the repository, and what needs it is left out where it is absent.

A seed deals the names and draws the parameters, as the program does it, so that a run
of 1,000 steps with seed 42 *is* the default run of the program. Of the own list the
last 600 names are held out of everything, and a run may go round the first 2,000 as
often as it has steps. Of the published list a run of n steps trains on the first n
names, and the next 1,000 are held out; a run that takes several names a step goes on
behind these. With seed 42 this choice gives the published numbers of the ladder to the
last digit (add-one smoothing: 2.837, 2.518, 2.564); 5 of these 1,000 names also stand
among the first 1,000, because the list repeats some names.
"""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from types import ModuleType

from experiments.programs import BOOK, ROOT, program
from labs.shared.start import SEED, start

PUBLISHED = ROOT.parent / "shared" / "data" / "names.txt"
OWN_TRAINING = 2000
PUBLISHED_HELD_OUT = 1000


@cache
def documents(which: str, document: Path = BOOK) -> list[str]:
    """Return the names of the `own` or the `published` list, in the file's order."""
    microgpt = program(document)
    if which == "own":
        return microgpt.split_docs(microgpt.names)
    return microgpt.split_docs(PUBLISHED.read_text(encoding="utf-8"))


@cache
def shuffled(which: str, document: Path = BOOK, seed: int = SEED) -> list[str]:
    """Return the names in the order in which the program learns from them."""
    names = list(documents(which, document))
    random.Random(seed).shuffle(names)
    return names


def split(
    which: str, steps: int, document: Path = BOOK, seed: int = SEED
) -> tuple[list, list]:
    """Return the names to train on for a number of steps, and those held out."""
    return cut(shuffled(which, document, seed), which, steps)


def cut(names: list[str], which: str, steps: int) -> tuple[list, list]:
    """Return of shuffled names those to train on, and those held out."""
    if which == "own":
        return names[:OWN_TRAINING], names[OWN_TRAINING:]
    end = steps + PUBLISHED_HELD_OUT
    return names[:steps] + names[end:], names[steps:end]


def fresh_model(
    microgpt: ModuleType,
    which: str,
    seed: int = SEED,
    document: Path = BOOK,
    tokenizer=None,
    **sizes: int,
):
    """Return a model as the program makes it, before it has learned anything.

    The generator that draws its parameters has shuffled the names before. Where no
    tokenizer is given it is one of letters.
    """
    return start(microgpt, documents(which, document), seed, tokenizer, **sizes)[1]
