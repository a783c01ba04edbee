"""Figures of how a program learns: slopes, surprise, softmax, steps in a valley."""

from __future__ import annotations

import math
from collections.abc import Callable

from experiments.figures.drawing import (
    INK,
    LOSS,
    RULE,
    SLOPE,
    SOFT,
    TOKEN,
    Drawing,
    figure,
)
from experiments.programs import program

Point = tuple[float, float]


def scales(left: float, top: float, right: float, bottom: float,
           low: Point, high: Point) -> tuple[Callable, Callable]:  # fmt: skip
    """Return what turns numbers between two points into pixels, across and up."""

    def across(x: float) -> float:
        return left + (right - left) * (x - low[0]) / (high[0] - low[0])

    def up(y: float) -> float:
        return bottom - (bottom - top) * (y - low[1]) / (high[1] - low[1])

    return across, up


def between(low: float, high: float, count: int = 60) -> list[float]:
    """Return numbers at equal distances, both ends included."""
    return [low + (high - low) * i / count for i in range(count + 1)]


# The slope of (a · b + 1)² at a = 2, b = 3


def result(a: float) -> float:
    """Return the result of the chapter's calculation with b = 3."""
    return (a * 3 + 1) ** 2


def tangent(a: float) -> float:
    """Return the height of the line that touches the curve at a = 2."""
    return 49 + 42 * (a - 2)


@figure("slope")
def slope(results: dict) -> str:
    """Draw a curve and its tangent, with a piece of the way across and up."""
    drawing = Drawing(
        "A curve and its tangent",
        f"The result of (a times 3, plus 1) squared against a. At a = 2 a dashed line "
        f"touches the curve; it rises by 42 for each 1 to the right. At a = 2.1 the "
        f"line is at {tangent(2.1):.2f} and the curve at {result(2.1):.2f}.",
        236,
    )
    x, y = scales(34, 12, 318, 196, (1.0, 0), (2.6, 80))
    for level in (0, 20, 40, 60, 80):
        drawing.line(34, y(level), 318, y(level), stroke=RULE)
        drawing.text(28, y(level) + 4, str(level), "end")
    for a in (1.0, 1.5, 2.0, 2.5):
        drawing.text(x(a), 213, f"{a:g}")
    drawing.text(176, 231, "a")
    corners = [(x(2), y(49)), (x(2.5), y(49)), (x(2.5), y(tangent(2.5)))]
    drawing.curve(corners, stroke=SLOPE, stroke_width=1.5)
    drawing.text(x(2.25), y(49) + 16, "0.5 across", fill=SLOPE)
    drawing.text(x(2.5) + 5, y(60), "21 up", "start", fill=SLOPE)
    points = [(x(a), y(result(a))) for a in between(1.0, 2.6)]
    drawing.curve(points, stroke=INK, stroke_width=2)
    ends = [(x(a), y(tangent(a))) for a in (1.0, 2.6)]
    drawing.curve(ends, stroke=SLOPE, stroke_width=2, stroke_dasharray="5 4")
    drawing.dot(x(2), y(49), INK)
    drawing.text(x(2) - 8, y(49) - 8, "49", "end")
    drawing.text(x(1.06), y(70), "dashed: slope 42", "start", fill=SLOPE)
    return drawing.svg()


# Downhill on x²


def downhill(x: float = 3.0, rate: float = 0.2, steps: int = 5) -> list[float]:
    """Return where one stands after each step against the slope of x², 2x."""
    found = [x]
    for _ in range(steps):
        found.append(found[-1] - rate * 2 * found[-1])
    return found


@figure("hill")
def hill(results: dict) -> str:
    """Draw steps down a hill, each against the slope underfoot."""
    stands = downhill()
    heights = ", ".join(f"{x * x:.2f}" for x in stands)
    drawing = Drawing(
        "Downhill by feel",
        f"A curve like a valley, x squared. Five steps from x = 3, each against the "
        f"slope, lead to the heights {heights}.",
        206,
    )
    x, y = scales(10, 14, 350, 184, (-1.4, 0), (5.6, 10))
    points = [(x(a), y(a * a)) for a in between(-1.4, 3.16)]
    drawing.curve(points, stroke=INK, stroke_width=2)
    for a in stands[:3]:
        ends = [(x(a + d), y(a * a + 2 * a * d)) for d in (-0.9, 0.4)]
        drawing.curve(ends, stroke=SLOPE, stroke_width=2, stroke_dasharray="5 4")
    for a in stands:
        drawing.dot(x(a), y(a * a), LOSS, 5.0)
    for a in stands[:3]:
        words = f"height {a * a:.2f}, slope {2 * a:.1f}"
        drawing.text(x(a) + 12, y(a * a) + 9, words, "start")
    drawing.text(x(-0.6), 202, "the valley")
    return drawing.svg()


# Surprise


SHOWN = {"1": 1.0, "0.5": 0.5, "0.1": 0.1, "1/27": 1 / 27, "0.01": 0.01}


@figure("surprise")
def surprise(results: dict) -> str:
    """Draw -log p, with a dot for each column of the chapter's table."""
    told = "; ".join(f"{name}: {-math.log(p) + 0:.2f}" for name, p in SHOWN.items())
    drawing = Drawing(
        "Surprise against probability",
        f"A curve that falls from the sky to 0 as p goes from 0 to 1. {told}.",
        236,
    )
    x, y = scales(34, 12, 348, 196, (0, 0), (1, 5))
    for level in range(6):
        drawing.line(34, y(level), 348, y(level), stroke=RULE)
        drawing.text(28, y(level) + 4, str(level), "end")
    for p in (0, 0.25, 0.5, 0.75, 1):
        drawing.text(min(x(p), 344), 213, f"{p:g}")
    drawing.text(190, 231, "probability p of what came")
    near = [math.exp(-level) for level in between(5, 0)]
    points = [(x(p), y(-math.log(p))) for p in near]
    drawing.curve(points, stroke=LOSS, stroke_width=2.5)
    for name, p in SHOWN.items():
        drawing.dot(x(p), y(-math.log(p)), LOSS)
        anchor, aside, up = ("end", 4, 26) if p == 1 else ("start", 10, 4)
        words = f"p = {name}: {-math.log(p) + 0:.2f}"
        drawing.text(x(p) + aside, y(-math.log(p)) - up, words, anchor)
    return drawing.svg()


# Softmax of the chapter's three scores


def softmax_stages(scores: tuple = (2.0, 1.0, 0.5)) -> dict[str, list[float]]:
    """Return the scores, their powers of e, and the shares of these in their sum."""
    powers = [math.exp(score) for score in scores]
    return {
        "scores": [*scores],
        "powers of e": powers,
        "shares": [power / sum(powers) for power in powers],
    }


@figure("softmax")
def softmax(results: dict) -> str:
    """Draw how three scores become probabilities, in three groups of bars."""
    stages = softmax_stages()
    told = "; ".join(
        f"{name}: " + ", ".join(f"{number:.2f}" for number in numbers)
        for name, numbers in stages.items()
    )
    drawing = Drawing("From scores to probabilities", f"Bars. {told}.", 140)
    for place, (name, numbers) in enumerate(stages.items()):
        left, ground = 10 + 122 * place, 108
        drawing.text(left + 48, 130, name)
        drawing.line(left, ground, left + 96, ground, stroke=SOFT)
        for column, number in enumerate(numbers):
            height = 80 * number / max(numbers)
            middle = left + 16 + 32 * column
            drawing.add(
                "rect", x=middle - 11, y=round(ground - height, 1), width=22,
                height=round(height, 1), fill=TOKEN,
            )  # fmt: skip
            drawing.text(middle, ground - height - 4, f"{number:.2f}")
        if place:
            drawing.arrow(left - 20, 70, left - 4, 70)
    return drawing.svg()


# Plain descent and Adam in a narrow valley

STEEP = 50  # times as curved across as along
START = (-6.0, 1.0)
STEPS = 30
PLAIN_RATE, ADAM_RATE = 0.038, 0.3


def height(point: Point) -> float:
    """Return how high a point of the valley lies."""
    return (point[0] ** 2 + STEEP * point[1] ** 2) / 2


def plain_path(rate: float = PLAIN_RATE) -> list[Point]:
    """Return the way of plain gradient descent."""
    path = [START]
    for _ in range(STEPS):
        x, y = path[-1]
        path.append((x - rate * x, y - rate * STEEP * y))
    return path


def adam_path(rate: float = ADAM_RATE) -> list[Point]:
    """Return the way of the program's own Adam."""
    microgpt = program()
    x, y = params = [microgpt.Value(number) for number in START]
    adam, path = microgpt.Adam(params), [START]
    for _ in range(STEPS):
        x.grad, y.grad = x.data, STEEP * y.data
        adam.update(rate)
        path.append((x.data, y.data))
    return path


@figure("valley")
def valley(results: dict) -> str:
    """Draw both ways over the valley's lines of equal height."""
    ways = {"plain descent": plain_path(), "Adam": adam_path()}
    ends = {name: height(path[-1]) for name, path in ways.items()}
    drawing = Drawing(
        "Plain descent and Adam in a narrow valley",
        f"Ellipses of equal height around the lowest point, and two ways of {STEPS} "
        f"steps from a height of {height(START):.0f}. "
        + " ".join(f"{name} ends at {end:.2f}." for name, end in ends.items()),
        330,
    )
    for panel, (name, path) in enumerate(ways.items()):
        middle = 82 + 160 * panel

        def at(point: Point, middle: int = middle) -> Point:
            return 318 + 50 * point[0], middle - 50 * point[1]

        for level in (1, 4, 12, 25, 43):
            wide, tall = (50 * math.sqrt(2 * level / c) for c in (1, STEEP))
            drawing.add("ellipse", cx=318, cy=middle, rx=wide, ry=tall, fill="none",
                        stroke=RULE, stroke_width=1.2)  # fmt: skip
        drawing.curve([at(p) for p in path], stroke=SLOPE, stroke_width=1.5)
        for point in path:
            drawing.dot(*at(point), LOSS, 2.6)
        drawing.dot(*at((0, 0)), INK, 3.5)
        drawing.text(8, middle + 72, f"{name}: height {ends[name]:.2f}", "start",
                     font_weight="bold")  # fmt: skip
    return drawing.svg()
