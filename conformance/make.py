"""Make the cases anew from the book's program: `python -m conformance.make`.

The weights of a model are drawn until no number of the case is so near to an edge that
rounding could push it over: a neuron's sum near 0, a slope that is nearly 0, a uniform
number near the border between two tokens.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from conformance.ports.book import Program
from literate.core.document import parse
from literate.core.modules import load, output_at

HOME = Path(__file__).resolve().parent
BOOK = HOME.parent / "microgpt.md"
CASES = HOME / "cases"
SHORT = ("forward", "loss", "gradients")
LONG = (*SHORT, "adam", "names")
EDGE = 1e-3


@dataclass
class Model:
    """What the case of a model is about, its documents, its sizes and its levels."""

    about: str
    chars: str
    documents: list[str]
    sizes: tuple[int, int, int, int]  # n_embd, n_head, n_layer, block_size
    levels: tuple[str, ...] = SHORT


MODELS = {
    "1-one-letter": Model("a name of one letter", "ab", ["a"], (2, 1, 1, 3), LONG),
    "2-two-heads": Model(
        "two heads, three documents", "adem", ["emma", "ada", "mae"], (4, 2, 1, 6), LONG
    ),
    "3-too-long": Model(
        "a document longer than block_size", "ahn", ["hannah"], (4, 1, 1, 4), LONG
    ),
    "4-two-layers": Model(
        "two layers, and two documents for three steps",
        "anoy",
        ["anna", "noa"],
        (4, 2, 2, 5),
        LONG,
    ),
    "5-four-heads": Model(
        "a wider model with four heads", "eilors", ["elise"], (8, 4, 1, 5)
    ),
    "6-three-layers": Model(
        "three layers, heads of a single number", "eiv", ["eve"], (4, 4, 3, 4)
    ),
}
DRAWS = [  # pairs: logits, and a uniform number
    ([1.0, 1.0, 1.0, 1.0], 0.0),
    ([1.0, 1.0, 1.0, 1.0], 0.25),  # on the border: the next token is drawn
    ([1.0, 1.0, 1.0, 1.0], 0.5),
    ([1.0, 1.0, 1.0, 1.0], 0.75),
    ([2.0, 1.0, 0.5, -1.0], 0.7),
    ([2.0, 1.0, 0.5, -1.0], 0.99),
    ([-3.0, 0.0, 4.0, 1.5], 0.999),
    ([-30.0, -31.0, -32.0, -29.5], 0.3),
]
SEED = {
    "chars": "abdeilmnorsvz",
    "vocab_size": 14,
    "documents": ["anna", "bea", "eve", "ida", "lena", "mia", "noa", "rosa", "zoe"],
    "n_embd": 8,
    "n_head": 2,
    "n_layer": 1,
    "block_size": 8,
    "seed": 42,
    "steps": 5,
    "learning_rate": 0.01,
    "temperature": 0.5,
    "samples": 5,
}


def program() -> Program:
    """Return the book's program as a port."""
    book = parse(BOOK.read_bytes().decode(), BOOK.name)
    text = output_at(book, "build/microgpt.py").text
    return Program(load(text, HOME.parent / "build" / "microgpt.py"))


def cases() -> dict[str, dict]:
    """Return all cases by their names."""
    port = program()
    made = {name: case_of(model, port) for name, model in MODELS.items()}
    draws = {
        "chars": "abc",
        "vocab_size": 4,
        "temperature": 0.5,
        "logits": [number for logits, _ in DRAWS for number in logits],
        "uniforms": [uniform for _, uniform in DRAWS],
    }
    made["7-draws"] = case("given logits and uniform numbers", draws, ("draw",), port)
    made["8-seed"] = case("a seed, and all that comes of it", SEED, ("seed",), port)
    return made


def case(about: str, given: dict, levels: tuple[str, ...], port: Program) -> dict:
    """Return a case: what is given, and what the program answers at each level."""
    expected = {level: dict(getattr(port, level)(given)) for level in levels}
    return {"about": about, "given": given, "expected": expected}


def case_of(model: Model, port: Program) -> dict:
    """Return the case of a model, with the first weights that keep off all edges."""
    for seed in count():
        given = given_of(model, port, random.Random(seed))
        made = case(model.about, given, model.levels, port)
        if keeps_off_edges(made, port):
            return made


def given_of(model: Model, port: Program, rng: random.Random) -> dict:
    """Return the data of a model, its numbers short: weights have three decimals."""
    sizes = dict(zip(port.module.SIZES, model.sizes))
    empty = port.module.Model(port.module.Tokenizer(model.chars), **sizes)
    encoded = [*map(empty.tokenizer.encode, model.documents)]
    shapes = empty.shapes()
    weights = {
        name: [round(rng.gauss(0, 0.5), 3) for _ in range(m * n)]
        for name, (m, n) in shapes.items()
    }
    weights["layer0.mlp_fc1"][: sizes["n_embd"]] = [0.0] * sizes["n_embd"]
    return {
        "chars": model.chars,
        "documents": model.documents,
        **sizes,
        "vocab_size": empty.tokenizer.vocab_size,
        "lengths": [*map(len, encoded)],
        "tokens": [*chain(*encoded)],
        "weights": [*chain(*weights.values())],
        "steps": 3,
        "learning_rate": 0.01,
        "temperature": 0.5,
        "samples": 3,
        "uniforms": [round(rng.random(), 4) for _ in range(3 * sizes["block_size"])],
    }


def keeps_off_edges(made: dict, port: Program) -> bool:
    """Tell whether no number that decides something is near to where it would not."""
    expected = made["expected"]
    sums = [n for name, x in expected["forward"].items() if "hidden" in name for n in x]
    slopes = expected["gradients"]["gradients"] if "adam" in expected else []
    far = all(n == 0 or abs(n) > EDGE for n in sums) and all(
        slope == 0 or abs(slope) > EDGE / 10 * max(slopes) for slope in slopes
    )
    return far and all(draws_the_same(made, move, port) for move in (-EDGE, EDGE))


def draws_the_same(made: dict, move: float, port: Program) -> bool:
    """Tell whether moved uniform numbers lead to the same names."""
    given, expected = made["given"], made["expected"].get("names")
    moved = {**given, "uniforms": [u + move for u in given["uniforms"]]}
    return expected in (None, port.names(moved))


def text_of(made: dict) -> str:
    """Return a case as JSON, each list of numbers on a line of its own."""
    given = ",\n".join(f"  {entry}" for entry in entries(made["given"]))
    levels = ",\n".join(
        f"  {json.dumps(level)}: {{\n"
        + ",\n".join(f"   {entry}" for entry in entries(answer))
        + "\n  }"
        for level, answer in made["expected"].items()
    )
    return (
        f'{{\n "about": {json.dumps(made["about"])},\n "given": {{\n{given}\n }},\n'
        f' "expected": {{\n{levels}\n }}\n}}\n'
    )


def entries(named: dict) -> list[str]:
    """Return the entries of a dictionary as JSON."""
    return [f"{json.dumps(name)}: {json.dumps(x)}" for name, x in named.items()]


def main() -> None:
    """Write all cases."""
    for name, made in cases().items():
        path = CASES / f"{name}.json"
        path.write_text(text_of(made), encoding="ascii", newline="\n")
        print(f"wrote {path.relative_to(HOME.parent)}")


if __name__ == "__main__":
    main()
