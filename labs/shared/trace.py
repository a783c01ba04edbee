"""What happens inside the program's gpt: every vector of a forward pass, as it was.

While gpt runs, wrappers stand in the place of the functions that it calls and note what
goes in and comes out. Which vector is which follows from the matrices it meets.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

import microgpt

from labs.shared import hooks

WATCHED = ("attention", "linear", "logsumexp", "rmsnorm", "softmax")

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


class _Call(NamedTuple):
    name: str
    arguments: tuple
    result: object
    inner: list  # the calls that this one made


@contextlib.contextmanager
def _noted() -> Iterator[list[_Call]]:
    """Note the calls that the program makes in the block."""
    calls: list[_Call] = []
    open_lists = [calls]

    def noting(name: str, function):
        def called(*arguments):
            inner = []
            open_lists.append(inner)
            try:
                result = function(*arguments)
            finally:
                open_lists.pop()
            open_lists[-1].append(_Call(name, arguments, result, inner))
            return result

        return called

    watched = {name: noting(name, getattr(microgpt, name)) for name in WATCHED}
    with hooks.replaced(microgpt, **watched):
        yield calls


def _position(token: int, pos_id: int, keys: list, values: list, model) -> Position:
    """Return what gpt did at a position; it is added to the caches."""
    with _noted() as calls:
        logits = microgpt.gpt(token, pos_id, keys, values, model)
    names = {id(matrix): name for name, matrix in model.state_dict.items()}
    product = {  # by the name of the matrix
        names[id(call.arguments[1])]: call
        for call in calls
        if call.name == "linear" and id(call.arguments[1]) in names
    }
    maker = {id(call.result): call for call in calls}  # by the vector it returned
    streams = [
        maker[id(product[f"layer{i}.attn_wq"].arguments[0])].arguments[0]
        for i in range(model.n_layer)
    ]
    streams.append(product["lm_head"].arguments[0])
    first = maker[id(streams[0])]
    return Position(
        token,
        _numbers(model.state_dict["wte"][token]),
        _numbers(model.state_dict["wpe"][pos_id]),
        _numbers(first.arguments[0]),
        _scale(first),
        [
            _layer(f"layer{i}", product, maker, streams[i], streams[i + 1])
            for i in range(model.n_layer)
        ],
        _numbers(logits),
        _numbers(microgpt.softmax(logits)),
    )


def _layer(name: str, product: dict, maker: dict, entered: list, left: list) -> Layer:
    """Return what a layer did between two states of the residual stream."""
    parts = ("attn_wq", "attn_wk", "attn_wv", "attn_wo", "mlp_fc1", "mlp_fc2")
    wq, wk, wv, wo, fc1, fc2 = (product[f"{name}.{part}"] for part in parts)
    attention, norm = maker[id(wo.arguments[0])], maker[id(fc1.arguments[0])]
    vectors = {
        "entered": entered,
        "normed": wq.arguments[0],
        "query": wq.result,
        "key": wk.result,
        "value": wv.result,
        "found": attention.result,
        "mixed": wo.result,
        "attended": norm.arguments[0],
        "normed_again": norm.result,
        "hidden": fc1.result,
        "active": fc2.arguments[0],
        "thought": fc2.result,
        "left": left,
    }
    return Layer(
        heads=_heads(attention),
        scales=(_scale(maker[id(wq.arguments[0])]), _scale(norm)),
        **{name: _numbers(vector) for name, vector in vectors.items()},
    )


def _heads(attention: _Call) -> list[Head]:
    """Return what the heads did: each scored, weighed, and mixed the values."""
    calls = attention.inner
    heads = []
    for score, weigh, mix in zip(calls[0::3], calls[1::3], calls[2::3], strict=True):
        query, keys = score.arguments
        weights, columns = mix.arguments
        heads.append(
            Head(
                _numbers(query),
                [_numbers(key) for key in keys],
                [_numbers(value) for value in zip(*columns)],
                _numbers(score.result),
                _numbers(weigh.arguments[0]),
                weigh.inner[0].result.data,
                _numbers(weights),
                _numbers(mix.result),
            )
        )
    return heads


def _scale(norm: _Call) -> float:
    """Return by what a norm multiplied: the other factor of each of its products."""
    (_, scale) = norm.result[0]._children
    return scale.data


def _numbers(vector) -> Numbers:
    return [value.data for value in vector]
