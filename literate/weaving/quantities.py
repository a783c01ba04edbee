"""The quantities of the book, and what each is called, chapter by chapter.

A letter means one thing here and another there: `v` is a value of attention, Adam's
mean of squares, or the size of the vocabulary. So a chapter takes part only with the
names that are said here, in the sense that they have in it. The pages mark each of them
with its quantity. `web/book.css` gives it the colour that it has in the figures, and
`web/quantities.js` lights all that is of one quantity.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import NamedTuple

_NAMES = re.compile(r"\w+\b(?!\(\))")  # what is called with nothing is a method
_LETTERS = re.compile(r"<(mi|mtext)>([^<]+)</\1>|<mfrac><mrow><mi>(∂)</mi>")


class _Called(NamedTuple):
    """What a quantity is called in formulas, in code, and in words (with commas)."""

    formulas: str = ""
    code: str = ""
    words: str = ""


_QUERY = _Called("q", "q query", "query, queries")
_KEY = _Called("k", "k key keys", "key, keys")
_VALUE = _Called("v", "v value values", "value, values")
_STREAM = _Called("", "x", "residual stream, stream")
_SLOPES = _Called("∂", "grad slope slopes", "slope, slopes")
_LOSS = _Called("loss", "loss losses", "loss, losses")
_LOGITS = _Called("", "logits logit", "logits, logit")
_PROBABILITY = _Called("p", "", "probability, probabilities")

_CHAPTERS = {
    "slopes": {"slope": _SLOPES},
    "the-chain-rule": {"slope": _SLOPES},
    "a-table-that-learns": {
        "score": _Called("s", "scores score", "score, scores"),
        "probability": _PROBABILITY,
        "slope": _SLOPES,
    },
    "a-number-that-remembers": {"slope": _SLOPES},
    "backwards-in-the-right-order": {"slope": _SLOPES},
    "from-scores-to-probabilities": {
        "score": _Called(
            "x", "x xi logits logit scores score", "score, scores, logits"
        ),
        "probability": _PROBABILITY,
    },
    "a-small-network": {
        "token": _Called("", "wte", "embedding, embeddings"),
        "mlp": _Called(
            "",
            "hidden mlp fc1 fc2",
            "hidden layer, neuron, neurons, multi-layer perceptron, MLP",
        ),
        "score": _Called("s", "scores", "scores"),
        "loss": _LOSS,
        "slope": _SLOPES,
    },
    "attention": {
        "query": _QUERY,
        "key": _KEY,
        "value": _VALUE,
        "score": _Called("", "scores score", "score, scores"),
        "weight": _Called("a", "weights weight", "weight, weights"),
    },
    "one-head-looking-back": {
        "token": _Called("", "wte wpe", "embedding, embeddings"),
        "stream": _STREAM,
        "query": _Called("", "wq", "query, queries"),
        "key": _Called("", "keys wk", "key, keys"),
        "value": _Called("", "values wv", "value, values"),
        "mlp": _Called("", "mlp fc1 fc2", "hidden layer, MLP"),
    },
    "heads-and-layers": {
        "stream": _Called("", "", "residual stream"),
        "query": _QUERY,
        "key": _KEY,
        "value": _VALUE,
    },
    "the-parameters": {
        "token": _Called("", "wte wpe", "embedding"),
        "query": _Called("", "attn_wq"),
        "key": _Called("", "attn_wk"),
        "value": _Called("", "attn_wv"),
        "mlp": _Called("", "mlp_fc1 mlp_fc2", "MLP"),
    },
    "the-whole-model": {
        "token": _Called("", "wte wpe", "embedding, embeddings"),
        "stream": _STREAM,
        "query": _Called("", "q attn_wq", "query, queries"),
        "key": _Called("", "keys attn_wk", "key, keys"),
        "value": _Called("", "values attn_wv", "value, values"),
        "mlp": _Called("", "mlp fc1 fc2 mlp_fc1 mlp_fc2", "neuron, neurons, MLP"),
        "score": _LOGITS,
    },
    "the-loss": {"loss": _LOSS, "probability": _PROBABILITY, "score": _LOGITS},
    "adam": {
        "loss": _LOSS,
        "slope": _Called("g", "g grad", "slope, slopes"),
    },
    "the-training-loop": {"loss": _LOSS, "slope": _SLOPES},
    "sampling": {
        "score": _LOGITS,
        "probability": _Called("", "probs probabilities", "probability, probabilities"),
    },
    "how-good-is-it": {"loss": _LOSS},
    "what-newer-models-changed": {
        "query": _Called("", "q attn_wq", "query, queries"),
        "key": _Called("", "k keys attn_wk", "key, keys"),
        "value": _Called("", "values attn_wv", "value, values"),
        "mlp": _Called("hidden", "hidden gate mlp_gate mlp_fc1 mlp_fc2 fc1 fc2"),
    },
    "matrices-as-nodes": {
        "query": _Called("Q", "q attn_wq"),
        "key": _Called("K", "k attn_wk"),
        "value": _Called("", "v attn_wv"),
        "slope": _Called("G g ∂", "grad slope slopes g", "slope, slopes"),
        "mlp": _Called("", "hidden mlp_fc1 mlp_fc2"),
        "loss": _Called("", "loss", "loss, losses"),
    },
    "many-names-at-a-time": {
        "query": _Called("", "q queries"),
        "key": _Called("", "k keys"),
        "value": _Called("", "v values"),
        "slope": _Called("", "slope slopes grad g", "slope, slopes"),
        "loss": _LOSS,
    },
}

# Chunks that have such names in another sense: of any list, of Adam, of a dictionary.
_APART = {
    "Add two lists",
    "Turn each pair of numbers by an angle",
    "Begin with a new model",
    "Hold a model in an array",
    "Learn from documents side by side",
    "Move all numbers at once",
    "Give the numbers back",
}


@dataclass
class Quantities:
    """The quantities of a chapter, by what they are called."""

    formulas: Mapping[str, str] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)

    def in_formula(self, markup: str) -> str:
        """Return MathML with the quantities' letters marked."""

        def marked(match: re.Match[str]) -> str:
            letter = match[2] or match[3]  # of itself, or of the whole fraction
            mark = attribute(self.formulas.get(letter.strip(), ""))
            return match[0].replace(">", f"{mark}>", 1)

        return _LETTERS.sub(marked, markup)

    def in_code(self, text: str) -> str:
        """Return code as HTML with the quantities' names marked."""

        def marked(match: re.Match[str]) -> str:
            mark = attribute(self.code.get(match[0], ""))
            return f"<span{mark}>{match[0]}</span>" if mark else match[0]

        return _NAMES.sub(marked, escape(text))

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What matches the words, longer ones first, also across lines."""
        words = sorted(self.words, key=len, reverse=True)
        each = "|".join(word.replace(" ", r"\s+") for word in words) or "(?!)"
        return re.compile(rf"(?<![\w-])(?:{each})(?![\w-])", re.IGNORECASE)

    def of_word(self, word: str) -> str:
        """Return the attribute of a word of the prose, "" if it means no quantity."""
        return attribute(self.words.get(" ".join(word.casefold().split()), ""))


NONE = Quantities()


def attribute(quantity: str) -> str:
    """Return the attribute that marks an element of a quantity, "" if of none."""
    return f' data-quantity="{quantity}"' if quantity else ""


def quantities(chapter: str, chunk: str = "") -> Quantities:
    """Return the quantities of a chapter, by its anchor, or those of a chunk in it."""
    return NONE if chunk in _APART else _QUANTITIES.get(chapter, NONE)


def _by_name(chapter: Mapping[str, _Called]) -> Quantities:
    formulas, code, words = {}, {}, {}
    for quantity, called in chapter.items():
        formulas |= dict.fromkeys(called.formulas.split(), quantity)
        code |= dict.fromkeys(called.code.split(), quantity)
        each = filter(None, called.words.casefold().split(", "))
        words |= dict.fromkeys(each, quantity)
    return Quantities(formulas, code, words)


_QUANTITIES = {anchor: _by_name(chapter) for anchor, chapter in _CHAPTERS.items()}
