"""A larger model on the published list, with its held-out loss on the way.

The model is trained by the engine build/microgpt_torch.py, and speaks by the program.
What is found goes to experiments/results.json under "larger": the number of parameters,
the losses after so many steps, how many of the names that it makes up are new, and ten
of these names.

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
SAID = 500  # names that the trained model makes up


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


def curve(options: argparse.Namespace) -> dict:
    """Train a larger model; return what goes to the results, and print its losses."""
    torch_engine = engine("torch")
    docs, held_out = split("published", 0)
    model = fresh_model(program(), "published", **SIZES)
    adam = program().Adam(model.params())
    trained = torch_engine.Engine(options, model, adam)
    losses = {}
    for step in range(options.steps + 1):
        if step % LOOK == 0:
            both = {"trained on": docs[::31], "held out": held_out}
            losses[str(step)] = {
                name: round(loss_per_token(torch_engine, trained, names), 6)
                for name, names in both.items()
            }
            print(step, losses[str(step)], flush=True)
        if step < options.steps:
            first = step * options.batch
            batch = [docs[i % len(docs)] for i in range(first, first + options.batch)]
            rate = options.learning_rate * (1 - step / options.steps)
            if not math.isfinite(trained.step(batch, rate)):
                raise SystemExit(f"diverged at step {step}")
    trained.give_back()
    rng, known = random.Random(SEED), {*documents("published")}
    with program().collector_paused():
        said = [[*program().generate(model, rng)] for _ in range(SAID)]
    names = [model.tokenizer.decode(tokens) for tokens in said]
    print(*names[:10])
    return {
        "parameters": len(adam.params),
        "losses": losses,
        "said": SAID,
        "new": sum(name not in known for name in names),
        "samples": {name: name in known for name in names[:10]},
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
