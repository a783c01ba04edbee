"""Draw the book's static figures from the results: python -m experiments.figures

They go to web/figures/, one SVG file each, and are drawn by plain string code. Lines
and letters have the current colour, which is a middle grey unless the page's style says
otherwise, surfaces a blue or an orange, and the ground is transparent, so that the
figures serve on light and on dark pages. Each is 360 wide, so that it is legible on a
phone. With --check nothing is written, and the exit status is 1 if a figure is not what
the results say.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from collections.abc import Callable
from html import escape
from itertools import groupby
from pathlib import Path

from experiments.programs import ROOT
from experiments.run import read
from experiments.tables import paired, trial_losses

FOLDER = ROOT / "web" / "figures"
BLUE, ORANGE = "#3b82c4", "#d9822b"
WIDTH = 360


class Drawing:
    """The lines of an SVG file, made by calls that draw."""

    def __init__(self, title: str, description: str, height: int) -> None:
        self.lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
            f' width="{WIDTH}" height="{height}" role="img" color="#808080"'
            ' font-family="sans-serif" font-size="11" fill="currentColor"'
            ' aria-labelledby="title description">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="description">{escape(description)}</desc>',
        ]

    def add(self, tag: str, text: str | None = None, **attributes) -> None:
        """Draw an element; underscores in the names of attributes become hyphens."""
        parts = [tag]
        for name, value in attributes.items():
            value = f"{value:g}" if isinstance(value, float) else value
            parts.append(f'{name.strip("_").replace("_", "-")}="{value}"')
        end = "/>" if text is None else f">{escape(text)}</{tag}>"
        self.lines.append(f"<{' '.join(parts)}{end}")

    def text(self, x: float, y: float, text: str, anchor: str = "middle", **more):
        """Write a word."""
        self.add("text", text, x=one(x), y=one(y), text_anchor=anchor, **more)

    def line(self, x1: float, y1: float, x2: float, y2: float, **more) -> None:
        """Draw a straight line."""
        places = {"x1": one(x1), "y1": one(y1), "x2": one(x2), "y2": one(y2)}
        self.add("line", **places, stroke="currentColor", **more)

    def svg(self) -> str:
        """Return the file."""
        return "\n".join([*self.lines, "</svg>\n"])


def one(number: float) -> float:
    """Round to a tenth of a pixel."""
    return round(float(number), 1)


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
        drawing.line(left, y(loss), right, y(loss), stroke_opacity=0.25)
        drawing.text(left - 5, y(loss) + 4, str(loss), "end")
    for step in range(0, len(losses) + 1, 250):
        drawing.line(x(step), bottom, x(step), bottom + 4)
        drawing.text(min(x(step), right - 8), bottom + 16, str(step))
    drawing.line(left, bottom, right, bottom)
    drawing.text((left + right) / 2, bottom + 32, "step")
    drawing.text(12, (top + bottom) / 2, "loss", transform=f"rotate(-90 12 {131})")
    points = " ".join(f"M{one(x(i + 0.5))} {one(y(v))}h0" for i, v in enumerate(losses))
    drawing.add(
        "path", d=points, stroke=BLUE, stroke_width=2.0, stroke_linecap="round",
        stroke_opacity=0.7, fill="none",
    )  # fmt: skip
    means = [
        statistics.fmean(losses[max(0, i - 49) : i + 1]) for i in range(len(losses))
    ]
    curve = " ".join(f"{one(x(i + 0.5))},{one(y(means[i]))}" for i in range(9, 1000, 5))
    drawing.add("polyline", points=curve, stroke=ORANGE, stroke_width=2.5, fill="none")
    dashed = {"upper dashes: guessing blindly": "uniform"}
    dashed["lower dashes: counting pairs"] = "bigram"
    for place, (label, name) in enumerate(dashed.items()):
        level = ladder[name]["add one"]
        drawing.line(left, y(level), right, y(level), stroke_dasharray="5 4")
        drawing.text(right, bottom - 22 + 15 * place, f"{label}, {level:.2f}", "end")
    drawing.add("circle", cx=left + 12, cy=bottom - 26, r=2.5, fill=BLUE)
    drawing.text(left + 20, bottom - 22, "one step", "start")
    drawing.add("rect", x=left + 6, y=bottom - 12, width=12, height=3, fill=ORANGE)
    drawing.text(left + 22, bottom - 7, "mean of the last 50", "start")
    return drawing.svg()


CHANGED = ("no attention", "no MLP", "no residuals", "no positions", "no norms")
CHANGED += ("no first norm", "tied head", "no √d", "no decay")
CHANGED += ("SGD, rate 0.5", "SGD, rate 0.01")


def ablations(results: dict) -> str:
    """Draw how the held-out loss changes when one thing is changed."""
    found = {
        which: {name: change(results, which, name) for name in CHANGED}
        for which in ("own", "published")
    }
    drawing = Drawing(
        "How the loss on held-out names changes when one thing is changed",
        "A dot for each list is the mean change over twelve ways to deal the names, "
        "a bar reaches two standard errors to each side. On the book's list: "
        + "; ".join(f"{name} {mean:+.3f}" for name, (mean, _) in found["own"].items())
        + ".",
        336,
    )
    left, right, top, height = 100, 350, 30, 22
    bottom = top + height * len(CHANGED)
    means = [mean for several in found.values() for mean, _ in several.values()]
    low, high = (
        0.05 * math.floor(min(means) / 0.05),
        0.05 * math.ceil(max(means) / 0.05),
    )

    def x(loss: float) -> float:
        return left + (right - left) * (loss - low) / (high - low)

    for tick in range(round(low / 0.05), round(high / 0.05) + 1):
        faint = {"stroke_opacity": 0.25} if tick else {"stroke_dasharray": "3 3"}
        drawing.line(x(0.05 * tick), top, x(0.05 * tick), bottom, **faint)
        label = f"{0.05 * tick:+.2f}" if tick else "0"
        drawing.text(x(0.05 * tick), bottom + 15, label, font_size=10)
    for place, name in enumerate(CHANGED):
        drawing.text(left - 8, top + height * (place + 0.5) + 4, name, "end")
    for list_, (which, several) in enumerate(found.items()):
        colour = (BLUE, ORANGE)[list_]
        drawing.add("circle", cx=left + 4 + 90 * list_, cy=12, r=3.5, fill=colour)
        drawing.text(left + 12 + 90 * list_, 16, f"{which} list", "start")
        for place, (mean, error) in enumerate(several.values()):
            y = one(top + height * (place + 0.5) + 8 * list_ - 4)
            start, width = one(x(mean - 2 * error)), one(x(4 * error) - x(0))
            path = f"M{start} {y}h{width}"
            drawing.add("path", d=path, stroke=colour, stroke_width=2.0)
            drawing.add("circle", cx=one(x(mean)), cy=y, r=3.5, fill=colour)
    drawing.text((left + right) / 2, bottom + 33, "change of the loss, nats per token")
    return drawing.svg()


def change(results: dict, which: str, name: str) -> tuple[float, float]:
    """Return the mean change that a trial makes, and its standard error."""
    pair = [trial_losses(results, which, "1000", each) for each in ("baseline", name)]
    return paired(*pair)


def attention(results: dict, run: str = "attention", steps: str = "1,000") -> str:
    """Draw where each head looks while the model reads "sarah"."""
    heads = results["own"][run]["sarah"]
    seen = ["BOS", *"sarah"]
    drawing = Drawing(
        f'What the four heads look at in "sarah", after {steps} steps',
        "Four triangles of squares, one a head. A row is the position that looks, a "
        "column the position it looks at; the number is the weight in percent. "
        + " ".join(last_row(heads, seen)),
        382,
    )
    cell = 22
    for head, rows in enumerate(heads):
        left, top = 34 + 180 * (head % 2), 36 + 190 * (head // 2)
        drawing.text(left + 3 * cell, top - 22, f"head {head + 1}", font_weight="bold")
        for column, name in enumerate(seen):
            drawing.text(left + (column + 0.5) * cell, top - 5, name, font_size=10)
        for row, weights in enumerate(rows):
            middle = top + (row + 0.5) * cell + 4
            drawing.text(left - 4, middle, seen[row], "end", font_size=10)
            for column, weight in enumerate(weights):
                drawing.add(
                    "rect", x=left + column * cell, y=top + row * cell,
                    width=cell - 1, height=cell - 1, fill=heat(weight),
                )  # fmt: skip
                place = left + (column + 0.5) * cell - 0.5
                ink = "#ffffff" if weight > 0.45 else "#222222"
                share = f"{100 * weight:.0f}"
                drawing.text(place, middle - 0.5, share, font_size=10, fill=ink)
    return drawing.svg()


def attention_later(results: dict) -> str:
    """Draw the same after five times as many steps."""
    return attention(results, "attention later", "5,000")


def heat(weight: float) -> str:
    """Return a colour between a pale and a deep blue, the same on every page."""
    pale, deep = (232, 240, 250), (25, 84, 150)
    mixed = [round(p + (d - p) * weight) for p, d in zip(pale, deep)]
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def last_row(heads: list, seen: list[str]) -> list[str]:
    """Return a sentence a head about what it looks at most from the last letter."""
    sentences = []
    for head, rows in enumerate(heads, start=1):
        weight = max(rows[-1])
        name = seen[rows[-1].index(weight)]
        sentences.append(f"From the h, head {head} looks most at {name}, {weight:.0%}.")
    return sentences


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
                height=one(size), fill=BLUE if letter != "end" else ORANGE,
            )  # fmt: skip
            drawing.text(x + wide / 2, ground - size - 3, percent(share), font_size=9)
            drawing.text(x + wide / 2, ground + 13, letter)
    middle = left + wide * len(letters) / 2
    drawing.text(middle, 328, 'the letter after "ma", and its probability in percent')
    return drawing.svg()


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
        drawing.text(x, y - 17, kind, "start", font_weight="bold", font_size=10)
        drawing.text(x, y - 5, shape(rows), "start", font_size=10)
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
        drawing.text(left + width * place / 2, top + 24, text, anchor, font_size=10)
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
        stroke="currentColor", stroke_opacity=0.4,
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
    colour = BLUE if tenths > 0 else ORANGE
    return {"fill": colour, "fill_opacity": abs(tenths) / STRONGEST}


def percent(share: float) -> str:
    """Return a share in percent, with a digit after the point where it is small."""
    number = 100 * share
    return f"{number:.0f}" if number >= 1 or number == 0 else f"{number:.1f}"


FIGURES: dict[str, Callable[[dict], str]] = {
    "loss.svg": loss_curve,
    "ablations.svg": ablations,
    "attention.svg": attention,
    "attention-later.svg": attention_later,
    "temperatures.svg": temperatures,
    "parameters.svg": parameters,
}


def main() -> int:
    """Draw all figures, or compare them; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--out", type=Path, default=FOLDER)
    options = parser.parse_args()
    results, status = read(), 0
    for name, draw in FIGURES.items():
        path, text = options.out / name, draw(results)
        if options.check:
            old = path.read_text(encoding="utf-8") if path.exists() else None
            status |= int(old != text)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    if options.check:
        print("a figure is out of date" if status else "the figures are up to date")
    return status


if __name__ == "__main__":
    sys.exit(main())
