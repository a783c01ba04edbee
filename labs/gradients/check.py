"""Do the slopes of a program say what its loss does? Nudging is the judge."""

from __future__ import annotations

import random
from collections.abc import Sequence
from operator import mul
from types import ModuleType

NUDGE = 1e-6  # how far a parameter moves where a direction has a 1


def slopes(program: ModuleType, model, tokens: Sequence[int]) -> list[float]:
    """Return what a program says are the slopes of a document's loss."""
    params = model.params()
    for p in params:
        p.grad = 0.0
    program.mean_loss(tokens, model).backward()
    return [p.grad for p in params]


def places(model) -> dict[str, slice]:
    """Return where each matrix lies in the list of all parameters."""
    found, end = {}, 0
    for name, matrix in model.state_dict.items():
        start, end = end, end + sum(map(len, matrix))
        found[name] = slice(start, end)
    return found


def random_direction(
    model, rng: random.Random, part: slice = slice(None)
) -> list[float]:
    """Return a random number for each parameter of a part, and 0 for the others."""
    direction = [0.0] * len(model.params())
    direction[part] = [rng.gauss(0, 1) for _ in direction[part]]
    return direction


def expected(slopes: Sequence[float], direction: Sequence[float]) -> float:
    """Return how fast the loss changes along a direction if the slopes are right."""
    return sum(map(mul, slopes, direction))


def found(
    program: ModuleType,
    model,
    tokens: Sequence[int],
    direction: Sequence[float],
    nudge: float = NUDGE,
) -> float:
    """Return how fast the loss does change: a nudge both ways along a direction."""
    ahead = loss_at(program, model, tokens, direction, nudge)
    behind = loss_at(program, model, tokens, direction, -nudge)
    return (ahead - behind) / (2 * nudge)


def loss_at(
    program: ModuleType,
    model,
    tokens: Sequence[int],
    direction: Sequence[float],
    nudge: float,
) -> float:
    """Return the loss a nudge away along a direction; the model stays as it is."""
    params = model.params()
    numbers = [p.data for p in params]
    for p, part in zip(params, direction):
        p.data += nudge * part
    loss = program.mean_loss(tokens, model).data
    for p, number in zip(params, numbers):
        p.data = number
    return loss
