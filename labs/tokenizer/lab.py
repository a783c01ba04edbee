"""The tokenizer's lab: text to tokens and back."""

from __future__ import annotations

import random

from labs import LabError
from labs.shared import models

LONGEST = 200  # characters that are shown as chips


def encode(text: str) -> dict:
    """Return the tokens of text, one entry a character, BOS at both ends.

    Each entry has `text` and `id`; the id of a character that is in no document is
    null, and then `tokens`, the list that the program returns, is null too, and `lower`
    is the text in lower case, if the tokenizer knows it so.
    """
    if len(text) > LONGEST:
        raise LabError(f"That is {len(text)} characters; {LONGEST} can be shown.")
    tokenizer = models.model("untrained").tokenizer
    entries = [{"text": c, "id": tokenizer.ids.get(c)} for c in text]
    known, lower = {*tokenizer.ids}, text.lower()
    bos = {"text": "BOS", "id": tokenizer.bos}
    return {
        "entries": [bos, *entries, bos],
        "tokens": tokenizer.encode(text) if known.issuperset(text) else None,
        "lower": lower if lower != text and known.issuperset(lower) else None,
    }


def table() -> list[dict]:
    """Return all tokens: `text` and `id`, BOS last."""
    texts = models.tokens_of(models.model("untrained"))
    return [{"text": text, "id": i} for i, text in enumerate(texts)]


def some_names(count: int = 8) -> list[str]:
    """Return a few names of the list, other ones each time."""
    return random.sample(models.names(), count)
