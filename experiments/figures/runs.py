"""Figures of what runs have found: losses, weights, probabilities, parameters."""

from __future__ import annotations

import math
import statistics
from itertools import groupby

from experiments.figures.drawing import (
    ABOVE,
    BELOW,
    KEY,
    LOSS,
    QUERY,
    RULE,
    SOFT,
    TOKEN,
    Drawing,
    figure,
    one,
    percent,
)
from experiments.tables import trial_change


@figure("loss")
def loss_curve(results: dict) -> str:
    """Draw each loss of the default run, the mean of 50 steps, and two baselines."""
    losses = results["own"]["default run"]["losses"]
    ladder = results["own"]["ladder"]["1000"]["42"]
    left, right, top, bottom, low, high = 36, 350, 12, 250, 1.0, 4.5
    drawing = Drawing(
        "The loss of the default run",
        f"Loss in nats per token against the step. Single steps scatter between "
        f"{min(losses):.2f} and {max(losses):.2f}; the mean of 50 steps falls from "
        f"{statistics.fmean(losses[:50]):.2f} to {statistics.fmean(losses[-50:]):.2f}.",
        290,
    )

    def x(step: float) -> float:
        return left + (right - left) * step / len(losses)

    def y(loss: float) -> float:
        return bottom - (bottom - top) * (loss - low) / (high - low)

    for loss in (1, 2, 3, 4):
        drawing.line(left, y(loss), right, y(loss), stroke=RULE)
        drawing.text(left - 5, y(loss) + 4, str(loss), "end")
    for step in range(0, len(losses) + 1, 250):
        drawing.line(x(step), bottom, x(step), bottom + 4)
        drawing.text(min(x(step), right - 8), bottom + 16, str(step))
    drawing.line(left, bottom, right, bottom)
    drawing.text((left + right) / 2, bottom + 32, "step")
    drawing.text(12, (top + bottom) / 2, "loss", transform="rotate(-90 12 131)")
    points = " ".join(f"M{one(x(i + 0.5))} {one(y(v))}h0" for i, v in enumerate(losses))
    drawing.add(
        "path", d=points, stroke=SOFT, stroke_width=2.0, stroke_linecap="round",
        stroke_opacity=0.7, fill="none",
    )  # fmt: skip
    means = [
        statistics.fmean(losses[max(0, i - 49) : i + 1]) for i in range(len(losses))
    ]
    curve = [(x(i + 0.5), y(means[i])) for i in range(9, 1000, 5)]
    drawing.curve(curve, stroke=LOSS, stroke_width=2.5)
    dashed = {"upper dashes: guessing blindly": "uniform"}
    dashed["lower dashes: counting pairs"] = "bigram"
    for place, (label, name) in enumerate(dashed.items()):
        level = ladder[name]["add one"]
        drawing.line(left, y(level), right, y(level), stroke_dasharray="5 4")
        drawing.text(right, bottom - 22 + 15 * place, f"{label}, {level:.2f}", "end")
    drawing.dot(left + 12, bottom - 26, SOFT, 2.5)
    drawing.text(left + 20, bottom - 22, "one step", "start")
    drawing.add("rect", x=left + 6, y=bottom - 12, width=12, height=3, fill=LOSS)
    drawing.text(left + 22, bottom - 7, "mean of 50", "start")
    return drawing.svg()


@figure("larger")
def larger(results: dict) -> str:
    """Draw a larger model's losses on names that it learned from, and on others."""
    losses = {int(step): found for step, found in results["larger"]["losses"].items()}
    curves = {
        name: [(step, found[name]) for step, found in sorted(losses.items()) if step]
        for name in ("held out", "trained on")
    }
    left, right, top, bottom, low, high = 36, 350, 12, 190, 1.7, 2.3
    last = max(losses)
    drawing = Drawing(
        "The losses of a larger model",
        f"Loss in nats per token against the step. Until step 1,000 both curves are "
        f"one; at step {last:,} the held-out names are at "
        f"{losses[last]['held out']:.2f}, those learned from at "
        f"{losses[last]['trained on']:.2f}.",
        230,
    )

    def x(step: float) -> float:
        return left + (right - left) * step / last

    def y(loss: float) -> float:
        return bottom - (bottom - top) * (loss - low) / (high - low)

    for tick in range(round(10 * low), round(10 * high) + 1):
        drawing.line(left, y(tick / 10), right, y(tick / 10), stroke=RULE)
        drawing.text(left - 5, y(tick / 10) + 4, f"{tick / 10:.1f}", "end")
    for step in range(0, last + 1, last // 5):
        drawing.line(x(step), bottom, x(step), bottom + 4)
        drawing.text(min(x(step), right - 16), bottom + 16, f"{step:,}")
    drawing.line(left, bottom, right, bottom)
    drawing.text((left + right) / 2, bottom + 32, "step")
    for (name, points), colour in zip(curves.items(), (LOSS, SOFT)):
        drawing.curve([(x(a), y(b)) for a, b in points], stroke=colour, stroke_width=2)
        middle = points[len(points) // 2]
        below = 18 if name == "trained on" else -8
        drawing.text(x(middle[0]), y(middle[1]) + below, name)
    return drawing.svg()


CHANGED = ("no attention", "no positions", "letters only", "no MLP", "no residuals")
CHANGED += ("no norms", "no first norm", "tied head", "no √d", "no decay")
CHANGED += ("SGD, rate 0.5", "SGD, rate 0.01")


@figure("ablations")
def ablations(results: dict) -> str:
    """Draw how the held-out loss changes when one thing is changed."""
    found = {
        which: {name: trial_change(results, which, name) for name in CHANGED}
        for which in ("own", "published")
    }
    drawing = Drawing(
        "How the loss on held-out names changes when one thing is changed",
        "A dot for each list is the mean change over twelve ways to deal the names, "
        "a bar reaches two standard errors to each side. On the book's list: "
        + "; ".join(f"{name} {mean:+.3f}" for name, (mean, _) in found["own"].items())
        + ".",
        72 + 22 * len(CHANGED),
    )
    left, right, top, height = 100, 338, 30, 22
    bottom = top + height * len(CHANGED)
    means = [mean for several in found.values() for mean, _ in several.values()]
    low, high = (
        0.05 * math.floor(min(means) / 0.05),
        0.05 * math.ceil(max(means) / 0.05),
    )

    def x(loss: float) -> float:
        return left + (right - left) * (loss - low) / (high - low)

    for tick in range(round(low / 0.05), round(high / 0.05) + 1):
        faint = {"stroke": RULE} if tick else {"stroke_dasharray": "3 3"}
        drawing.line(x(0.05 * tick), top, x(0.05 * tick), bottom, **faint)
        label = f"{0.05 * tick:+.2f}" if tick else "0"
        drawing.text(x(0.05 * tick), bottom + 15, label)
    for place, name in enumerate(CHANGED):
        drawing.text(left - 8, top + height * (place + 0.5) + 4, name, "end")
    for list_, (which, several) in enumerate(found.items()):
        colour = (LOSS, SOFT)[list_]
        drawing.dot(left + 4 + 90 * list_, 12, colour, 3)
        drawing.text(left + 12 + 90 * list_, 16, f"{which} list", "start")
        for place, (mean, error) in enumerate(several.values()):
            y = one(top + height * (place + 0.5) + 8 * list_ - 4)
            start, width = one(x(mean - 2 * error)), one(x(4 * error) - x(0))
            path = f"M{start} {y}h{width}"
            drawing.add("path", d=path, stroke=colour, stroke_width=1.5)
            drawing.dot(x(mean), y, colour, 2.2)
    drawing.text((left + right) / 2, bottom + 33, "change of the loss, nats per token")
    return drawing.svg()


@figure("attention")
def attention(results: dict, run: str = "attention", steps: str = "1,000") -> str:
    """Draw where each head looks while the model reads "sarah"."""
    heads = results["own"][run]["sarah"]
    seen = ["BOS", *"sarah"]
    drawing = Drawing(
        f'What the four heads look at in "sarah", after {steps} steps',
        "Four triangles of squares, one a head. A row is the position that looks, a "
        "column the position it looks at; the number is the weight in percent. "
        + " ".join(last_row(heads, seen)),
        400,
    )
    cell = 24
    for head, rows in enumerate(heads):
        left, top = 32 + 180 * (head % 2), 36 + 202 * (head // 2)
        drawing.text(left + 3 * cell, top - 22, f"head {head + 1}", font_weight="bold")
        for column, name in enumerate(seen):
            drawing.text(left + (column + 0.5) * cell, top - 5, name, fill=KEY)
        for row, weights in enumerate(rows):
            middle = top + (row + 0.5) * cell + 4
            drawing.text(left - 4, middle, seen[row], "end", fill=QUERY)
            for column, weight in enumerate(weights):
                drawing.add(
                    "rect", x=left + column * cell, y=top + row * cell,
                    width=cell - 1, height=cell - 1, fill=QUERY,
                    fill_opacity=DEEPEST * weight,
                )  # fmt: skip
                place = left + (column + 0.5) * cell - 0.5
                drawing.text(place, middle - 0.5, f"{100 * weight:.0f}")
    return drawing.svg()


@figure("attention-later")
def attention_later(results: dict) -> str:
    """Draw the same after five times as many steps."""
    return attention(results, "attention later", "5,000")


DEEPEST = 0.4  # of the colour of a weight of 1: what is written on it can be read


def last_row(heads: list, seen: list[str]) -> list[str]:
    """Return a sentence a head about what it looks at most from the last letter."""
    sentences = []
    for head, rows in enumerate(heads, start=1):
        weight = max(rows[-1])
        name = seen[rows[-1].index(weight)]
        sentences.append(f"From the h, head {head} looks most at {name}, {weight:.0%}.")
    return sentences


@figure("temperatures")
def temperatures(results: dict) -> str:
    """Draw the guess about the letter after "ma" at three temperatures."""
    found = results["own"]["next letters"]
    shown = ("0.5", "1.0", "1.5")
    letters = sorted(found["1.0"], key=found["1.0"].get, reverse=True)[:10]
    drawing = Drawing(
        'The guess about the letter after "ma" at three temperatures',
        "Bars for the ten likeliest letters. "
        + " ".join(
            f"At {t} the likeliest, {letters[0]}, has {found[t][letters[0]]:.0%}."
            for t in shown
        ),
        334,
    )
    left, height, wide = 40, 72, 31
    highest = max(found[shown[0]].values())
    for panel, t in enumerate(shown):
        ground = 88 + panel * 106
        right = left + wide * len(letters)
        drawing.text(right, ground - height + 20, f"temperature {t}", "end")
        drawing.line(left, ground, right, ground)
        for place, letter in enumerate(letters):
            share = found[t][letter]
            size = height * share / highest
            x = left + place * wide
            drawing.add(
                "rect", x=x + 4, y=one(ground - size), width=wide - 8,
                height=one(size), fill=TOKEN if letter != "end" else SOFT,
            )  # fmt: skip
            drawing.text(x + wide / 2, ground - size - 3, percent(share))
            drawing.text(x + wide / 2, ground + 13, letter)
    middle = left + wide * len(letters) / 2
    drawing.text(middle, 328, 'the letter after "ma", and its probability in percent')
    return drawing.svg()


@figure("parameters")
def parameters(results: dict) -> str:
    """Draw all trained matrices to scale: a square is a number."""
    found = results["own"]["parameters"]
    total = sum(len(row) for rows in found.values() for row in rows)
    drawing = Drawing(
        f"The {total:,} trained parameters, to scale",
        "Nine grids of small squares, one for each matrix. Blue squares are numbers "
        "above 0, orange ones below, and the stronger the colour, the farther from 0. "
        + ". ".join(f"{name}: {shape(rows)}" for name, rows in found.items())
        + ".",
        446,
    )
    for name, rows in found.items():
        kind = name.rpartition(".")[2]
        x, y = MATRICES[kind]
        drawing.text(x, y - 18, kind, "start", font_weight="bold")
        drawing.text(x, y - 5, shape(rows), "start")
        frame(drawing, x, y, CELL * len(rows[0]), CELL * len(rows))
        for tenths in (*range(-STRONGEST, 0), *range(1, STRONGEST + 1)):
            squares(drawing, rows, tenths, x, y)
    left, top, side = 230, 50, 11
    drawing.text(left, top - 10, f"{total:,} parameters", "start")
    for place, tenths in enumerate(range(-STRONGEST, STRONGEST + 1)):
        x = left + side * place
        drawing.add("rect", x=x, y=top, width=side, height=side, **paint(tenths))
    width = side * (2 * STRONGEST + 1)
    frame(drawing, left, top, width, side)
    ends = {"start": f"-{STRONGEST / 10}", "middle": "0", "end": f"{STRONGEST / 10}"}
    for place, (anchor, text) in enumerate(ends.items()):
        drawing.text(left + width * place / 2, top + 25, text, anchor)
    return drawing.svg()


CELL = 4  # pixels
STRONGEST = 5  # tenths from which on a number has the full colour
MATRICES = {  # where they are drawn
    "wte": (8, 36),
    "wpe": (78, 36),
    "lm_head": (148, 36),
    "attn_wq": (8, 182),
    "attn_wk": (78, 182),
    "attn_wv": (148, 182),
    "attn_wo": (218, 182),
    "mlp_fc1": (290, 182),
    "mlp_fc2": (8, 284),
}


def shape(rows: list[list[int]]) -> str:
    """Return how many rows and columns there are, in words."""
    return f"{len(rows)} × {len(rows[0])}"  # noqa: RUF001 (a multiplication sign)


def frame(drawing: Drawing, x: float, y: float, width: float, height: float) -> None:
    """Draw a faint frame."""
    drawing.add(
        "rect", x=x, y=y, width=width, height=height, fill="none",
        stroke=RULE,
    )  # fmt: skip


def squares(drawing: Drawing, rows: list, tenths: int, x: int, y: int) -> None:
    """Draw all numbers of a matrix that have one of the colours, in one path."""
    lines = []
    for place, row in enumerate(rows):
        column = 0
        for number, run in groupby(row, lambda n: max(-STRONGEST, min(STRONGEST, n))):
            length = len([*run])
            if number == tenths:
                lines.append(f"M{column} {place}h{length}")
            column += length
    if lines:
        fill, opacity = paint(tenths).values()
        drawing.add(
            "path", d="".join(lines), stroke=fill, stroke_opacity=opacity,
            transform=f"translate({x} {y + CELL / 2:g}) scale({CELL})",
            shape_rendering="crispEdges",
        )  # fmt: skip


def paint(tenths: int) -> dict:
    """Return how a number is filled."""
    colour = ABOVE if tenths > 0 else BELOW
    return {"fill": colour, "fill_opacity": abs(tenths) / STRONGEST}
