"""The workshop: the program with a reader's chunks trains beside the book's.

Both begin with the same seed and see the same names. The training that goes on is the
module's only state.
"""

from __future__ import annotations

from exercises.edits import Mistake, text_of
from labs import LabError
from labs.shared.book import book
from labs.shared.pairs import Pair

STEPS = 100
SAMPLES = 5


def chunk(line: int) -> dict:
    """Return the `name` and the `text` of the chunk with a piece at a line.

    `book` is the text in the default program, which differs in a variant.
    """
    for each in book().chunks.values():
        for piece in each.all_pieces():
            if piece.line == line:
                own, default = each.pieces_in(piece.variant), each.pieces
                text, in_book = text_of(book(), own), text_of(book(), default)
                return {"name": each.name, "text": text, "book": in_book}
    raise LabError("The book has changed since. Reload the page.")


_now: list[Pair] = []  # the pair that is in training, if any


def begin(edits: dict[str, str]) -> dict:
    """Tangle the reader's program, and get ready to train it beside the book's.

    `edits` are the chunks that differ from the book's, by name. Returns `mistakes`,
    empty if there are none (see Mistake), and the number of `steps` to come.
    """
    _now.clear()
    try:
        _now.append(Pair(edits, STEPS))
    except Mistake as mistake:
        return {"mistakes": mistake.places, "steps": 0}
    return {"mistakes": [], "steps": STEPS}


def step() -> dict:
    """Train both programs for a step.

    Returns `step`, from 1; the `loss` and the `mean` of the last losses of `book` and
    `yours`; whether all losses so far are the `same`; what yours `printed`; `mistakes`
    (see Mistake); and `done`.
    """
    if not _now:
        raise LabError("This training is over. Begin it again.")
    pair = _now[0]
    start = len(pair.screen.shown())
    try:
        with pair.watched():
            yours = pair.yours.step()
    except Mistake as mistake:
        _now.clear()
        printed = pair.screen.shown()[start:]
        return {"mistakes": mistake.places, "printed": printed, "done": True}
    book = pair.book.step()
    pair.steps += 1
    pair.is_same &= yours["loss"] == book["loss"]
    return {
        "step": pair.steps,
        "book": book,
        "yours": yours,
        "same": pair.is_same,
        "printed": pair.screen.shown()[start:],
        "mistakes": [],
        "done": pair.steps == STEPS,
    }


def samples() -> dict:
    """Return names that both programs make up: `book`, `yours`, and `mistakes`."""
    if not _now:
        raise LabError("This training is over. Begin it again.")
    pair = _now.pop()
    book = pair.book.samples(SAMPLES)
    try:
        with pair.watched():
            return {"book": book, "yours": pair.yours.samples(SAMPLES), "mistakes": []}
    except Mistake as mistake:
        return {"book": book, "yours": [], "mistakes": mistake.places}
