"""A larger model on the published list, with its held-out loss on the way.

The model is trained by the engine build/microgpt_torch.py, and speaks by the program.
What is found goes to experiments/results.json under "larger": the number of parameters,
the losses after so many steps, and what it says after one time through the list and at
the end. Names that the list has twice are not held out.

Usage: python -m experiments.larger [--device cuda] [--steps N] ...
"""

from __future__ import annotations

import argparse
import math
import random
from collections import defaultdict
from types import ModuleType

from experiments.lists import SEED, documents, fresh_model, split
from experiments.programs import engine, program
from experiments.run import keep

SIZES = {"n_embd": 64, "n_head": 4, "n_layer": 4}
LOOK = 500  # steps between two measurements
ONCE = 1000  # steps after which it has gone through the list about once
SAID = 300  # names that it makes up at each temperature


def loss_per_token(torch_engine: ModuleType, trained, docs: list[str]) -> float:
    """Return the mean of -log p over all tokens of docs, all of one length at a time.

    `trained` is an Engine of the module; no document is longer than its model's block.
    """
    alike = defaultdict(list)
    for doc in docs:
        alike[len(doc) + 1].append(doc)
    total = 0.0
    with torch_engine.torch.no_grad():
        weights = trained.weights()
        for length, group in alike.items():
            mean = torch_engine.mean_loss(group, weights, trained.model, len(group))
            total += mean.item() * length * len(group)
    return total / sum(length * len(group) for length, group in alike.items())


def said(model, trained_on: set[str]) -> dict[str, dict]:
    """Return for two temperatures how many names are new, and the first ten."""
    found = {}
    known = {*documents("published")}
    for temperature in (0.5, 1.0):
        rng = random.Random(SEED)
        with program().collector_paused():
            made = [
                model.tokenizer.decode([*program().generate(model, rng, temperature)])
                for _ in range(SAID)
            ]
        found[str(temperature)] = {
            "new": sum(name not in known for name in made),
            "held out": sum(name in known - trained_on for name in made),
            "first": {name: name in known for name in made[:10]},
        }
    return found


def curve(options: argparse.Namespace) -> dict:
    """Train a larger model; return what goes to the results, and print its losses."""
    torch_engine = engine("torch")
    docs, held_out = split("published", 0)
    trained_on = {*docs}
    held_out = [name for name in held_out if name not in trained_on]
    model = fresh_model(program(), "published", **SIZES)
    adam = program().Adam(model.params())
    trained = torch_engine.Engine(options, model, adam)
    losses, says = {}, {}
    for step in range(options.steps + 1):
        if step % LOOK == 0:
            both = {"trained on": docs[::31], "held out": held_out}
            losses[str(step)] = {
                name: round(loss_per_token(torch_engine, trained, names), 6)
                for name, names in both.items()
            }
            print(step, losses[str(step)], flush=True)
        if step in (ONCE, options.steps):
            trained.give_back()
            says[str(step)] = said(model, trained_on)
            print(says[str(step)], flush=True)
        if step < options.steps:
            first = step * options.batch
            batch = [docs[i % len(docs)] for i in range(first, first + options.batch)]
            rate = options.learning_rate * (1 - step / options.steps)
            if not math.isfinite(trained.step(batch, rate)):
                raise SystemExit(f"diverged at step {step}")
    return {
        "parameters": len(adam.params),
        "held out": len(held_out),
        "said": SAID,
        "losses": losses,
        "says": says,
    }


def main() -> None:
    """Train, print, and keep what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--accumulate", type=int, default=1)
    parser.add_argument("--learning-rate", type=float, default=0.003)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--no-keep", action="store_true", help="print only")
    options = parser.parse_args()
    found = curve(options)
    if not options.no_keep:
        keep(("larger",), found)


if __name__ == "__main__":
    main()
