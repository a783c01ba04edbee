"""What is trained: the program as it is, or with one thing changed."""

from __future__ import annotations

from functools import cache
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from experiments.lists import SEED, fresh_model, split
from experiments.programs import BOOK, program
from labs.ablation.changes import CHANGES, RATE
from labs.gradients.mutants import MUTANTS

DEVIATION = 0.08  # of the parameters that the program draws


class Trial(NamedTuple):
    """One change: a variant of the program, or a setting."""

    variant: str | None = None
    sizes: dict[str, int] = {}  # noqa: RUF012 (nobody writes into it)
    learning_rate: float = RATE
    deviation: float = DEVIATION
    mlp_width: int = 4
    share: float = 1  # of the steps that the others do
    reads_names: bool = False  # the tokenizer learns from the names trained on


TRIALS = {
    "baseline": Trial(),
    **{
        name: Trial(c.variant, learning_rate=c.learning_rate)
        for name, c in CHANGES.items()
    },
    **{name: Trial(mutant.variant) for name, mutant in MUTANTS.items()},
    "two layers": Trial(sizes={"n_layer": 2}),
    "1 head": Trial(sizes={"n_head": 1}),
    "16 heads": Trial(sizes={"n_head": 16}),
    "narrow MLP": Trial(mlp_width=1),
    "rate 0.001": Trial(learning_rate=0.001),
    "rate 0.003": Trial(learning_rate=0.003),
    "rate 0.03": Trial(learning_rate=0.03),
    "rate 0.1": Trial(learning_rate=0.1),
    "deviation 0.02": Trial(deviation=0.02),
    "deviation 0.3": Trial(deviation=0.3),
    "n_embd 4": Trial(sizes={"n_embd": 4}),
    "n_embd 8": Trial(sizes={"n_embd": 8}),
    "n_embd 32": Trial(sizes={"n_embd": 32}),
    "rotary positions": Trial("rope"),
    "shared keys and values": Trial("grouped-queries"),
    "SwiGLU": Trial("swiglu"),
    "weight decay": Trial("weight-decay"),
    "batches, 250 steps": Trial("batch", share=0.25),
    "batches, 250 steps, rate 0.02": Trial("batch", share=0.25, learning_rate=0.02),
    "batches, 1,000 steps": Trial("batch"),
    "no batches, 4,000 steps": Trial(share=4),
    "pairs as tokens": Trial("pairs", reads_names=True),
}
LONG_TRIALS = ["baseline", "no attention", "two layers"]
FIRST = 20  # losses that are kept, so that a test can repeat them


def start(trial: Trial, which: str, seed: int = SEED, document: Path = BOOK):
    """Return the program of a trial and a model that has learned nothing yet."""
    microgpt = program(document, trial.variant)
    tokenizer = None
    if trial.reads_names:
        tokenizer = microgpt.Tokenizer(split(which, 1000, document, seed)[0][:1000])
    model = fresh_model(microgpt, which, seed, document, tokenizer, **trial.sizes)
    for p in model.params():
        p.data *= trial.deviation / DEVIATION
    width = trial.mlp_width * model.n_embd
    for i in range(model.n_layer):
        up, down = f"layer{i}.mlp_fc1", f"layer{i}.mlp_fc2"
        model.state_dict[up] = model.state_dict[up][:width]
        model.state_dict[down] = [row[:width] for row in model.state_dict[down]]
    return microgpt, model


def run_trial(
    name: str, which: str, steps: int, seed: int = SEED, document: Path = BOOK
) -> dict:
    """Train once on the names that a seed deals; return the held-out loss.

    The rest of what is returned lets a test check the run.
    """
    trial = TRIALS[name]
    microgpt, model = start(trial, which, seed, document)
    docs, held_out = split(which, steps, document, seed)
    steps = int(steps * trial.share)
    with microgpt.collector_paused():
        found = list(microgpt.train(model, docs, steps, trial.learning_rate))
        loss = microgpt.loss_per_token(held_out, model)
    return {
        "held out": rounded(loss),
        "last 100": rounded(sum(found[-100:]) / 100),
        "first": [rounded(loss, 6) for loss in found[:FIRST]],
    }


def rounded(number: float, digits: int = 4) -> float:
    """Return a number as results.json keeps it."""
    return round(number, digits)


@cache
def trained(
    which: str,
    steps: int = 1000,
    document: Path = BOOK,
    seed: int = SEED,
    trial: str = "baseline",
):
    """Return a trial's program and the model that it trains, for looking only."""
    microgpt, model = start(TRIALS[trial], which, seed, document)
    docs, _ = split(which, steps, document, seed)
    with microgpt.collector_paused():
        for _ in microgpt.train(model, docs, steps):
            pass
    return microgpt, model


def first_losses(
    name: str, which: str, steps: int, count: int = FIRST, document: Path = BOOK
) -> list[float]:
    """Return the losses that a run of so many steps begins with."""
    trial = TRIALS[name]
    microgpt, model = start(trial, which, SEED, document)
    docs, _ = split(which, steps, document)
    steps = int(steps * trial.share)
    found = microgpt.train(model, docs, steps, trial.learning_rate)
    return [rounded(loss, 6) for loss in islice(found, count)]
