"""Exercises of part VI, Efficiency."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from exercises.marking import Mark, exercise, get, near, short


@exercise(
    "fused",
    '''
from microgpt import Value

def square_sum(x):
    """Return the sum of the squares of values, as one value."""
    return sum([xi * xi for xi in x])
''',
)
def _fused(names: dict, program: ModuleType) -> Iterator[Mark]:
    square_sum = get(names, "square_sum")
    for numbers in ([3.0], [1.0, -2.0, 0.5]):
        x = [program.Value(number) for number in numbers]
        before = next(program.births)
        y = square_sum([*x])
        made = next(program.births) - before - 1
        shown = ", ".join(f"{number:g}" for number in numbers)
        if not hasattr(y, "backward"):
            yield Mark(False, f"of {shown}", f"yours gives {short(y)}, and no Value")
            return
        yield near(f"of {shown}", y.data, sum(n * n for n in numbers))
        y.backward()
        slopes = [xi.grad for xi in x]
        slips = [("the slope of x² is 2x", numbers), ("did you list the x?", [0.0] * 3)]
        wanted = [2 * n for n in numbers]
        yield near(f"the slopes at {shown}", slopes, wanted, slips=slips)
        hint = "calculate with the data, and say children and slopes yourself"
        yield Mark(made == 1, "values made", str(made), "" if made == 1 else hint)


@exercise(
    "flat",
    '''
def transposed(flat, rows, columns):
    """Return a matrix with its rows as columns; it lies row by row in a flat list."""
    return flat
''',
)
def _flat(names: dict, program: ModuleType) -> Iterator[Mark]:
    transposed = get(names, "transposed")
    for rows, columns in ((2, 3), (1, 4), (3, 3), (4, 2)):
        flat = [float(n) for n in range(rows * columns)]
        wanted = [flat[i * columns + j] for j in range(columns) for i in range(rows)]
        slips = [
            ("as it was: now the columns have to lie one after the other", flat),
            ("the rows are there, but one flat list is wanted", _nested(flat, columns)),
        ]
        hint = "row i, column j is at i * columns + j"
        what = f"{rows} rows of {columns}"
        yield near(what, transposed([*flat], rows, columns), wanted, hint, slips)


def _nested(flat: list[float], columns: int) -> list[list[float]]:
    """Return the columns of a flat matrix as lists."""
    return [flat[j::columns] for j in range(columns)]


@exercise(
    "ratio",
    '''
def ratio(f, slopes, numbers, direction, h=1e-6):
    """Return what slopes say of f along a direction, divided by what happens.

    f takes a list of plain numbers; slopes and direction have one for each.
    """
    return 1.0
''',
)
def _ratio(names: dict, program: ModuleType) -> Iterator[Mark]:
    ratio = get(names, "ratio")
    cases = [  # what, f, slopes, numbers, direction, how fast f changes along it
        ("3a + 2b, slopes right", _plane, [3.0, 2.0], [1.0, 1.0], [1.0, 2.0], 7.0),
        ("3a + 2b, slopes doubled", _plane, [6.0, 4.0], [1.0, 1.0], [1.0, 2.0], 7.0),
        ("3a + 2b, slopes swapped", _plane, [2.0, 3.0], [0.0, 4.0], [1.0, -1.0], 1.0),
        ("a² near 0, slope right", _square, [0.002], [0.001], [1.0], 0.002),
    ]
    for what, f, slopes, numbers, direction, happens in cases:
        said = sum(slope * part for slope, part in zip(slopes, direction))
        ahead = f([n + 1e-6 * d for n, d in zip(numbers, direction)])
        one_way = (ahead - f(numbers)) / 1e-6
        slips = [
            ("upside down: what the slopes say stands above", happens / said),
            ("that nudges one way only; go ahead and back", said / one_way),
            ("from back to ahead the way is 2h", said / (2 * happens)),
        ]
        given = [*numbers]
        yield near(what, ratio(f, slopes, given, direction), said / happens, "", slips)
        if given != numbers:
            yield Mark(False, what, f"the numbers are now {short(given)}", "copy them")


def _plane(numbers: list[float]) -> float:
    return 3 * numbers[0] + 2 * numbers[1]


def _square(numbers: list[float]) -> float:
    return numbers[0] ** 2
