"""The training lab: the program's own training, a step at a time.

The run that goes on is the module's only state; its model is the reader's own, `yours`.
"""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from typing import NamedTuple

import microgpt

from labs import LabError
from labs.shared import fields, hooks, models, runs
from labs.shared.start import SEED, start

MOST = {
    "steps": 10_000,
    "width": 64,
    "heads": 16,
    "layers": 4,
    "positions": 64,
}
MOST_PARAMETERS = 60_000
MOST_LINES, MOST_CHARACTERS = 200_000, 2_000_000  # of the reader's own list
HELD_OUT = 600  # documents that the bigram baseline is measured with, at most
EARLY = [10, 25]  # steps at which the log has an entry, and
EVERY = 50  # steps between two entries, which begin before the first step
NAMES = 5  # in an entry


class Options(NamedTuple):
    """What a training is begun with; `data` is the reader's own list.

    Without it, `names` is one of the book's lists.
    """

    seed: int
    steps: int
    learning_rate: float
    sizes: dict[str, int]
    names: str
    data: str | None


class Training:
    """A run, what it was begun with, and what is told about it."""

    def __init__(self, options: Options) -> None:
        self.options = options
        data = options.data
        docs = models.names(options.names) if data is None else _own_list(data)
        _check_sizes(docs, options.sizes)
        docs, model, rng = start(microgpt, docs, options.seed, **options.sizes)
        steps, rate = options.steps, options.learning_rate
        self.run = runs.Run(microgpt, model, docs, steps, rate, rng)
        self.log: list[dict] = []
        self.info = self._describe()

    def step(self) -> dict:
        """Do a step and tell about it, see the module's `step`."""
        run = self.run
        if self.trouble:
            raise LabError(self.trouble)
        if run.done == run.steps:
            raise LabError(f"All {run.steps:,} steps are done. Begin again.")
        doc = run.doc(run.done)
        loss = run.step()
        is_told = run.done in [*EARLY, run.steps] or run.done % EVERY == 0
        entry = [self.speak()] if is_told and not self.trouble else []
        return {
            "step": run.done,
            "steps": run.steps,
            "loss": loss,
            "rate": run.rate,
            "doc": doc,
            "done": bool(self.trouble) or run.done == run.steps,
            "trouble": self.trouble,
            "log": entry,
        }

    def speak(self) -> dict:
        """Let the model make up names; return the entry of the log that says them."""
        entry = {"step": self.run.done, "names": self.run.samples(NAMES)}
        self.log.append(entry)
        return entry

    @property
    def trouble(self) -> str:
        """Why it cannot go on, "" if it can."""
        if not self.run.has_diverged:
            return ""
        return (
            f"The training diverged at step {self.run.done:,}: its numbers have gone "
            "off to infinity. Lower the learning rate and begin again."
        )

    def keep(self) -> tuple:
        """Return what `go_on` needs."""
        return self.options, self.run.keep(), self.log

    @classmethod
    def go_on(cls, options: Options, run: tuple, log: list[dict]) -> Training:
        """Return the training as it was when it was kept."""
        training = cls(options)
        training.run.go_on(run)
        training.log = log
        return training

    def _describe(self) -> dict:
        run, model = self.run, self.run.model
        vocab = model.tokenizer.vocab_size
        seen = run.docs[: run.steps]
        held_out = run.docs[run.steps :][-HELD_OUT:]
        bigram = bigram_loss(model.tokenizer, seen, held_out or seen)
        return {
            "docs": len(run.docs),
            "vocab": vocab,
            "params": len(model.params()),
            "steps": run.steps,
            "seed": self.options.seed,
            "learning_rate": run.learning_rate,
            "sizes": {name: getattr(model, name) for name in microgpt.SIZES},
            "uniform": math.log(vocab),
            "bigram": bigram,
            "held_out": len(held_out),
            "longer": sum(len(doc) >= model.block_size for doc in run.docs),
            "matrices": model.shapes(),
            "tokens": models.tokens_of(model),
            "done": True,
        }


_now: list[Training] = []  # the training that goes on, once there is one


def begin(
    seed: int | str = SEED,
    steps: int | str = 1000,
    learning_rate: float | str = 0.01,
    n_embd: int | str = 16,
    n_head: int | str = 4,
    n_layer: int | str = 1,
    block_size: int | str = 16,
    names: str = "names",
    data: str | None = None,
) -> dict:
    """Begin a training with the program's options, on a list of the book or on `data`.

    Numbers may be given as text. Returns `docs`, `vocab` and `params`, how many there
    are; `steps`, `seed`, `learning_rate` and `sizes`; `uniform`, the loss of guessing
    blindly, and `bigram`, that of counting pairs, measured with `held_out` documents
    (0: with those of the training); how many documents are `longer` than the model
    reads; `matrices`, the shapes by name; and `tokens`, their texts. A page may run
    this like a step, so that the worker keeps it like one: so it is `done` at once.
    Raises LabError if something is wrong, and leaves an earlier training as it was.
    """
    sizes = {
        "n_embd": _size("width", n_embd),
        "n_head": _size("heads", n_head),
        "n_layer": _size("layers", n_layer),
        "block_size": _size("positions", block_size),
    }
    seed = fields.number("seed", seed, microgpt.count, "a whole number")
    steps = _size("steps", steps)
    options = Options(seed, steps, check_rate(learning_rate), sizes, names, data)
    training = Training(options)
    training.speak()
    _take_up(training)
    return _now[0].info


def step(until: int | None = None) -> dict:
    """Do a step.

    Returns the number of the `step`, from 1; how many `steps` there will be; the
    `loss` before the update, in nats per token; the `rate` of this step; the `doc`;
    `done`, whether it is the last one or number `until`; `trouble`, why no other can
    follow, or ""; and `log`, an entry if this step has one: `step` and `names`.
    """
    told = _training().step()
    told["done"] |= until is not None and told["step"] >= until
    return told


def set_learning_rate(learning_rate: float | str) -> dict:
    """Let the schedule be that of another rate from the next step on; return it."""
    training = _training()
    training.run.set_learning_rate(check_rate(learning_rate))
    return {"learning_rate": training.run.learning_rate}


def status() -> dict | None:
    """Return all about the present training, None if there is none.

    `info` is what `begin` returned; `names` and `data` say the list; `losses` are
    those of all steps, `log` all entries; `rate` is that of the last step, and
    `learning_rate` what the schedule begins with now; `trouble` as in `step`.
    """
    if not _now:
        return None
    training = _now[0]
    run = training.run
    return {
        "info": training.info,
        "names": training.options.names,
        "data": training.options.data,
        "losses": [*run.losses],
        "rate": run.rate if run.done else None,
        "learning_rate": run.learning_rate,
        "log": training.log,
        "trouble": training.trouble,
    }


def samples(count: int = 20) -> list[str]:
    """Return the names that the program would print if its training ended now."""
    return _training().run.samples(count)


def documents() -> dict:
    """Return the document of the last step and that of the next one.

    `last` is null before the first step or if it is not known any more, `next` after
    the last step. Each has its `doc`, the tokens' texts `inputs` and `targets`, and
    `now`, the probability that the model gives to each target now; `last` also has
    `before`, those in the step itself, before its update.
    """
    run = _training().run
    last = following = None
    if run.done and run.logits:
        last = _guesses(run, run.done - 1)
        before = runs.probabilities(run.logits)
        last["before"] = _of_targets(run, last["doc"], before)
    if run.done < run.steps:
        following = _guesses(run, run.done)
    return {"last": last, "next": following}


def parameter(matrix: str, row: int, column: int) -> dict:
    """Return how the last step has moved one parameter.

    `value`, `m` and `v` are those of now; `before` the same before the step, and
    `slope` and `rate` those of it; `betas` say how slowly m and v forget, `means`
    are both, corrected, and `change` is by how much the value has moved. `before` is
    null, and what follows is missing, if there was no step, or if it is not known any
    more, because Python has started again since.
    """
    run = _training().run
    shapes = run.model.shapes()
    if matrix not in shapes:
        raise LabError(f"The model has no matrix {matrix}.")
    rows, columns = shapes[matrix]
    if not 0 <= row < rows or not 0 <= column < columns:
        raise LabError(
            f"{matrix} has rows 0 to {rows - 1} and columns 0 to {columns - 1}."
        )
    adam, p = run.adam, run.model.state_dict[matrix][row][column]
    place = adam.params.index(p)
    now = {"value": p.data, "m": adam.m[place], "v": adam.v[place]}
    if not run.before:
        return {**now, "before": None, "step": run.done}
    before = dict(zip(now, (numbers[place] for numbers in run.before)))
    return {
        **now,
        "before": before,
        "step": run.done,
        "slope": p.grad,
        "rate": run.rate,
        "betas": [adam.beta1, adam.beta2],
        "means": {
            "m": now["m"] / (1 - adam.beta1**run.done),
            "v": now["v"] / (1 - adam.beta2**run.done),
        },
        "change": p.data - before["value"],
    }


def save() -> tuple | None:
    """Return what another worker needs to go on as if nothing had happened."""
    return _now[0].keep() if _now else None


def restore(kept: tuple) -> None:
    """Go on from what `save` returned."""
    _take_up(Training.go_on(*kept))


def bigram_loss(tokenizer, seen: list[str], asked: list[str]) -> float:
    """Return the loss per token, in nats, of counting which token follows which.

    The pairs in the documents `seen` are counted, one is added to each count, and the
    loss is the mean over all tokens of the documents `asked`.
    """
    counts = Counter()
    for doc in seen:
        tokens = tokenizer.encode(doc)
        counts.update(pairwise(tokens))
        counts.update(tokens[:-1])
    surprises = []
    for doc in asked:
        tokens = tokenizer.encode(doc)
        for pair in pairwise(tokens):
            share = (counts[pair] + 1) / (counts[pair[0]] + tokenizer.vocab_size)
            surprises.append(-math.log(share))
    return math.fsum(surprises) / len(surprises)


def check_rate(learning_rate: float | str) -> float:
    """Return a learning rate as the program reads it, or raise LabError."""
    what = "a positive number, such as 0.01"
    return fields.number("learning rate", learning_rate, microgpt.positive, what)


def _take_up(training: Training) -> None:
    _now[:] = [training]
    models.make_yours(training.run.model)


def _training() -> Training:
    if not _now:
        raise LabError("No training has begun yet.")
    return _now[0]


def _size(what: str, given: int | str) -> int:
    """Return a number between 1 and the most that a lab takes."""
    kind = f"a whole number from 1 to {MOST[what]:,}"
    number = fields.number(what, given, microgpt.size, kind)
    if number > MOST[what]:
        raise LabError(f"The {what} must be {kind}; {number:,} is more.")
    return number


def _own_list(data: str) -> list[str]:
    """Return the documents of a reader's own list."""
    if len(data) > MOST_CHARACTERS:
        raise LabError(
            f"Your list has {len(data):,} characters; {MOST_CHARACTERS:,} is the most."
        )
    docs = microgpt.split_docs(data)
    if not docs:
        raise LabError("Your list is empty; give one name a line.")
    if len(docs) > MOST_LINES:
        raise LabError(
            f"Your list has {len(docs):,} lines; {MOST_LINES:,} is the most."
        )
    return docs


def _check_sizes(docs: list[str], sizes: dict[str, int]) -> None:
    """Raise LabError unless there is such a model, small enough for a page."""
    try:
        model = microgpt.Model(microgpt.Tokenizer("".join(docs)), **sizes)
    except ValueError as error:
        raise LabError(f"There is no such model: {error}.") from None
    count = sum(rows * columns for rows, columns in model.shapes().values())
    if count > MOST_PARAMETERS:
        raise LabError(
            f"That model has {count:,} parameters. A page can train up to "
            f"{MOST_PARAMETERS:,} in good time; choose a smaller width or fewer layers."
        )


def _guesses(run: runs.Run, step: int) -> dict:
    """Return the document of a step, and the probability of each target now."""
    doc = run.doc(step)
    tokens = run.model.tokenizer.encode(doc)
    with hooks.logits_noted(microgpt) as logits, microgpt.collector_paused():
        microgpt.mean_loss(tokens, run.model)
    texts = models.tokens_of(run.model)
    shown = [texts[token] for token in tokens[: len(logits) + 1]]
    return {
        "doc": doc,
        "inputs": shown[:-1],
        "targets": shown[1:],
        "now": _of_targets(run, doc, runs.probabilities(logits)),
    }


def _of_targets(run: runs.Run, doc: str, rows: list[list[float]]) -> list[float]:
    """Return the probability of the next token in each row."""
    tokens = run.model.tokenizer.encode(doc)
    return [probs[token] for probs, token in zip(rows, tokens[1:])]
