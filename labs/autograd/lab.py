"""The autograd lab: an expression becomes values, and their slopes flow back."""

from __future__ import annotations

import ast
import contextlib
import inspect
import math
import sys
from collections.abc import Sequence

import microgpt

from labs import LabError
from labs.autograd import expressions

MOST = 60  # values in a graph
FARTHEST = 100.0  # of an input from 0
FIRST = 1.0  # the number of an input that has none yet
NUDGE = 1e-5  # up and down

PRESETS = [
    ("The book's example", "((a * b) + 1) ** 2", {"a": 2, "b": 3}),
    ("A sum", "a + b", {"a": 2, "b": 3}),
    ("A product and a sum", "a * b + c", {"a": 2, "b": -3, "c": 1}),
    ("A neuron with ReLU", "relu(a * b + c)", {"a": 2, "b": 1.5, "c": -1}),
    ("One input, two paths", "a * b + a", {"a": 2, "b": 3}),
    ("One step, used twice", "(b := a + a) + b", {"a": 1}),
    (
        "Later in the book: the surprise of a softmax",
        "-log((e := exp(a)) / (e + exp(b) + exp(c)))",
        {"a": 1, "b": 2, "c": 0.5},
    ),
    (
        "Later in the book: a dot product in one node",
        "linear([a, b, c], [[x, y, z]])[0]",
        {"a": 1, "b": 2, "c": 3, "x": 0.5, "y": -1, "z": 2},
    ),
    (
        "Later in the book: log-sum-exp in one node",
        "logsumexp([a, b, c])",
        {"a": 1, "b": 2, "c": 0.5},
    ),
]

SIGNS = {"__add__": "+", "__mul__": "*", "__pow__": "**"}


def presets() -> list[dict]:
    """Return the examples: `title`, `expression`, and `values` of its inputs."""
    keys = ("title", "expression", "values")
    return [dict(zip(keys, preset)) for preset in PRESETS]


def differentiate(expression: str, values: dict[str, float]) -> dict:
    """Return the graph of an expression, its backward pass, and checks of its slopes.

    `values` are the numbers of inputs, by name; an input that has none gets 1. The
    answer has
    - `inputs`: {name: number}
    - `result`: the name of a node
    - `nodes`, children first: `name`, `kind` ("input", "number" or "computed"),
      `operation`, `formula`, `children` (names), `local_grads` (texts), `data` and
      `grad` (numbers), `shown` (data as a text)
    - `steps` of the backward pass: `node` whose turn it is (null in the first two),
      `says`, `rules` (texts), and `grads` of all nodes after it (texts)
    - `checks` of the inputs' slopes: `name`, `grad` and `nudged` (texts), `says`
    - `nudge`: how far the inputs were moved for that, up and down
    - `notes`: sentences about the expression
    Raises LabError, with the reason, for what is not allowed or has no value.
    """
    tree = expressions.parse(expression)
    names = expressions.inputs(tree)
    inputs = {name: _input(name, values.get(name, FIRST)) for name in names}
    graph = Graph(tree, inputs)
    if len(graph.nodes) > MOST:
        raise LabError(
            f"That makes {len(graph.nodes)} values; {MOST} can be shown. "
            "Write something shorter."
        )
    steps = graph.backward()
    return {
        "inputs": inputs,
        "result": graph.name(graph.result),
        "nodes": [graph.describe(node) for node in graph.nodes],
        "steps": steps,
        "checks": [_check(tree, inputs, name, graph) for name in inputs],
        "nudge": NUDGE,
        "notes": _notes(tree),
    }


def _input(name: str, number: object) -> float:
    if type(number) not in (int, float) or not abs(number) <= FARTHEST:
        raise LabError(f"{name} needs a number from {-FARTHEST:g} to {FARTHEST:g}.")
    return float(number)


def _notes(tree: ast.expr) -> list[str]:
    used = {type(node) for node in ast.walk(tree)}
    derived = {
        ast.Sub: "The program makes x - y of two operations, x + (y * -1).",
        ast.Div: "The program makes x / y of two operations, x * (y ** -1).",
        ast.NamedExpr: "(e := ...) calls a value e, so that it can be used again.",
    }
    return [note for kind, note in derived.items() if kind in used]


def _text(number: float) -> str:
    return f"{number + 0.0:.4g}"  # without the sign of -0.0


@contextlib.contextmanager
def _recorded():
    """Yield a list of what the program computes in the block, in its order.

    An entry is a value, the name of the function that made it, and the exponent if that
    was a power.
    """
    made = []
    init = microgpt.Value.__init__

    def noted(value, data, children=(), local_grads=()):
        init(value, data, children, local_grads)
        maker = inspect.currentframe().f_back
        if children:
            made.append((value, maker.f_code.co_name, maker.f_locals.get("n")))

    microgpt.Value.__init__ = noted
    try:
        yield made
    finally:
        microgpt.Value.__init__ = init


class Graph:
    """The values of an expression: `nodes`, children first, and the `result`.

    `computed` are those that the program computed, in its order.
    """

    def __init__(self, tree: ast.expr, inputs: dict[str, float]):
        self.inputs = {name: microgpt.Value(number) for name, number in inputs.items()}
        reader = expressions.Reader({**self.inputs})
        with _recorded() as made:
            self.result = reader.result(tree)
        self.computed = [value for value, _, _ in made]
        self._makers = {value: (maker, n) for value, maker, n in made}
        nodes = [*self.inputs.values()]
        for value in [*self.computed, self.result]:
            nodes += [*value._children, value]
        self.nodes = [*dict.fromkeys(nodes)]
        self._names = self._name_all(reader.names)

    def _name_all(self, given: dict) -> dict:
        """Return the values' names: given ones, else v1 … if computed, or k1 …"""
        names = {value: name for name, value in reversed([*given.items()])}
        for letter, is_computed in ("v", True), ("k", False):
            rest = [x for x in self.nodes if bool(x._children) == is_computed]
            rest = [x for x in rest if x not in names]
            names |= {x: f"{letter}{i}" for i, x in enumerate(rest, 1)}
        return names

    def name(self, node) -> str:
        return self._names[node]

    def describe(self, node) -> dict:
        """Return what a page shows of a node."""
        return {
            "name": self.name(node),
            "kind": self.kind(node),
            "operation": self.operation(node),
            "formula": self.formula(node),
            "children": [self.name(child) for child in node._children],
            "local_grads": [_text(slope) for slope in node._local_grads],
            "data": node.data,
            "grad": node.grad,
            "shown": _text(node.data),
        }

    def kind(self, node) -> str:
        if node._children:
            return "computed"
        return "input" if self.name(node) in self.inputs else "number"

    def operation(self, node) -> str:
        """Return the sign or the name of what made a node."""
        if not node._children:
            return self.kind(node)
        maker, exponent = self._makers[node]
        return f"** {exponent:.4g}" if maker == "__pow__" else SIGNS.get(maker, maker)

    def formula(self, node) -> str:
        """Return how a node was made, with the names of its children."""
        operation = self.operation(node)
        parts = [self._in_formula(child) for child in node._children]
        if not parts:
            return operation
        if operation in ("+", "*"):
            return f" {operation} ".join(parts)
        if operation.startswith("**"):
            base = f"({parts[0]})" if parts[0].startswith("-") else parts[0]
            return f"{base} {operation}"
        if operation == "linear":
            half = len(parts) // 2
            return " + ".join(f"{w} * {x}" for w, x in zip(parts[:half], parts[half:]))
        return f"{operation}({', '.join(parts)})"

    def _in_formula(self, node) -> str:
        return _text(node.data) if self.kind(node) == "number" else self.name(node)

    def backward(self) -> list[dict]:
        """Let the program go backwards; return the steps that it took."""
        start = self._grads()
        with self._watched() as turns:
            self.result.backward()
        befores = [*turns.values(), self._grads()]  # what each turn, and the end, found
        afters = dict(zip(turns, befores[1:]))
        result = self.name(self.result)
        steps = [
            _step(None, "The values are there, and every grad is 0.", start),
            _step(
                None,
                f"It begins at the result, {result}. Its slope against itself is 1.",
                befores[0],
                [f"{result}.grad = 1"],
            ),
        ]
        grads = befores[0]
        for node in reversed(self.computed):
            name = self.name(node)
            if node in turns:
                rules = self._rules(node, turns[node])
                grads = afters[node]
                steps.append(_step(name, self._reason(node), grads, rules))
            else:
                says = f"The grad of {name} is 0, so it hands nothing on."
                steps.append(_step(name, says, grads))
        return steps

    @contextlib.contextmanager
    def _watched(self):
        """Yield a dictionary that gets all grads as they are at each node's turn."""
        turns = {}
        local_grads = [node._local_grads for node in self.computed]
        for node in self.computed:
            node._local_grads = self._at_turn(turns, node, node._local_grads)
        try:
            yield turns
        finally:
            for node, own in zip(self.computed, local_grads):
                node._local_grads = own

    def _at_turn(self, turns: dict, node, local_grads: Sequence[float]):
        """Yield local gradients; note all grads before, when the program asks."""
        turns[node] = self._grads()
        yield from local_grads

    def _grads(self) -> list[float]:
        return [node.grad for node in self.nodes]

    def _rules(self, node, before: list[float]) -> list[str]:
        """Return what happens to each child's grad at a node's turn, in numbers."""
        grads = dict(zip(self.nodes, before))
        rules = []
        for child, slope in zip(node._children, node._local_grads):
            share = slope * grads[node]
            rule = f"{self.name(child)}.grad += {_text(slope)} * "
            rule += f"{_text(grads[node])} = {_text(share)}"
            if grads[child]:
                total = _text(grads[child] + share)
                rule += f", and {_text(grads[child])} + {_text(share)} = {total}"
            grads[child] += share
            rules.append(rule)
        return rules

    def _reason(self, node) -> str:
        """Return in words where the local gradients of a node come from."""
        x = node._children[0].data
        local = _text(node._local_grads[0])
        maker, n = self._makers[node]
        reasons = {
            "__add__": "A sum follows each part at the same rate, 1.",
            "__mul__": "If a factor grows by 1, the product grows by the other one.",
            "log": f"The slope of log x is 1 / x, here 1 / {_text(x)} = {local}.",
            "exp": f"The slope of exp x is exp x itself, here {local}.",
            "relu": "ReLU lets a number above 0 through: its slope is 1."
            if x > 0
            else "ReLU gives 0 for what is not above 0: its slope is 0.",
            "linear": "It follows each number as fast as its partner is large.",
            "logsumexp": "The slopes of log-sum-exp are the softmax of its inputs.",
        }
        if maker == "__pow__":
            power = f"x ** {n:.4g} is {n:.4g} * x ** {n - 1:.4g}"
            reasons[maker] = f"The slope of {power}, here {local}."
        what = f"{self.name(node)} = {self.formula(node)}"
        reason = reasons.get(maker, "")
        return f"{what} hands on its grad, {_text(node.grad)}. {reason}"

    def sleeping(self) -> list[bool]:
        """Return of each ReLU whether it gives 0."""
        makers = [(x, self._makers[x][0]) for x in self.computed]
        return [not x.data > 0 for x, maker in makers if maker == "relu"]


def _step(node, says: str, grads: list[float], rules: list[str] | None = None) -> dict:
    texts = [_text(grad) for grad in grads]
    return {"node": node, "says": says, "rules": rules or [], "grads": texts}


# The check: nudge an input up and down, and see how the result follows


def _check(tree: ast.expr, inputs: dict, name: str, graph: Graph) -> dict:
    grad = graph.inputs[name].grad
    row = {"name": name, "grad": _text(grad), "nudged": "none"}
    low, high = inputs[name] - NUDGE, inputs[name] + NUDGE
    try:
        below, above = (Graph(tree, inputs | {name: x}) for x in (low, high))
    except LabError:
        return row | {"says": "cannot be nudged: there is no value on one side"}
    slope = (above.result.data - below.result.data) / (high - low)
    row["nudged"] = _text(slope)
    if not math.isfinite(grad) or not math.isfinite(slope):
        return row | {"says": "not finite"}
    if below.sleeping() != above.sleeping():
        corner = "the nudge crosses the corner of a ReLU, which has no slope"
        return row | {"says": f"{corner}; there the program takes 0"}
    # A difference of large numbers has lost its last digits.
    largest = max(abs(x.data) for g in (below, above) for x in g.nodes)
    lost = 8 * sys.float_info.epsilon * largest / NUDGE
    if abs(slope - grad) <= 1e-6 + 1e-4 * max(abs(slope), abs(grad)) + lost:
        return row | {"says": "agrees"}
    return row | {"says": "differs: the curve bends too much for this nudge"}
