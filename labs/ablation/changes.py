"""What can be changed in the program to see what each part is worth.

Both the lab and the experiments behind the book's tables read this.
"""

from __future__ import annotations

from typing import NamedTuple

RATE = 0.01  # the learning rate that the program begins with


class Change(NamedTuple):
    """One thing that is different: a variant of the book, and what it means."""

    variant: str
    words: str
    learning_rate: float = RATE


CHANGES = {
    "no attention": Change(
        "no-attention", "each position knows only its own letter and its place"
    ),
    "no MLP": Change("no-mlp", "only attention adds to the stream"),
    "no norms": Change("no-norms", "numbers keep whatever size they happen to have"),
    "no first norm": Change("no-first-norm", "only the embeddings keep their size"),
    "no residuals": Change(
        "no-residuals", "each part replaces what was there instead of adding to it"
    ),
    "no positions": Change(
        "no-positions", "a letter looks the same wherever it stands"
    ),
    "letters only": Change(
        "letters-only", "a letter knows itself, and neither place nor letters before"
    ),
    "no √d": Change("no-scale", "the scores of attention are twice as large"),
    "tied head": Change(
        "tied-head", "a token is scored by the same row that embeds it"
    ),
    "SGD, rate 0.5": Change(
        "sgd", "plain gradient descent, with a rate that suits it", 0.5
    ),
    "SGD, rate 0.01": Change("sgd", "plain gradient descent, with Adam's rate"),
    "no decay": Change("no-decay", "the learning rate stays where it began"),
}
