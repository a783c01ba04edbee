"""Figures of the machine: what is looked up, compared, added and kept."""

from __future__ import annotations

import random

from experiments.figures.drawing import (
    ABOVE,
    BELOW,
    INK,
    KEY,
    QUERY,
    RULE,
    SOFT,
    STREAM,
    TOKEN,
    VALUE,
    Drawing,
    figure,
    one,
)
from experiments.programs import program

ALPHABET = "abcdefghijklmnopqrstuvwxyz"

# The language of the drawings

MEANINGS = {
    "token": "a letter, as a number",
    "stream": "what is known so far",
    "query": "what is looked for",
    "key": "what is on offer",
    "value": "what is handed over",
    "mlp": "thinks, at one place",
    "loss": "how wrong it was",
    "slope": "which way is better",
}


@figure("language")
def language(results: dict) -> str:
    """Draw the shape of each kind of thing, in its colour, beside its name."""
    drawing = Drawing(
        "The language of the drawings",
        "A shape and a colour for each of eight kinds of things. Token: a green tile. "
        "Stream: a thick blue line. Query: an orange box that leans to the right. Key: "
        "a purple box that leans to the left. Value: a box with round ends, blue-green."
        " MLP: an ochre hexagon. Loss: a red circle. Slope: a dashed line, pink.",
        196,
    )
    for place, (kind, meaning) in enumerate(MEANINGS.items()):
        left, y = 6 + 184 * (place % 2), 26 + 48 * (place // 2)
        colour = f"var(--{kind})"
        if kind in ("stream", "slope"):
            more = {"stroke_width": 2, "stroke_dasharray": "5 4"}
            more = {"stroke_width": 6} if kind == "stream" else more
            drawing.line(left, y, left + 38, y, stroke=colour, **more)
        else:
            drawing.shape(kind, left + 19, y, 24 if kind == "token" else 38, 24)
        name = kind.upper() if kind == "mlp" else kind
        drawing.text(left + 46, y - 2, name, "start", fill=colour, font_weight="bold")
        drawing.text(left + 46, y + 13, meaning, "start")
    return drawing.svg()


# The query and the keys of the chapter's own example

ASKED = (1.0, 0.0)
OFFERED = [(0.0, 1.0), (2.0, 0.0), (1.0, 1.0)]
GIVEN = [(10.0, 0.0), (0.0, 10.0), (5.0, 5.0)]


def looked_back() -> tuple[list[float], list[float], list[float]]:
    """Return the scores, the weights and the mix that the program finds."""
    microgpt = program()
    query, *keys = ([microgpt.Value(x) for x in v] for v in (ASKED, *OFFERED))
    values = [[microgpt.Value(x) for x in v] for v in GIVEN]
    scores = microgpt.linear(query, keys)
    weights = microgpt.softmax([s / len(query) ** 0.5 for s in scores])
    mix = microgpt.look_back(query, keys, values)
    return tuple([x.data for x in numbers] for numbers in (scores, weights, mix))


@figure("query-and-keys")
def query_and_keys(results: dict) -> str:
    """Draw the query and the keys as arrows, and the mix among the values."""
    scores, weights, mix = looked_back()
    shares = ", ".join(f"{weight:.0%}" for weight in weights)
    drawing = Drawing(
        "A query, three keys, and the mix of three values",
        f"Left: arrows from one point. The query and key 1 point to the right, key 0 "
        f"up, key 2 between them. The weights are {shares}. Right: the three values "
        f"as points on a line, and their mix at {mix[0]:.2f}, {mix[1]:.2f}.",
        200,
    )
    x, y, unit = 34, 144, 56
    drawing.line(x - 10, y, x + 2.5 * unit, y, stroke=RULE)
    drawing.line(x, y + 10, x, y - 2.3 * unit, stroke=RULE)
    for t, (key, score) in enumerate(zip(OFFERED, scores)):
        end = x + unit * key[0], y - unit * key[1]
        drawing.arrow(x, y, *end, KEY, 2)
        aside = {0: (6, -4), 1: (-16, -10), 2: (6, -2)}[t]
        words = f"key {t}: {score:g}"
        drawing.text(end[0] + aside[0], end[1] + aside[1], words, "start", fill=KEY)
    drawing.arrow(x, y, x + unit * ASKED[0], y, QUERY, 4)
    drawing.text(x + unit / 2, y + 20, "query", fill=QUERY, font_weight="bold")
    drawing.text(96, 192, "score: how far along?")
    left, scale = 222, 10.6
    drawing.line(left - 6, y, left + 124, y, stroke=RULE)
    drawing.line(left, y + 6, left, y - 124, stroke=RULE)
    out = left + scale * mix[0], y - scale * mix[1]
    for t, (value, weight) in enumerate(zip(GIVEN, weights)):
        place = left + scale * value[0], y - scale * value[1]
        drawing.line(*place, *out, stroke=VALUE, stroke_width=one(10 * weight))
        drawing.dot(*place, VALUE, 6.0)
        aside = {0: (10, 20, "end"), 1: (10, 0, "start"), 2: (9, -6, "start")}[t]
        words = f"value {t}: {weight:.0%}"
        drawing.text(place[0] + aside[0], place[1] + aside[1], words, aside[2],
                     fill=VALUE)  # fmt: skip
    drawing.dot(*out, INK, 5.0)
    drawing.text(out[0] + 10, out[1] + 2, "the mix", "start", font_weight="bold")
    drawing.text(276, 192, "mix: how much of each?")
    return drawing.svg()


# A row that is looked up


def fresh_embeddings() -> list[list[float]]:
    """Return wte as the chapter's session draws it, before it has learned anything."""
    microgpt = program()
    model = microgpt.Model(microgpt.Tokenizer(ALPHABET))
    matrix = model.randomize(random.Random(42)).state_dict["wte"]
    return [[number.data for number in row] for row in matrix]


@figure("embedding")
def embedding(results: dict) -> str:
    """Draw how token 4 takes its row out of wte."""
    matrix = fresh_embeddings()
    chosen, cell, left, top = 4, 7, 112, 26
    first = ", ".join(f"{number:.2f}" for number in matrix[chosen][:4])
    drawing = Drawing(
        "The row of a letter is looked up",
        f"The letter e is token 4. Of the matrix wte, 27 rows of 16 numbers, row 4 is "
        f"taken out. It begins with {first}.",
        226,
    )
    middle = top + (chosen + 0.5) * cell

    def row(numbers: list[float], x: float, y: float, size: float) -> None:
        for column, number in enumerate(numbers):
            strength = min(1.0, abs(number) / 0.2)
            drawing.add(
                "rect", x=x + column * size, y=y, width=size, height=size,
                fill=ABOVE if number > 0 else BELOW, fill_opacity=strength,
            )  # fmt: skip

    for place, numbers in enumerate(matrix):
        row(numbers, left, top + place * cell, cell)
    width = cell * 16
    for y, size in ((top, cell * 27), (top + chosen * cell, cell)):
        is_row = size == cell
        drawing.add(
            "rect", x=left, y=y, width=width, height=size, fill="none",
            stroke=INK if is_row else RULE, stroke_width=2 if is_row else 1,
        )  # fmt: skip
    drawing.text(left + width / 2, top - 8, "wte: 27 rows")
    drawing.shape("token", 20, middle, 26, 26, "e")
    drawing.text(38, middle - 6, "token 4", "start", fill=TOKEN)
    drawing.arrow(38, middle, left - 4, middle, TOKEN)
    drawing.text(left - 6, top + 10, "row 0", "end")
    drawing.text(left - 6, top + 27 * cell, "row 26", "end")
    right = left + width
    drawing.arrow(right + 4, middle, right + 22, middle, STREAM, 2)
    row(matrix[chosen], right + 26, middle - 7, 6.5)
    drawing.add(
        "rect", x=right + 26, y=middle - 7, width=104, height=6.5, fill="none",
        stroke=STREAM, stroke_width=1.5,
    )  # fmt: skip
    drawing.text(right + 26, middle - 14, "16 numbers:", "start")
    for place, number in enumerate(matrix[chosen][:4]):
        y = middle + 20 + 16 * place
        drawing.text(right + 66, y, f"{number:.2f}", "end")
    drawing.text(right + 66, middle + 84, "and 12 more", "middle")
    return drawing.svg()


# The stream through a layer


@figure("stream")
def stream(results: dict) -> str:
    """Draw the stream, and what attention and the MLP add to it."""
    sizes = results["own"]["stream"]
    drawing = Drawing(
        "The residual stream through a layer",
        "A thick line runs down. Attention reads it through a norm, makes query, key "
        "and value, looks back, and adds what it found. The MLP reads it through a "
        f"norm, and adds what it makes of it. Typical sizes: the stream "
        f"{sizes['stream']:.2f}, attention adds {sizes['attention adds']:.2f}, the MLP "
        f"adds {sizes['MLP adds']:.2f}.",
        424,
    )
    x, branch = 82, 240
    drawing.shape("token", 52, 18, 26, 24, "m")
    drawing.shape("token", 112, 18, 26, 24, "3")
    drawing.text(132, 22, "letter and position", "start")
    for side in (52, 112):
        drawing.arrow(side, 32, x + (-6 if side < x else 6), 54, TOKEN)
    drawing.line(x, 56, x, 396, stroke=STREAM, stroke_width=9)
    drawing.outline([(x - 10, 394), (x + 10, 394), (x, 408)], fill=STREAM)
    drawing.text(x, 422, "27 scores")
    drawing.text(x - 10, 84, f"size {sizes['stream']:.2f}", "end", fill=STREAM)
    drawing.text(x - 12, 384, "16 numbers", "end", fill=STREAM)

    def box(y: float, words: str, width: float = 150) -> None:
        drawing.add(
            "rect", x=branch - width / 2, y=y - 12, width=width, height=24, rx=2,
            fill="none", stroke=SOFT,
        )  # fmt: skip
        drawing.text(branch, y + 4, words)

    def leave(y: float) -> None:
        drawing.arrow(x + 5, y, branch - 77, y)
        box(y, "norm: standard size")

    def join(y: float, words: str, size: float) -> None:
        drawing.arrow(branch - 77, y, x + 15, y, SOFT, 2)
        drawing.add("circle", cx=x, cy=y, r=12, fill="var(--paper)", stroke=STREAM,
                    stroke_width=2)  # fmt: skip
        drawing.text(x, y + 5, "+", font_weight="bold", font_size=16)
        box(y, f"{words} adds {size:.2f}")

    leave(84)
    for place, kind in enumerate(("query", "key", "value")):
        middle = branch + 56 * (place - 1)
        drawing.arrow(middle, 97, middle, 116)
        drawing.shape(kind, middle, 130, 50, 24, kind)
        drawing.arrow(middle, 143, middle, 160)
    box(174, "4 heads look back", 166)
    drawing.arrow(branch, 187, branch, 206)
    join(220, "attention", sizes["attention adds"])
    leave(262)
    drawing.arrow(branch, 275, branch, 292)
    drawing.shape("mlp", branch, 307, 150, 28, "MLP: 16 → 64 → 16")
    drawing.arrow(branch, 322, branch, 340)
    join(354, "the MLP", sizes["MLP adds"])
    return drawing.svg()


# The cache fills


@figure("cache")
def cache(results: dict) -> str:
    """Draw the keys and values that are there at each position of emma."""
    letters = ["BOS", *"emma"]
    total = sum(range(1, len(letters) + 1))
    drawing = Drawing(
        "The KV cache fills",
        f"Five rows, one a position of BOS, e, m, m, a. Each adds one key and one value"
        f" to those kept from the rows above: {len(letters)} of each are made, and "
        f"{total} are looked at.",
        206,
    )
    drawing.text(58, 16, "query", fill=QUERY)
    drawing.text(152, 16, "keys", fill=KEY)
    drawing.text(298, 16, "values", fill=VALUE)
    for row, letter in enumerate(letters):
        y = 38 + 34 * row
        drawing.text(32, y + 4, letter, "end")
        drawing.shape("query", 58, y, 30, 20)
        for column in range(row + 1):
            fill = 0.75 if column == row else 0.12
            drawing.shape("key", 102 + 26 * column, y, 26, 20, fill=fill)
            drawing.shape("value", 248 + 25 * column, y, 21, 20, fill=fill)
    drawing.text(226, 200, "strong: made here; pale: kept", "middle")
    return drawing.svg()
