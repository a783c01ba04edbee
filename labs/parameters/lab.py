"""The parameters' lab: every matrix of a model, and what each of its numbers is for."""

from __future__ import annotations

from labs import LabError
from labs.shared import models
from labs.training import lab as training

PURPOSES = {  # as in the book's table
    "wte": "one row for each token",
    "wpe": "one row for each position",
    "lm_head": "scores each token at the end",
    "attn_wq": "makes queries",
    "attn_wk": "makes keys",
    "attn_wv": "makes values",
    "attn_wo": "mixes what the heads found",
    "mlp_fc1": "first half of the MLP",
    "mlp_fc2": "second half of the MLP",
}
MADE = {"attn_wq": "query", "attn_wk": "key", "attn_wv": "value"}


def matrices(model: str, show: str = "values") -> dict:
    """Return all `matrices` of a model in the program's order.

    Each has its `name`, the `purpose`, `shape` as rows and columns, and `numbers`, row
    after row: the parameters' values or, where `show` is "slopes", their slopes in the
    last step of training. `total` is the number of parameters, `width` the size of the
    vectors inside the model.
    """
    found = models.model(model)
    field = {"values": "data", "slopes": "grad"}[show]
    return {
        "matrices": [
            {
                "name": name,
                "purpose": PURPOSES[name.rpartition(".")[2]],
                "shape": [len(matrix), len(matrix[0])],
                "numbers": [getattr(p, field) for row in matrix for p in row],
            }
            for name, matrix in found.state_dict.items()
        ],
        "total": len(found.params()),
        "width": found.n_embd,
    }


def cell(model: str, matrix: str, row: int, column: int) -> dict:
    """Return what is known about one parameter: its `meaning`, `value`, and more.

    `slope` is its slope in the last step of training, `m` and `v` are Adam's running
    means; each is null where it is not known. Raises LabError if there is no such
    parameter.
    """
    found = models.model(model)
    rows = found.state_dict.get(matrix)
    if not rows or not (0 <= row < len(rows) and 0 <= column < len(rows[0])):
        raise LabError(
            f"This model has no {matrix} with row {row} and column {column}."
        )
    is_trained = model == "yours" and training.status()
    known = training.parameter(matrix, row, column) if is_trained else {}
    return {
        "meaning": _meaning(found, matrix, row, column),
        "value": rows[row][column].data,
        **{what: known.get(what) for what in ("slope", "m", "v")},
    }


def _meaning(model, name: str, row: int, column: int) -> str:
    """Return in words what a parameter does."""
    kind = name.rpartition(".")[2]
    tokens = [*(f"“{c}”" for c in model.tokenizer.chars), "BOS"]
    if kind == "wte":
        return f"number {column} of the row for {tokens[row]}"
    if kind == "wpe":
        return f"number {column} of the row for position {row}"
    if kind == "lm_head":
        return f"how much number {column} speaks for {tokens[row]} as the next token"
    size = model.n_embd // model.n_head
    if kind in MADE:
        head, number = divmod(row, size)
        what = f"number {number} of the {MADE[kind]} of head {head + 1}"
        return f"how much number {column} counts for {what}"
    if kind == "attn_wo":
        head, number = divmod(column, size)
        found = f"number {number} of what head {head + 1} found"
        return f"how much {found} adds to number {row}"
    if kind == "mlp_fc1":
        return f"how much number {column} excites neuron {row}"
    return f"how much neuron {column} adds to number {row}"
