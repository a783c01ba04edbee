"""Attention's lab: where each head looks, and the arithmetic behind each weight."""

from __future__ import annotations

import microgpt

from labs import LabError
from labs.shared import models, trace


def look(which: list[str], text: str = "sarah") -> dict:
    """Return where each head of each layer looks while a model reads a text.

    `tokens` are what stands at the positions, BOS first. `models` has an entry for
    each of the models in `which`: its `name` and `layers`, a list of heads a layer. A
    head has `weights`, one row a position, which holds a weight for each position up
    to itself, and `sums`, what each row adds up to.
    """
    return {
        "text": text,
        "tokens": ["BOS", *text],
        "models": [{"name": name, "layers": _layers(name, text)} for name in which],
    }


def row(model: str, text: str, layer: int, head: int, position: int) -> dict:
    """Return the arithmetic behind one row of a head, from the query to the result.

    With n positions seen: `query` and the n `keys` and `values`, each of head_dim
    numbers; `root`, the root of head_dim; `products` of the query's numbers with each
    key's, and their sums, the n `scores`; these `scaled`; `log_total`, the logarithm
    of the sum of their powers of e; the n `weights`; `parts`, each value times its
    weight; and their sum, `out`.
    Raises LabError if there is no such layer, head or position.
    """
    chosen, read = _read(model, text)
    sizes = (chosen.n_layer, chosen.n_head, len(read))
    if not all(0 <= i < size for i, size in zip((layer, head, position), sizes)):
        raise LabError("The model has no such head, or the text no such position.")
    found = read[position].layers[layer].heads[head]
    weighed = zip(found.weights, found.values)
    return {
        **found._asdict(),
        "root": len(found.query) ** 0.5,
        "products": [[*map(microgpt.mul, found.query, key)] for key in found.keys],
        "parts": [
            [microgpt.mul(weight, x) for x in value] for weight, value in weighed
        ],
    }


def _layers(which: str, text: str) -> list:
    """Return the heads' weights and the sums of their rows, layer by layer."""
    chosen, read = _read(which, text)
    layers = []
    for layer in range(chosen.n_layer):
        heads = []
        for head in range(chosen.n_head):
            rows = [each.layers[layer].heads[head].weights for each in read]
            heads.append({"weights": rows, "sums": [sum(row) for row in rows]})
        layers.append(heads)
    return layers


def _read(which: str, text: str) -> tuple:
    """Return a model, and what it did at each position of a text, BOS before it."""
    model = models.model(which)
    tokens = model.tokenizer.encode(models.check_text(text, model))[:-1]
    return model, trace.positions(model, tokens)
