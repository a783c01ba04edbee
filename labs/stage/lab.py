"""The stages' lab: a stage of the book, run as it is tangled."""

from __future__ import annotations

import contextlib
import inspect
from types import ModuleType

import microgpt

from exercises.typed import Screen, tell
from labs import LabError
from labs.shared import fields, hooks, models
from labs.shared.book import book
from labs.shared.start import SEED
from literate.core.modules import load

EVERY = 10  # names between two reports


def run(stage: str, seed: int | str = SEED) -> dict:
    """Run a stage, such as `stage1_counts`, with a seed.

    What it prints is told while it goes on, and so is how far it is: after a carriage
    return, as on a terminal, how many names it has read, and of how many. Returns the
    `output`, and whether it `agrees` with the book, which is null for other seeds.
    """
    program = _load(stage)
    seed = fields.number("seed", seed, microgpt.count, "a whole number, such as 42")
    screen = Screen(is_live=True)
    printing = contextlib.redirect_stdout(screen)
    with _watched(program), microgpt.collector_paused(), printing:
        program.main(seed)
    agrees = screen.shown() == _shown(stage) if seed == SEED else None
    return {"output": screen.shown(), "agrees": agrees}


def _load(stage: str) -> ModuleType:
    path = models.HOME / "stages" / f"{stage}.py"
    if not path.is_file():
        raise LabError(f"The book has no stage {stage}. Reload the page.")
    return load(path.read_text(encoding="utf-8"), path)


def _shown(stage: str) -> str:
    """Return what the book shows of a stage's output."""
    command = f"$ python build/stages/{stage}.py\n"
    texts = ("".join(example.lines) for example in book().examples)
    return next(text for text in texts if text.startswith(command))[len(command) :]


def _watched(program: ModuleType) -> contextlib.AbstractContextManager:
    """Let a stage tell how many names it has read: each one once, as tokens."""
    own = program.deal

    def deal(rng):
        tokenizer, docs, held_out = own(rng)
        encode, read = tokenizer.encode, 0
        count = _steps(program, docs) + len(held_out)

        def counted(doc):
            nonlocal read
            read += 1
            if read % EVERY == 0:
                tell(f"\r{read}/{count}")
            return encode(doc)

        tokenizer.encode = counted
        return tokenizer, docs, held_out

    return hooks.replaced(program, deal=deal)


def _steps(program: ModuleType, docs: list[str]) -> int:
    """Return how many names a stage learns from, one after the other."""
    if not hasattr(program, "train"):
        return len(docs)
    return inspect.signature(program.train).parameters["steps"].default
