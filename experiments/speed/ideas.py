"""What is each idea in build/microgpt.py worth, and how does the cost of a step grow?

Two sides train on the same names, each in a process of its own, and take five steps
in turn, on one processor where that can be had. Each pair of turns gives a ratio of
processor times; the median over the pairs is what counts, with its standard error.
Ratios go to experiments/results.json under "speed"; they were measured on one machine,
and another machine or Python gives somewhat different ones.

Usage: python -m experiments.speed.ideas [--pairs N] [--document FILE] [--only WHAT]
"""

from __future__ import annotations

import argparse
import gc
import math
import multiprocessing
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType

from experiments.lists import documents, fresh_model, shuffled
from experiments.plain import Plain
from experiments.programs import BOOK, fresh_program, program
from experiments.run import keep
from experiments.speed.by_hand import ByHand

STEPS = 1000
TURN = 5  # steps
IDEAS = {
    "a dot product is one value": "narrow-nodes",
    "the order of birth, against a recursive search": "recursive-search",
    "products by map(mul)": "python-loop",
    "slopes of 0 pass nothing on": "zeros",
    "Adam's corrections out of the loop": "corrections-inside",
    "log-sum-exp is one value": "narrow-logsumexp",
    "vector data read once a matrix": "read-again",
}
WIDTHS, DEPTHS, LENGTHS = (8, 32, 64), (2, 4), (3, 15, 31, 63)
USUAL = 7  # letters, against which other lengths are measured

Steps = Iterator[float]
Ratio = dict[str, float]  # its median, "times", and the "error" of that
Call = tuple  # the name of a method of Comparison that yields losses, and its arguments


class Comparison:
    """Ways of training on the same names, and how their times compare."""

    def __init__(self, document: Path, pairs: int) -> None:
        self.document, self.pairs = document, pairs
        self.docs = shuffled("own", document)

    def steps(self, variant: str | None = None, sizes: dict | None = None) -> Steps:
        """Yield the losses of the program or a variant, a step at a time."""
        microgpt = program(self.document, variant)
        model = fresh_model(microgpt, "own", document=self.document, **(sizes or {}))
        return microgpt.train(model, self.docs, STEPS)

    def one_name(self, length: int) -> Steps:
        """Yield the losses of training on a single name of so many letters."""
        microgpt = program(self.document)
        model = fresh_model(microgpt, "own", document=self.document, block_size=64)
        return microgpt.train(model, [("alexandria" * 7)[:length]], STEPS)

    def collecting(self) -> Steps:
        """Yield the losses of the program with the cycle collector left to run."""
        gc.enable()
        return self.steps()

    def plain(self) -> Steps:
        """Yield the losses of the plain engine, whose graphs need the collector."""
        gc.enable()
        model = Plain(documents("own", self.document))
        return (model.step(step, STEPS) for step in range(STEPS))

    def by_hand(self) -> Steps:
        """Yield the losses of the backward pass that is written by hand."""
        microgpt = program(self.document)
        model = fresh_model(microgpt, "own", document=self.document)
        hand = ByHand(model.state_dict, model.n_head)
        for step, doc in enumerate(self.docs[:STEPS]):
            rate = 0.01 * (1 - step / STEPS)
            yield hand.step(model.tokenizer.encode(doc), step + 1, rate)

    def ratio(self, side: Call, base: Call = ("steps",), same: bool = True) -> Ratio:
        """Return how many times longer a step of `side` takes than one of `base`."""
        slow, fast = self.serve(side), self.serve(base)
        ratios = []
        for _ in range(self.pairs + 1):
            (seconds, loss), (base_seconds, base_loss) = ask(slow), ask(fast)
            if same and abs(loss - base_loss) > 1e-9:
                raise SystemExit(f"the losses differ: {loss} and {base_loss}")
            ratios.append(seconds / base_seconds)
        for pipe in (slow, fast):
            pipe.send(False)
        return median(ratios[1:])  # the first pair sets things up

    def serve(self, call: Call) -> Connection:
        """Start a process that does a step when asked; return the way to ask it."""
        here, there = multiprocessing.Pipe()
        arguments = (there, self, *call)
        multiprocessing.Process(target=answer, args=arguments, daemon=True).start()
        return here


def median(ratios: list[float]) -> Ratio:
    """Return the median of some ratios and its standard error.

    The error is 1.253 times that of the mean, as for the normal distribution; the
    deviation is taken from the quartiles (1.349 apart), so that outliers do not count.
    """
    low, middle, high = statistics.quantiles(ratios, n=4)
    error = 1.253 * (high - low) / 1.349 / math.sqrt(len(ratios))
    return {"times": round(middle, 2), "error": round(error, 3)}


def ask(pipe: Connection) -> tuple[float, float]:
    """Let the process at the other end do a turn; return its seconds and its loss."""
    pipe.send(True)
    return pipe.recv()


def answer(pipe: Connection, comparison: Comparison, name: str, *arguments) -> None:
    """Train in one of the ways, a turn whenever asked for it."""
    gc.disable()  # as the program's command line does
    if hasattr(os, "sched_setaffinity"):  # one processor may be slower than another
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    steps = getattr(comparison, name)(*arguments)
    while pipe.recv():
        pipe.send(timed(steps))


def timed(steps: Steps) -> tuple[float, float]:
    """Do a turn; return its seconds of processor time, and the last loss."""
    started = time.process_time()
    *_, loss = islice(steps, TURN)
    return time.process_time() - started, loss


def ideas(comparison: Comparison) -> dict[str, Ratio]:
    """Return how many times longer a step takes without each idea."""
    found = {
        idea: comparison.ratio(("steps", variant)) for idea, variant in IDEAS.items()
    }
    return found | {"the collector paused": comparison.ratio(("collecting",))}


def others(comparison: Comparison) -> dict[str, Ratio]:
    """Return how the plain engine and the pass by hand compare with the program."""
    return {
        "plain engine, times slower": comparison.ratio(("plain",)),
        "the tape, times faster": comparison.ratio(("steps",), ("steps", "tape")),
        "by hand, times faster": comparison.ratio(("steps",), ("by_hand",)),
    }


def growth(comparison: Comparison) -> dict[str, dict]:
    """Return the cost of a step at other sizes; the default sizes cost 1."""
    found = {}
    for width in WIDTHS:
        found[f"n_embd {width}"] = growth_of(comparison, n_embd=width)
    for depth in DEPTHS:
        found[f"n_layer {depth}"] = growth_of(comparison, n_layer=depth)
    for length in LENGTHS:
        side, base = (("one_name", letters) for letters in (length, USUAL))
        found[f"{length} letters"] = comparison.ratio(side, base, same=False)
    return found


def growth_of(comparison: Comparison, **sizes: int) -> dict:
    """Return the cost of a step and the number of parameters at some sizes."""
    microgpt = program(comparison.document)
    model = fresh_model(microgpt, "own", document=comparison.document, **sizes)
    ratio = comparison.ratio(("steps", None, sizes), same=False)
    return ratio | {"parameters": len(model.params())}


class Clock:
    """Adds up the processor time of the calls that go through it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def watch(self, owner: ModuleType | type, name: str) -> None:
        """Put a stopwatch around a function of a module or a class."""
        function, self.seconds[name] = getattr(owner, name), 0.0

        def watched(*arguments):
            started = time.process_time()
            result = function(*arguments)
            self.seconds[name] += time.process_time() - started
            return result

        setattr(owner, name, watched)


def shares(comparison: Comparison) -> dict[str, float]:
    """Return what part of a step each of its parts takes."""
    microgpt = fresh_program(comparison.document)  # for the stopwatches
    clock = Clock()
    for owner, name in (
        (microgpt, "mean_loss"),
        (microgpt.Value, "backward"),
        (microgpt.Adam, "update"),
    ):
        clock.watch(owner, name)
    model = fresh_model(microgpt, "own", document=comparison.document)
    steps = microgpt.train(model, comparison.docs, STEPS)
    total = sum(timed(steps)[0] for _ in range(2 * comparison.pairs))
    found = {name: seconds / total for name, seconds in clock.seconds.items()}
    found["the rest"] = 1 - sum(found.values())
    return {name: round(share, 2) for name, share in found.items()}


MEASUREMENTS: dict[str, Callable[[Comparison], dict]] = {
    "shares of a step": shares,
    "slower without": ideas,
    "other ways": others,
    "growth": growth,
}


def main() -> None:
    """Measure, print, and keep what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--document", type=Path, default=BOOK)
    parser.add_argument("--only", choices=MEASUREMENTS)
    options = parser.parse_args()
    comparison = Comparison(options.document.resolve(), options.pairs)
    keep(("speed", "python"), f"CPython {platform.python_version()}")
    keep(("speed", "pairs"), options.pairs)
    for what in [options.only] if options.only else MEASUREMENTS:
        found = MEASUREMENTS[what](comparison)
        keep(("speed", what), found)
        for name, number in found.items():
            print(f"{what}: {name}: {number}", flush=True)


if __name__ == "__main__":
    main()
