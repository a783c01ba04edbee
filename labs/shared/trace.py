"""What happens inside the program's gpt: every vector of a forward pass, as it was.

While gpt runs, the local names at the end of some of its chunks are noted.
"""

from __future__ import annotations

from typing import NamedTuple

import microgpt

from labs.shared import chunks

ENTER = "Look up the token and its position"
NORM = "Bring a vector to a standard size"
SOFTMAX = "Turn scores into probabilities"
MIX = "Mix their values"
ATTEND = "Add what attention finds"
MLP = "Think with a hidden layer"
THINK = "Add what the MLP thinks"

Numbers = list[float]


class Head(NamedTuple):
    """What one head did at one position, which saw n positions, itself the last."""

    query: Numbers  # head_dim numbers
    keys: list[Numbers]  # n times head_dim
    values: list[Numbers]  # n times head_dim
    scores: Numbers  # n dot products of the query with the keys
    scaled: Numbers  # the scores, divided by the root of head_dim
    log_total: float  # the logarithm of the sum of the powers of e
    weights: Numbers  # n numbers that sum to 1
    out: Numbers  # head_dim numbers: the values, each times its weight, added up


class Layer(NamedTuple):
    """What one layer did at one position; n_embd numbers unless said otherwise."""

    entered: Numbers
    normed: Numbers
    query: Numbers
    key: Numbers
    value: Numbers
    heads: list[Head]
    found: Numbers
    mixed: Numbers
    attended: Numbers
    normed_again: Numbers
    hidden: Numbers  # 4 * n_embd
    active: Numbers  # 4 * n_embd
    thought: Numbers
    left: Numbers
    scales: tuple[float, float]  # by what the two norms multiplied


class Position(NamedTuple):
    """What gpt did at one position."""

    token: int
    token_row: Numbers
    position_row: Numbers
    embedded: Numbers
    scale: float  # by what the first norm multiplied
    layers: list[Layer]
    logits: Numbers  # vocab_size
    probs: Numbers  # vocab_size: the program's softmax of the logits


def positions(model, tokens: list[int]) -> list[Position]:
    """Let the program read tokens, and return what it did at each of them.

    There may be at most block_size tokens. Raises InputError if the numbers of the
    model have grown beyond what can be computed with.
    """
    keys, values = model.caches()
    with microgpt.saying("cannot look into this model"):
        return [
            _position(token, pos_id, keys, values, model)
            for pos_id, token in enumerate(tokens)
        ]


def _position(token: int, pos_id: int, keys: list, values: list, model) -> Position:
    """Return what gpt did at a position; it is added to the caches."""
    with chunks.watched(ENTER, NORM, SOFTMAX, MIX, ATTEND, MLP, THINK) as moments:
        logits = microgpt.gpt(token, pos_id, keys, values, model)
    last: dict[str, dict] = {}  # the local names at the last end of each chunk
    heads, layers = [], []
    for chunk, names in moments:
        last[chunk] = names
        if chunk == ENTER:
            first_norm = last[NORM]
        elif chunk == MIX:
            heads.append(_head(names, last[SOFTMAX]))
        elif chunk == ATTEND:
            norm = last[NORM]
        elif chunk == THINK:
            layers.append(_layer(heads, norm, last))
            heads = []
    return Position(
        token,
        _numbers(model.state_dict["wte"][token]),
        _numbers(model.state_dict["wpe"][pos_id]),
        _numbers(first_norm["x"]),
        first_norm["scale"].data,
        layers,
        _numbers(logits),
        _numbers(microgpt.softmax(logits)),
    )


def _head(names: dict, softmax: dict) -> Head:
    """Return what a head did, from the names in look_back and in its softmax."""
    return Head(
        _numbers(names["q"]),
        [_numbers(key) for key in names["keys"]],
        [_numbers(value) for value in names["values"]],
        _numbers(names["scores"]),
        _numbers(softmax["logits"]),
        -softmax["shift"].data,
        _numbers(names["weights"]),
        _numbers(names["return"]),
    )


def _layer(heads: list[Head], norm: dict, last: dict[str, dict]) -> Layer:
    """Return what a layer did, from its heads, first norm, and chunks' last names."""
    attend, second_norm, mlp = last[ATTEND], last[NORM], last[MLP]
    i = attend["i"]
    vectors = {
        "entered": norm["x"],
        "normed": attend["normed"],
        "query": attend["q"],
        "key": attend["keys"][i][-1],
        "value": attend["values"][i][-1],
        "found": attend["found"],
        "mixed": attend["mixed"],
        "attended": attend["x"],
        "normed_again": second_norm["return"],
        "hidden": mlp["hidden"],
        "active": mlp["active"],
        "thought": mlp["return"],
        "left": last[THINK]["x"],
    }
    return Layer(
        heads=heads,
        scales=(norm["scale"].data, second_norm["scale"].data),
        **{name: _numbers(vector) for name, vector in vectors.items()},
    )


def _numbers(vector) -> Numbers:
    return [value.data for value in vector]
