"""The models that the labs look at: before training, after it, and the reader's own."""

from __future__ import annotations

import functools
from pathlib import Path

import microgpt

from labs import LabError
from labs.shared.start import start

HOME = Path(microgpt.__file__).parent
LISTS = ["names", "places"]

_yours: list = []  # the reader's own model, once there is one


@functools.cache
def names(of: str = "names") -> list[str]:
    """Return the documents of one of the book's `LISTS`, in their order there."""
    if of not in LISTS:
        raise LabError(f"There is no list {of!r} in the book.")
    return microgpt.split_docs((HOME / f"{of}.txt").read_text(encoding="utf-8"))


def model(which: str):
    """Return one of the models: `untrained`, `trained`, or the reader's, `yours`.

    `untrained` is what the program starts with, `trained` what it ends with after its
    thousand steps. Raises LabError if there is no such model now.
    """
    if which == "yours":
        if not _yours:
            raise LabError("You have not trained a model yet. Train a few steps first.")
        return _yours[0]
    return {"untrained": _untrained, "trained": _trained}[which]()


def make_yours(model) -> None:
    """Let `yours` be this model from now on."""
    _yours[:] = [model]


def names_of_models() -> list[str]:
    """Return which models there are now."""
    has_trained = (HOME / "model.json").exists()
    return ["untrained", *["trained"] * has_trained, *["yours"] * bool(_yours)]


@functools.cache
def _untrained():
    return start(microgpt, names())[1]


@functools.cache
def _trained():
    path = HOME / "model.json"
    if not path.exists():
        raise LabError(
            "There is no trained model of this version of the program. Choose the "
            "untrained one, or train a model in the lab of “The training loop”."
        )
    return microgpt.load(str(path))[0]


def tokens_of(model) -> list[str]:
    """Return the texts of a model's tokens, BOS last."""
    return [*model.tokenizer.chars, "BOS"]


def check_text(text: str, model, longest: int | None = None) -> str:
    """Return text if the model can read it whole; otherwise raise LabError.

    `longest` is the greatest number of characters, by default one less than the
    model's block size.
    """
    longest = model.block_size - 1 if longest is None else longest
    known = model.tokenizer.ids
    unknown = sorted({c for c in text if c not in known})
    if unknown:
        shown = ", ".join(map(repr, unknown[:5])) + (" …" if unknown[5:] else "")
        raise LabError(
            f"The model does not know {shown}. It learned from names that are written "
            f"with {len(known)} characters: {''.join(model.tokenizer.chars)}"
            + ("; try lower case." if {*text.lower()} <= {*known} else "")
        )
    if len(text) > longest:
        raise LabError(
            f"That is {len(text)} characters. The model has {model.block_size} "
            f"positions, so {longest} is the most."
        )
    return text
