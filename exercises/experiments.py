"""Exercises of part V, Experiments."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import ModuleType

from exercises.edits import EditedBook, Mistake, text_of
from exercises.marking import Mark, agree, exercise, get, near, said_by, short


@exercise(
    "unigram",
    '''
import math
from collections import Counter
from microgpt import Tokenizer

letters = Tokenizer("abcdefghijklmnopqrstuvwxyz")

def unigram(names, name):
    """Return the loss of a name for who has only counted the tokens of names."""
    return 0
''',
)
def _unigram(names: dict, program: ModuleType) -> Iterator[Mark]:
    unigram = get(names, "unigram")
    letters = program.Tokenizer("abcdefghijklmnopqrstuvwxyz")
    seen = ["anna", "emma", "olivia"]
    counts: Counter = Counter()
    for each in seen:
        counts.update(letters.encode(each)[1:])
    total = sum(counts.values())
    for name in ("ana", "mia", "xyz"):
        tokens = letters.encode(name)[1:]

        def mean(one: int, size: int, tokens: list[int] = tokens) -> float:
            found = [(counts[t] + one) / (total + one * size) for t in tokens]
            return sum(-math.log(p) for p in found) / len(found) if all(found) else 0.0

        what, wanted = f"“{name}”, after three names", mean(1, 27)
        try:
            got = unigram([*seen], name)
        except (ValueError, ZeroDivisionError) as error:
            came = (
                f"{said_by(error)}: a letter that never occurred; add 1 to each count"
            )
            yield Mark(False, what, came)
            continue
        slips = [
            ("add 1 to each count", mean(0, 27)),
            ("there are 27 tokens, with BOS", mean(1, 26)),
            ("take the mean over the tokens", wanted * len(tokens)),
        ]
        is_loss = isinstance(got, float) and got > 0
        hint = "the end of a name, BOS, is guessed as well; its start is not" * is_loss
        yield near(what, got, wanted, hint, slips)


_SQUARED = "Think with a hidden layer"


@exercise("squared-relu", "", _SQUARED)
def _squared_relu(names: dict, program: ModuleType) -> Iterator[Mark]:
    book, home = names["book"], Path(program.__file__).parent
    right = text_of(book, book.chunks[_SQUARED].variants["squared-relu"])
    losses = []
    for edits in ({}, {_SQUARED: names["text"]}, {_SQUARED: right}):
        try:
            losses.append(_first_losses(EditedBook(book, edits).load(home)))
        except Mistake as mistake:
            place = mistake.places[0]
            where = f"line {place['line']}: " if place["chunk"] == _SQUARED else ""
            yield Mark(False, "the tangler accepts the chunk", where + place["message"])
            return
    yield Mark(True, "the tangler accepts the chunk", "it trains")
    before, got, wanted = losses
    came = f"losses {short(got)}"
    if got == before:
        came += ", as before: nothing that it computes has changed"
    elif not agree(got, wanted):
        came += f", and should be {short(wanted)}: is the positive part squared?"
    yield Mark(agree(got, wanted), "the first three losses", came)


def _first_losses(program: ModuleType) -> list[float]:
    """Return what a program prints as the first three losses of a hundred."""
    names = Path(program.__file__).with_name("names.txt")
    options = program.parse(["--input", str(names), "--steps", "100"])
    docs, model, _ = program.begin(options)
    losses = program.train(model, docs, options.steps, options.learning_rate)
    return [*islice(losses, 3)]
