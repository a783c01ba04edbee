"""Right gradients: each operation, any graph, several passes, deep and wide."""

import copy
import gc
import math
import operator
import pickle
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

numbers = st.floats(-3, 3)
positive = st.floats(0.1, 5)
anything = st.one_of(numbers, st.integers(-3, 3))
nonzero = anything.filter(lambda x: abs(x) > 0.1)


@pytest.fixture
def Value(microgpt):
    return microgpt.Value


def slope(f, x, h=1e-5):
    """The slope of f at x by central differences."""
    return (f(x + h) - f(x - h)) / (2 * h)


def near(number):
    """Equal but for the error of central differences."""
    return pytest.approx(number, rel=1e-6, abs=1e-6)


# One operation at a time


@pytest.mark.parametrize("symbol", ["add", "sub", "mul"])
@given(numbers, numbers)
def test_two_values(microgpt, symbol, x, y):
    f = getattr(operator, symbol)
    a, b = microgpt.Value(x), microgpt.Value(y)
    f(a, b).backward()
    assert f(a, b).data == f(x, y)
    assert a.grad == near(slope(lambda x: f(x, y), x))
    assert b.grad == near(slope(lambda y: f(x, y), y))


@given(numbers, nonzero)
def test_division_of_two_values(microgpt, x, y):
    a, b = microgpt.Value(x), microgpt.Value(y)
    (a / b).backward()
    assert (a / b).data == pytest.approx(x / y)
    assert a.grad == near(1 / y)
    assert b.grad == near(slope(lambda y: x / y, y))


@pytest.mark.parametrize("symbol", ["add", "sub", "mul", "truediv"])
@given(nonzero, nonzero)
def test_a_value_and_a_plain_number_on_either_side(microgpt, symbol, x, number):
    f = getattr(operator, symbol)
    for g in (lambda a: f(a, number), lambda a: f(number, a)):
        a = microgpt.Value(x)
        result = g(a)
        result.backward()
        assert result.data == pytest.approx(g(x))
        assert a.grad == near(slope(g, x))


@given(positive, st.one_of(st.integers(-3, 4), st.floats(-3, 4)))
def test_power(microgpt, x, n):
    a = microgpt.Value(x)
    result = a**n
    result.backward()
    assert result.data == pytest.approx(x**n)
    assert a.grad == pytest.approx(slope(lambda x: x**n, x), rel=1e-4, abs=1e-6)


@given(st.floats(-5, -0.1), st.integers(-3, 4))
def test_power_of_a_negative_number(microgpt, x, n):
    a = microgpt.Value(x)
    (a**n).backward()
    assert a.grad == pytest.approx(slope(lambda x: x**n, x), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("n, value, slope", [(0, 1, 0), (1, 0, 1), (2, 0, 0)])
def test_power_of_zero(Value, n, value, slope):
    a = Value(0.0)
    b = a**n
    b.backward()
    assert (b.data, a.grad) == (value, slope)


@pytest.mark.parametrize(
    "name, f, inputs",
    [
        ("log", math.log, positive),
        ("exp", math.exp, numbers),
        ("relu", lambda x: max(0.0, x), numbers.filter(lambda x: abs(x) > 1e-3)),
        ("__neg__", operator.neg, numbers),
    ],
)
@given(data=st.data())
def test_function(microgpt, name, f, inputs, data):
    x = data.draw(inputs)
    a = microgpt.Value(x)
    result = getattr(a, name)()
    result.backward()
    assert result.data == f(x)
    assert a.grad == near(slope(f, x))


def test_relu_at_zero_passes_nothing_on(Value):
    a = Value(0.0)
    a.relu().backward()
    assert a.grad == 0


@pytest.mark.parametrize(
    "undefined",
    [
        lambda V: V(0.0).log(),
        lambda V: V(-1.0).log(),
        lambda V: V(-1.0) ** 0.5,
        lambda V: V(0.0) ** -1,
        lambda V: 1 / V(0.0),
        lambda V: V(1.0) / V(0.0),
        lambda V: V(1.0) / 0,
        lambda V: V(1000.0).exp(),
        lambda V: V(1e200) ** 2,
    ],
)
def test_undefined_results_are_errors(Value, undefined):
    with pytest.raises((ValueError, ArithmeticError)):
        undefined(Value)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=8))
def test_linear(microgpt, pairs):
    x = [microgpt.Value(x) for x, _ in pairs]
    row = [microgpt.Value(w) for _, w in pairs]
    (y,) = microgpt.linear(x, [row])
    y.backward()
    assert y.data == pytest.approx(sum(x * w for x, w in pairs))
    assert [xi.grad for xi in x] == [w for _, w in pairs]
    assert [wi.grad for wi in row] == [x for x, _ in pairs]


def test_linear_of_a_vector_with_itself(microgpt):
    x = [microgpt.Value(3.0), microgpt.Value(-4.0)]
    (y,) = microgpt.linear(x, [x])
    y.backward()
    assert (y.data, [xi.grad for xi in x]) == (25, [6, -8])


def plain_softmax(x):
    powers = [math.exp(xi) for xi in x]
    return [p / sum(powers) for p in powers]


@given(st.lists(numbers, min_size=1, max_size=6), st.data())
def test_softmax(microgpt, data, draw):
    i = draw.draw(st.integers(0, len(data) - 1))
    x = [microgpt.Value(d) for d in data]
    probs = microgpt.softmax(x)
    probs[i].backward()
    expected = plain_softmax(data)
    assert [p.data for p in probs] == pytest.approx(expected)
    p = expected[i]
    slopes = [p * ((j == i) - q) for j, q in enumerate(expected)]
    assert [xi.grad for xi in x] == pytest.approx(slopes, abs=1e-12)


@pytest.mark.parametrize("shift", [0, 1000, -1000])
def test_softmax_of_large_numbers(microgpt, shift):
    probs = microgpt.softmax([microgpt.Value(x + shift) for x in (2.0, 1.0, 0.5)])
    assert [p.data for p in probs] == pytest.approx(plain_softmax([2, 1, 0.5]))


@given(st.lists(numbers, min_size=1, max_size=6))
def test_logsumexp(microgpt, data):
    x = [microgpt.Value(d) for d in data]
    result = microgpt.logsumexp(x)
    result.backward()
    assert result.data == pytest.approx(math.log(sum(map(math.exp, data))))
    assert [xi.grad for xi in x] == pytest.approx(plain_softmax(data))


def test_rmsnorm(microgpt):
    x = [microgpt.Value(d) for d in (2.0, 4.0, 6.0)]
    y = microgpt.rmsnorm(x)
    y[0].backward()
    scale = (56 / 3 + 1e-5) ** -0.5
    assert [yi.data for yi in y] == pytest.approx([2 * scale, 4 * scale, 6 * scale])
    slopes = [(i == 0) * scale - 2 * d / 3 * scale**3 for i, d in enumerate((2, 4, 6))]
    assert [xi.grad for xi in x] == pytest.approx(slopes)


# Values that are used more than once


def test_sum_of_a_value_with_itself_twice_over(Value):
    a = Value(1.0)
    b = a + a
    c = b + b
    c.backward()
    assert (c.grad, b.grad, a.grad) == (1, 2, 4)


@pytest.mark.parametrize(
    "f, slope",
    [
        (lambda a: a + a, 2),
        (lambda a: a - a, 0),
        (lambda a: a * a, 6),
        (lambda a: a / a, 0),
        (lambda a: a**3 + a, 28),
        (lambda a: a * a * a * a, 108),
        (lambda a: (a + 1) * (a - 1) / a, 1 + 1 / 9),
    ],
)
def test_a_value_on_both_sides(Value, f, slope):
    a = Value(3.0)
    f(a).backward()
    assert a.grad == pytest.approx(slope, abs=1e-12)


def test_the_books_example(Value):
    a, b = Value(2.0), Value(3.0)
    c = a * b
    d = c + 1
    e = d**2
    e.backward()
    grads = [x.grad for x in (e, d, c, a, b)]
    assert (e.data, grads) == (49, [1, 14, 14, 42, 28])


# Several backward passes


def test_two_results_of_one_value(Value):
    x = Value(1.0)
    c, d = x * 3, x * 5
    c.backward()
    d.backward()
    assert x.grad == 8


def test_two_passes_from_one_result_count_twice(Value):
    x = Value(3.0)
    y = x * x
    z = y * 2
    z.backward()
    z.backward()
    assert (z.grad, y.grad, x.grad) == (1, 2, 24)


def test_a_pass_from_the_middle_and_then_from_the_end(Value):
    x = Value(3.0)
    y = x * x
    z = y * 2
    y.backward()
    z.backward()
    assert (z.grad, y.grad, x.grad) == (1, 2, 18)


def test_a_pass_leaves_other_graphs_alone(Value):
    a, b = Value(3.0), Value(5.0)
    c = a * 2
    d = b * 7
    c.backward()
    d.backward()
    assert (c.grad, a.grad, d.grad, b.grad) == (1, 2, 1, 7)


def test_backward_of_a_leaf(Value):
    x = Value(3.0)
    x.backward()
    x.backward()
    assert x.grad == 2


def test_the_slope_of_an_input_is_added_to_what_the_user_put_there(Value):
    x = Value(3.0)
    y = x * 2
    x.grad, y.grad = 10.0, 100.0
    y.backward()
    assert (y.grad, x.grad) == (1, 12)


def test_two_results_that_share_a_computed_value(Value):
    x = Value(2.0)
    y = x * x
    c, d = y * 3, y * 5
    c.backward()
    d.backward()
    assert x.grad == 4 * 3 + 4 * 5
    assert (y.grad, c.grad, d.grad) == (5, 1, 1)


def test_a_graph_that_grows_between_passes(Value):
    x = Value(2.0)
    y = x * x
    y.backward()
    z = y * x
    z.backward()
    assert x.grad == 4 + 12


OPERATIONS = [
    (operator.add, 2, lambda a, b: (1, 1)),
    (operator.sub, 2, lambda a, b: (1, -1)),
    (operator.mul, 2, lambda a, b: (b, a)),
    (lambda a: a * 0.5 - 1, 1, lambda a: (0.5,)),
    (lambda a: a**2, 1, lambda a: (2 * a,)),
    (lambda a: a.relu(), 1, lambda a: (float(a > 0),)),
    (lambda a: (a * 0.01).exp(), 1, lambda a: (math.exp(a / 100) / 100,)),
]


@st.composite
def graphs(draw):
    """The data of some leaves, and steps: an operation and the places of its inputs."""
    leaves = draw(st.lists(st.floats(-1, 1), min_size=1, max_size=3))
    steps, count = [], len(leaves)
    for _ in range(draw(st.integers(1, 10))):
        kind = draw(st.integers(0, len(OPERATIONS) - 1))
        arity = OPERATIONS[kind][1]
        places = [draw(st.integers(0, count - 1)) for _ in range(arity)]
        steps.append((kind, places))
        count += 1
    results = draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=4))
    return leaves, steps, results


def slopes_of(source, data, steps):
    """The slopes of all values against one, in forward mode: nothing goes backwards."""
    slopes = [float(i == source) for i in range(len(data))]
    for place, (kind, inputs) in enumerate(steps, start=len(data) - len(steps)):
        if place > source:
            local = OPERATIONS[kind][2](*(data[i] for i in inputs))
            slopes[place] = sum(s * slopes[i] for s, i in zip(local, inputs))
    return slopes


def lies_behind(value, result):
    return value is result or any(lies_behind(value, c) for c in result._children)


@given(graphs())
def test_any_graph_and_any_passes(microgpt, graph):
    """Several results in any order, one of them perhaps twice, leaves among them."""
    leaves, steps, results = graph
    values = [microgpt.Value(x) for x in leaves]
    for kind, places in steps:
        values.append(OPERATIONS[kind][0](*(values[i] for i in places)))
    for result in results:
        values[result].backward()
    data = [x.data for x in values]
    for source, value in enumerate(values):
        slopes = slopes_of(source, data, steps)
        expected = sum(slopes[result] for result in results)
        if value._children:  # then it is that of the last pass that it lay behind
            behind = [r for r in results if lies_behind(value, values[r])]
            expected = slopes[behind[-1]] if behind else 0
        assert value.grad == pytest.approx(expected, rel=1e-9, abs=1e-9)


# Copies


@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_a_copy_of_an_inner_value_has_a_graph_of_its_own_kind(Value, duplicate):
    x = Value(3.0)
    y = duplicate(x * x)
    z = y * 2
    z.backward()
    left, right = y._children
    assert left is right
    assert (z.data, y.grad, left.grad) == (18, 2, 12)


def test_a_shallow_copy_shares_its_children(Value):
    x = Value(3.0)
    y = x * x
    z = copy.copy(y) + y
    z.backward()
    assert x.grad == 12


def test_a_deep_copy_leaves_the_original_alone(Value):
    x = Value(3.0)
    y = x * x
    copy.deepcopy(y).backward()
    assert (y.grad, x.grad) == (0, 0)


# Large graphs


def test_a_chain_of_100_000_values(Value):
    x = Value(1.0)
    y = x
    for _ in range(100_000):
        y = y + 1
    y.backward()
    assert (y.data, x.grad) == (100_001, 1)


def test_a_ladder_in_which_every_value_is_used_twice(Value):
    x = Value(1.0)
    y = x
    for _ in range(35_000):  # three values each
        y = y * 0.5 + y * 0.5
    y.backward()
    assert (y.data, x.grad) == (1, 1)


def test_a_value_used_100_000_times(Value):
    x = Value(2.0)
    y = sum([x * i for i in range(100_000)])
    y.backward()
    assert x.grad == sum(range(100_000))


def test_a_value_with_100_000_children(microgpt):
    x = [microgpt.Value(1.0) for _ in range(100_000)]
    microgpt.logsumexp(x).backward()
    assert x[0].grad == x[-1].grad == pytest.approx(1e-5)


# What lives on, and for how long


def living(microgpt):
    return sum(type(thing) is microgpt.Value for thing in gc.get_objects())


def test_nothing_is_kept_alive(fresh):
    y = fresh.Value(1.0)
    for _ in range(100):
        y = y.exp() * 0 + 1
    y.backward()
    assert living(fresh) > 100
    del y
    assert living(fresh) == 0


def test_the_cost_is_that_of_the_values_behind(fresh):
    """However many other values live, a pass does not look at them."""
    looked_at = []

    class Watched(tuple):
        def __iter__(self):
            looked_at.append(self)
            return super().__iter__()

    x = fresh.Value(1.0)
    others = [fresh.Value(2.0, Watched((x,)), (1.0,)) for _ in range(1000)]
    y = fresh.Value(2.0, Watched((x,)), (1.0,))
    y.backward()
    assert len(others) == 1000 and {id(c) for c in looked_at} == {id(y._children)}


def test_threads_do_not_meet(fresh):
    """Graphs of several threads are calculated and gone through at the same time."""
    slopes = {}

    def work(number):
        for _ in range(300):
            x = fresh.Value(float(number))
            y = x
            for _ in range(30):
                y = y * x
            y.backward()
            slopes.setdefault(number, set()).add(x.grad)

    threads = [threading.Thread(target=work, args=(n,)) for n in (1, 2, 3)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert slopes == {n: {31.0 * n**30} for n in (1, 2, 3)}


def test_a_pass_that_is_broken_off_harms_no_later_one(fresh):
    class Trap(float):
        def __mul__(self, other):
            raise KeyboardInterrupt

    x = fresh.Value(1.0)
    bad = fresh.Value(1.0, (x,), (Trap(),)) * 2
    with pytest.raises(KeyboardInterrupt):
        bad.backward()
    del bad
    x.grad = 0.0
    y = x * 3
    y.backward()
    assert (y.grad, x.grad) == (1, 3)


@pytest.mark.parametrize("function", ["logsumexp", "linear", "rmsnorm", "softmax"])
def test_lists_that_are_changed_later_change_no_slope(fresh, function):
    x = [fresh.Value(1.0), fresh.Value(2.0)]
    first, other = x[0], fresh.Value(5.0)
    result = (
        fresh.linear(x, [x]) if function == "linear" else getattr(fresh, function)(x)
    )
    x[0] = other
    (result if function == "logsumexp" else result[0]).backward()
    assert other.grad == 0 != first.grad
