"""How many names a second does each engine learn from, beside the program?

All sides take turns of some tenths of a second, with float64 and one thread a process.
Each round of turns gives ratios to the program; the median over the rounds counts, with
its standard error. The clock is that of the wall, for two processes may share a side;
the machine should have nothing else to do. Ratios go to experiments/results.json under
"engines"; another machine gives different ones.

Usage: torchrun --standalone --nproc-per-node 2 -m experiments.speed.engines
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple
from unittest import mock

import torch
import torch.distributed as dist

from experiments.lists import documents, fresh_model, shuffled
from experiments.plain import Plain
from experiments.programs import engine, program
from experiments.run import keep
from experiments.speed.ideas import Ratio, median

ROUNDS = 31  # the first sets things up


class Side(NamedTuple):
    """A way to train: its losses, the names of a step, and the steps of a turn."""

    losses: Iterator[float]
    names: int
    turn: int

    def names_a_second(self) -> float:
        """Take a turn; return how many names were learned from in a second."""
        started = time.perf_counter()
        steps = sum(1 for _ in islice(self.losses, self.turn))
        return steps * self.names / (time.perf_counter() - started)


def plain(turn: int) -> Side:
    """Return the plain way, whose graphs need the collector."""
    model, steps = Plain(documents("own")), turn * ROUNDS

    def losses() -> Iterator[float]:
        for step in range(steps):
            gc.enable()
            loss = model.step(step, steps)
            gc.disable()
            yield loss

    return Side(losses(), 1, turn)


def scalar(turn: int, variant: str | None = None) -> Side:
    """Return the program or a variant of it."""
    microgpt = program(variant=variant)
    model, docs = fresh_model(microgpt, "own"), shuffled("own")
    return Side(microgpt.train(model, docs, turn * ROUNDS), 1, turn)


def work(turn: int) -> tuple:
    """Return what an engine's train takes for so many steps in each round."""
    model = fresh_model(program(), "own")
    adam = program().Adam(model.params())
    return model, shuffled("own"), turn * ROUNDS, 0.01, adam


def batched(train: Iterator[float], batch: int, turn: int) -> Side:
    """Return an engine that takes so many names a step."""
    how = {"accumulate": 1, "device": "cpu", "dtype": "float64"}
    options = argparse.Namespace(batch=batch, **how)
    return Side(train(options, *work(turn)), batch, turn)


def measure(sides: dict[str, Side]) -> dict[str, Ratio]:
    """Return each side's names a second, in those of the side called program."""
    ratios = {name: [] for name in sides}
    for _ in range(ROUNDS):
        rates = {name: side.names_a_second() for name, side in sides.items()}
        for name, rate in rates.items():
            ratios[name].append(rate / rates["program"])
    return {name: median(found[1:]) for name, found in ratios.items()}


def alone() -> dict[str, Side]:
    """Return all sides that are one process."""
    arrays, tensors = engine("numpy").train, engine("torch").train
    return {
        "plain": plain(2),
        "program": scalar(40),
        "tape": scalar(40, "tape"),
        "vectors": Side(engine("vectors").train(*work(80)), 1, 80),
        "numpy 1": batched(arrays, 1, 400),
        "numpy 32": batched(arrays, 32, 100),
        "numpy 256": batched(arrays, 256, 20),
        "torch 1": batched(tensors, 1, 200),
        "torch 32": batched(tensors, 32, 80),
        "torch 256": batched(tensors, 256, 20),
    }


def main() -> None:
    """Measure, print, and keep what was found."""
    torch.set_num_threads(1)
    sys.modules["microgpt"] = program()  # where processes look for what they are sent
    tensors = engine("torch")
    dist.init_process_group("gloo")
    if dist.get_rank() > 0:
        return tensors.follow()
    gc.disable()  # as the program's command line does
    with mock.patch.multiple(tensors, RANK=0, RANKS=1):
        found = measure(alone())
    for batch, turn in ((32, 80), (256, 20)):
        sides = {"program": scalar(40), "two": batched(tensors.lead, batch, turn)}
        found[f"torch {batch}, two processes"] = measure(sides)["two"]
    tensors.send(None)
    for name, ratio in found.items():
        print(name, ratio)
    keep(("engines",), found)


if __name__ == "__main__":
    main()
