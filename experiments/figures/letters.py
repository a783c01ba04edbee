"""The map of the letters that the model has drawn for itself."""

from __future__ import annotations

from experiments.figures.drawing import RULE, SOFT, TOKEN, Drawing, figure
from experiments.letters import VOWELS

Point = tuple[float, float]


def apart(places: dict[str, Point], distance: float = 15) -> dict[str, Point]:
    """Return the places of words moved until none stands on another, or on a dot."""
    moved = {name: (x, y - 9) for name, (x, y) in places.items()}
    for _ in range(200):
        for name, (x, y) in moved.items():
            others = [p for other, p in moved.items() if other != name]
            for a, b in [*others, *places.values()]:
                far = max(0.1, ((x - a) ** 2 + (y - b) ** 2) ** 0.5)
                push = max(0.0, (distance if (a, b) in others else 8) - far) / 4
                x, y = x + push * (x - a) / far, y + push * (y - b) / far
            moved[name] = x, y
    return moved


@figure("letters")
def letters(results: dict) -> str:
    """Draw the rows of wte as dots on the two axes along which they spread most."""
    found = results["own"]["plane"]
    shares = [f"{share:.0%}" for share in found["shares"]]
    places = {
        name: (130 + 215 * x, 178 - 215 * y) for name, (x, y) in found["places"].items()
    }
    drawing = Drawing(
        "A map of the letters, as the trained model has them",
        f"Dots for 26 letters and BOS on two axes, which hold {shares[0]} and "
        f"{shares[1]} of their spread. The five vowels lie close together at the right "
        "edge, the consonants together at the left, BOS between.",
        348,
    )
    drawing.line(6, 178, 354, 178, stroke=RULE)
    drawing.line(130, 14, 130, 326, stroke=RULE)
    drawing.text(180, 344, f"across: {shares[0]} of the spread; up: {shares[1]}")
    for name, (x, y) in places.items():
        drawing.dot(x, y, TOKEN if name in VOWELS else SOFT, 3.5)
    for name, (x, y) in apart(places).items():
        more = {"fill": TOKEN, "font_weight": "bold"} if name in VOWELS else {}
        drawing.text(x, y + 4, name, font_size=14, **more)
    return drawing.svg()
