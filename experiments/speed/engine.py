"""How many times faster is build/microgpt.py than the plain engine?

Both train on the same names with the same seed, each in a process of its own, on
one processor where that can be had, and in turn: ten steps of the plain engine, then
the same ten of the program, and so on, so that each finds its own data in the
processor's caches most of the time, as in a whole run. A pair of turns gives a
ratio; what counts is the median of the pairs and the ratio of the sums. Absolute
times are not printed: they say more about the machine than about the programs.

Usage: python experiments/speed/engine.py [--turns N] [--names FILE] [--n-embd N ...]
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TURN = 10  # steps
SIZES = {"n_embd": 16, "n_head": 4, "n_layer": 1, "block_size": 16}


def import_file(path: Path):
    """Return the module in a file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def plain_steps(docs: list[str], sizes: dict[str, int]) -> Iterator[float]:
    """Yield the loss of each step of the plain engine."""
    model = import_file(ROOT / "experiments/plain.py").Plain(docs, **sizes)
    for step in range(1000):
        yield model.step(step, 1000)


def program_steps(docs: list[str], sizes: dict[str, int]) -> Iterator[float]:
    """Yield the loss of each step of the tangled program."""
    program = import_file(ROOT / "build/microgpt.py")
    rng = random.Random(42)
    rng.shuffle(docs)
    model = program.Model(program.Tokenizer("".join(docs)), **sizes)
    with program.collector_paused():
        yield from program.train(model.randomize(rng), docs, 1000)


SIDES = {"plain": plain_steps, "program": program_steps}


def serve(side: str, names: str, sizes: dict[str, int]) -> None:
    """For each line on stdin do some steps; answer with their time and last loss."""
    if hasattr(os, "sched_setaffinity"):  # one processor may be slower than another
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    docs = Path(names).read_text(encoding="utf-8").split()
    steps = SIDES[side](docs, sizes)
    for _ in sys.stdin:
        started = time.perf_counter()
        *_, loss = islice(steps, TURN)
        print(time.perf_counter() - started, f"{loss:.9f}", flush=True)


class Side:
    """One engine in a process of its own."""

    def __init__(self, side: str) -> None:
        command = [sys.executable, __file__, "--side", side, *sys.argv[1:]]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)

    def turn(self) -> tuple[float, str]:
        """Do some steps; return their seconds and the last loss."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        seconds, loss = self.process.stdout.readline().split()
        return float(seconds), loss

    def close(self) -> None:
        self.process.communicate()


def compare(turns: int) -> tuple[list[float], list[float]]:
    """Return the seconds of each turn of the plain engine and of the program."""
    plain, program = Side("plain"), Side("program")
    times = []
    for _ in range(turns):
        (slow, slow_loss), (fast, fast_loss) = plain.turn(), program.turn()
        if slow_loss != fast_loss:
            sys.exit(f"the losses differ: {slow_loss} and {fast_loss}")
        times.append((slow, fast))
    plain.close()
    program.close()
    slow, fast = zip(*times[1:])  # the first turn sets everything up
    return list(slow), list(fast)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=11)
    parser.add_argument("--names", default=str(ROOT / "build/names.txt"))
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    for name, default in SIZES.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=default)
    options = parser.parse_args()
    if options.side:
        sizes = {name: getattr(options, name) for name in SIZES}
        return serve(options.side, options.names, sizes)
    slow, fast = compare(options.turns)
    median = statistics.median(s / f for s, f in zip(slow, fast))
    print(f"median of {len(slow)} pairs of turns: {median:.1f} times faster")
    print(f"ratio of the sums: {sum(slow) / sum(fast):.1f}")


if __name__ == "__main__":
    main()
