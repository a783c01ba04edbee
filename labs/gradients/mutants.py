"""Programs whose backward pass is wrong, though they train.

Both the lab and the experiments behind the book's tables read this.
"""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """A variant of the book with wrong slopes, and what is wrong with them."""

    variant: str
    words: str


MUTANTS = {
    "detached cache": Mutant(
        "detached-cache", "keys and values of earlier positions hand no slopes back"
    ),
    "norm off the graph": Mutant(
        "norm-off-graph", "the scale of a norm counts as a number that was given"
    ),
    "doubled ReLU": Mutant(
        "doubled-relu", "the slope of ReLU is 2 where it should be 1"
    ),
}
