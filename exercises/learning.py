"""Exercises of part II, How a program learns."""

from __future__ import annotations

import random
from collections.abc import Iterator
from types import ModuleType

from exercises.marking import Mark, agree, equal, exercise, get, near, short


@exercise(
    "slopes",
    '''
def slope(f, x):
    """Return the slope of the function f at x, found by a nudge."""
    h = 0.000001
    return 0
''',
)
def _slopes(names: dict, program: ModuleType) -> Iterator[Mark]:
    slope = get(names, "slope")
    cases = [
        ("x² at 3", lambda x: x * x, 3.0, 6.0),
        ("x² at 10", lambda x: x * x, 10.0, 20.0),
        ("5x + 1 at 2", lambda x: 5 * x + 1, 2.0, 5.0),
        ("1/x at 2", lambda x: 1 / x, 2.0, -0.25),
    ]
    for what, f, x, wanted in cases:
        got, hint = slope(f, x), ""
        if isinstance(got, int | float) and abs(got - wanted) < 1e-3:
            yield Mark(True, f"the slope of {what}", short(float(got)))
            continue
        if got == 0:
            hint = "how much does f change when x does?"
        elif isinstance(got, float) and abs(got) < 1e-3:
            hint = "divide the change by the size of the nudge"
        elif isinstance(got, float) and abs(got - wanted) < 2:
            hint = "is the nudge small enough?"
        yield near(f"the slope of {what}", got, wanted, hint)


@exercise(
    "paths",
    '''
def paths(x):
    """Return what each path adds to the slope of (x + 2) · x."""
    through_the_sum = 0
    as_second_factor = 0
    return through_the_sum, as_second_factor
''',
)
def _paths(names: dict, program: ModuleType) -> Iterator[Mark]:
    paths = get(names, "paths")
    for number in (3.0, 5.0, -1.0):
        x = program.Value(number)
        f = (x + 2) * x
        f.backward()
        wanted = (number, number + 2)
        got = paths(number)
        hint = "the slope of a product against a factor is the other factor"
        if agree(got, wanted[::-1]) and number == 3.0:
            hint = "you have them the other way round"
        yield near(f"both contributions at x = {number:g}", got, wanted, hint)
        if agree(got, wanted):
            ok = agree(sum(got), x.grad)
            yield Mark(
                ok, "together they are the slope that Value finds", f"{x.grad:g}"
            )


@exercise(
    "children",
    "# The numbers in the two children of 1 - Value(2.0)\nchildren = (0, 0)\n\n"
    "# How many values it makes in all\nmade = 0\n",
)
def _children(names: dict, program: ModuleType) -> Iterator[Mark]:
    result = program.Value(2.0)
    result = 1 - result
    wanted = [child.data for child in result._children]
    got = get(names, "children", "pair")
    got = sorted(got) if isinstance(got, list | tuple) else got
    hint = "1 - x is made of a product with -1, and then a sum"
    yield equal("the children of 1 - Value(2.0)", got, sorted(wanted), hint)
    hint = "count the results of operations, and the constants that they need"
    yield equal("how many values it makes", get(names, "made", "number"), 4, hint)


@exercise(
    "gradients",
    "# a = 3, y = a · a + a\na_grad = 0\n\n"
    "# a = -2, b = 3, y = relu(a · b): the slopes of a and b\nboth = (1, 1)\n",
)
def _gradients(names: dict, program: ModuleType) -> Iterator[Mark]:
    a = program.Value(3.0)
    (a * a + a).backward()
    got, hint = get(names, "a_grad", "number"), "a is used three times; add up"
    if got == 6:
        hint = "this is the slope of a · a; one more a is added to it"
    yield equal("a.grad", got, a.grad, hint)
    a, b = program.Value(-2.0), program.Value(3.0)
    (a * b).relu().backward()
    got = get(names, "both", "pair")
    hint = "what does ReLU let through when the product is negative?"
    got = tuple(got) if isinstance(got, list | tuple) else got
    yield equal("the slopes of a and b", got, (a.grad, b.grad), hint)


@exercise(
    "plain-linear",
    '''
from microgpt import Value

def plain_linear(x, w):
    """Return for each row of w the sum of its products with x, by + and * alone."""
    return []
''',
)
def _linear(names: dict, program: ModuleType) -> Iterator[Mark]:
    linear = get(names, "plain_linear")
    rng = random.Random(3)
    for rows, width in ((1, 2), (4, 3), (2, 5)):
        x = [program.Value(float(rng.randint(-3, 3))) for _ in range(width)]
        w = [[program.Value(float(rng.randint(-3, 3))) for _ in x] for _ in range(rows)]
        before = program.Value(0.0).born
        got = linear(x, w)
        made = program.Value(0.0).born - before - 1
        got = [*got] if isinstance(got, Iterator) else got
        what = f"{rows} by {width}: the numbers"
        if not isinstance(got, list | tuple) or len(got) != rows:
            yield Mark(False, what, f"yours gives {short(got)}: one value for each row")
            return
        if not all(isinstance(y, program.Value) for y in got):
            yield Mark(
                False, what, "the results are to be values: only + and * are needed"
            )
            return
        wanted = program.linear(x, w)
        yield near(what, [y.data for y in got], [y.data for y in wanted])
        slopes = []
        for outputs in (got, wanted):
            for p in [*x, *(p for row in w for p in row)]:
                p.grad = 0.0
            sum(outputs, program.Value(0.0)).backward()
            slopes.append([p.grad for p in [*x, *(p for row in w for p in row)]])
        yield near(f"{rows} by {width}: the slopes of x and w", *slopes)
        if made < rows * (2 * width - 1):
            came = (
                f"{made} values are made; {rows * (2 * width - 1)} or more are expected"
            )
            yield Mark(False, "a value for each product and each sum", came)
            return
