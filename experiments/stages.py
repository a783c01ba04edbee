"""The held-out losses of the book's stages, over several ways to deal the names."""

from __future__ import annotations

import contextlib
import io
import random
import re
from pathlib import Path
from types import ModuleType

from experiments.lists import documents
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
    """Return the loss of each stage and of the program, with the names dealt by a seed.

    All learn from the same 1,000 names of a list and are tested on the same 600.
    """
    found = {}
    for name in STAGES:
        module = stage(name, document)
        found[name] = printed_loss(module, which, seed, document)
    microgpt = program(document)
    rng = random.Random(seed)
    tokenizer, docs, held_out = deal(rng, which, document)
    model = microgpt.Model(tokenizer).randomize(rng)
    with microgpt.collector_paused():
        for _ in microgpt.train(model, docs, 1000):
            pass
        found["microgpt"] = round(microgpt.loss_per_token(held_out, model), 4)
    return found


def without_attention(which: str, seed: int, document: Path = BOOK) -> float:
    """Return the loss of stage 4 when its head finds nothing."""
    module = stage("stage4_attention", document, "no-attention")
    return printed_loss(module, which, seed, document)


def deal(rng: random.Random, which: str, document: Path) -> tuple:
    """Return what the stages' own `deal` returns, of a list of names."""
    docs = list(documents(which, document))
    rng.shuffle(docs)
    return program(document).Tokenizer("".join(docs)), docs[:1000], docs[-600:]


def printed_loss(
    module: ModuleType, which: str, seed: int, document: Path = BOOK
) -> float:
    """Return the loss that a stage prints when it gets the names of a list."""
    screen = io.StringIO()
    module.deal = lambda rng: deal(rng, which, document)
    with contextlib.redirect_stdout(screen):
        module.main(seed)
    return float(re.match(r"loss (\S+)", screen.getvalue())[1])
