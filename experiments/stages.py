"""The held-out losses of the book's stages, over several ways to deal the names."""

from __future__ import annotations

import contextlib
import io
import random
import re
from pathlib import Path
from types import ModuleType

from experiments.lists import cut, documents
from experiments.programs import BOOK, program
from literate.core.document import parse
from literate.core.modules import load, output_at

STAGES = ["stage1_counts", "stage2_table", "stage3_values"]
STAGES += ["stage4_attention", "stage5_layers"]


def stage(name: str, document: Path = BOOK, variant: str | None = None) -> ModuleType:
    """Return a stage of a document, or a variant of it, as a module."""
    book = parse(document.read_bytes().decode(), document.name)
    output = output_at(book, f"build/stages/{name}.py", variant)
    return load(output.text, document.parent / output.path)


def losses(which: str, seed: int, document: Path = BOOK) -> dict[str, float]:
    """Return the loss of each stage, with the names dealt by a seed.

    They learn from the names, and are tested on those, that a trial of 1,000 steps has.
    """
    modules = {name: stage(name, document) for name in STAGES}
    return {
        name: printed_loss(module, which, seed, document)
        for name, module in modules.items()
    }


def stage_4(which: str, variant: str, seed: int, document: Path = BOOK) -> float:
    """Return the loss of a variant of stage 4."""
    module = stage("stage4_attention", document, variant)
    return printed_loss(module, which, seed, document)


def deal(rng: random.Random, which: str, document: Path) -> tuple:
    """Return what the stages' own `deal` returns, of a list of names."""
    names = list(documents(which, document))
    rng.shuffle(names)
    docs, held_out = cut(names, which, 1000)
    return program(document).Tokenizer("".join(names)), docs[:1000], held_out


def printed_loss(
    module: ModuleType, which: str, seed: int, document: Path = BOOK
) -> float:
    """Return the loss that a stage prints when it gets the names of a list."""
    screen = io.StringIO()
    module.deal = lambda rng: deal(rng, which, document)
    with contextlib.redirect_stdout(screen):
        module.main(seed)
    return float(re.match(r"loss (\S+)", screen.getvalue())[1])
