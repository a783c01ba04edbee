"""What does it matter where numbers lie in memory, and how many objects are made?

Two ways to go through the same numbers take turns. Each pair of turns gives a ratio of
processor times; the median over the pairs counts, with its standard error. Ratios go to
experiments/results.json under "speed"; they were measured on one machine, and another
machine or Python gives somewhat different ones.

Usage: python -m experiments.speed.memory [--pairs N]
"""

from __future__ import annotations

import argparse
import random
import time
from collections import deque
from collections.abc import Callable
from operator import mul

from experiments.programs import program
from experiments.run import keep
from experiments.speed.ideas import Ratio, median

MANY, FEW = 2_000_000, 20_000  # numbers: more than caches hold, and less


def ratio(slow: Callable[[], object], fast: Callable[[], object], pairs: int) -> Ratio:
    """Return how many times longer one call takes than another."""
    ratios = [seconds(slow) / seconds(fast) for _ in range(pairs + 1)]
    return median(ratios[1:])  # the first pair sets things up


def seconds(call: Callable[[], object]) -> float:
    """Return the processor time of a call."""
    started = time.process_time()
    call()
    return time.process_time() - started


def measure(pairs: int) -> dict[str, Ratio]:
    """Return how many times longer it takes than to add up numbers as they lie."""
    value = program().Value
    many = [random.random() for _ in range(MANY)]
    shuffled = random.sample(many, len(many))
    few = [random.random() for _ in range(FEW)]
    return {
        "shuffled": ratio(lambda: sum(shuffled), lambda: sum(many), pairs),
        "a float each": ratio(lambda: sum(map(mul, few, few)), lambda: sum(few), pairs),
        "a value each": ratio(
            lambda: deque(map(value, few), maxlen=0), lambda: sum(few), pairs
        ),
    }


def main() -> None:
    """Measure, print, and keep what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=40)
    found = measure(parser.parse_args().pairs)
    keep(("speed", "memory"), found)
    for name, number in found.items():
        print(f"{name}: {number}")


if __name__ == "__main__":
    main()
