"""A larger model on the published list, with its held-out loss on the way.

The model is trained by the engine build/microgpt_torch.py, which also lets it speak.
What is found goes to experiments/results.json under "larger": the number of parameters,
the losses after so many steps, and what it says after one time through the list and at
the end. Names that the list has twice are not held out.

Usage: python -m experiments.larger [--device cuda] [--steps N] ...
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from types import ModuleType

from experiments.lists import SEED, documents, fresh_model, split
from experiments.measures import STRENGTHS, mixed_loss, ngram, tuned_strengths
from experiments.programs import engine, program
from experiments.run import keep

SIZES = {"n_embd": 64, "n_head": 4, "n_layer": 4}
LOOK = 500  # steps between two measurements
ONCE = 1000  # steps after which it has gone through the list about once
SAID = 1000  # names that it makes up at each temperature


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


def said(torch_engine: ModuleType, trained, temperature: float) -> list[str]:
    """Return names that an Engine of the module makes up, all at the same time."""
    torch, model = torch_engine.torch, trained.model
    rng = torch.Generator().manual_seed(SEED)
    tokens = torch.full((SAID, 1), model.tokenizer.bos)
    with torch.no_grad():
        weights = trained.weights()
        for length in range(1, model.block_size + 1):
            x = weights["wte"][tokens] + weights["wpe"][:length]
            logits = torch_engine.gpt(x, weights, model)[:, -1] / temperature
            drawn = torch.multinomial(logits.softmax(-1), 1, generator=rng)
            tokens = torch.cat([tokens, drawn], dim=1)
    ended = [[*row[1:], model.tokenizer.bos] for row in tokens.tolist()]
    names = [row[: row.index(model.tokenizer.bos)] for row in ended]
    return [model.tokenizer.decode(name) for name in names]


def judged(names: list[str], trained_on: set[str]) -> dict:
    """Return how many names are new, how many were held out, and the first ten."""
    known = {*documents("published")}
    return {
        "new": sum(name not in known for name in names),
        "held out": sum(name in known - trained_on for name in names),
        "first": {name: name in known for name in names[:10]},
    }


def counting(docs: list[str], held_out: list[str]) -> dict[str, float]:
    """Return the held-out losses of mixed tables of up to four and of six letters.

    One strength for all of a table's lengths is chosen by names that are trained on.
    """
    found = {}
    for n in (4, 6):
        best = tuned_strengths(docs, [(1, *[s] * (n - 1)) for s in STRENGTHS])
        tables = [ngram(docs, k) for k in range(1, n + 1)]
        found[str(n)] = round(mixed_loss(tables, best, held_out), 6)
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
            says[str(step)] = {
                str(warm): judged(said(torch_engine, trained, warm), trained_on)
                for warm in (0.5, 1.0)
            }
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
        "counting": counting(docs, held_out),
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
