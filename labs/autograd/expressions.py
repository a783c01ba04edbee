"""Expressions that readers type: which are allowed, and what they are worth."""

from __future__ import annotations

import ast
import math
import operator
import re
import string
import warnings
from itertools import accumulate

import microgpt

from labs import LabError

LONGEST = 200  # characters
DEEPEST = 20  # brackets inside brackets
LETTERS = {*string.ascii_lowercase}
OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
METHODS = ("log", "exp", "relu")
EXAMPLES = {
    **{name: f"{name}(a)" for name in METHODS},
    "logsumexp": "logsumexp([a, b, c])",
    "linear": "linear([a, b], [[x, y]])[0]",
}
ALLOWED = (
    "An expression is made of numbers, the letters a to z as inputs, + - * / ** and "
    "( ), and log, exp and relu, as in relu(a * b + 1)."
)
HINTS = {
    "^": "Write ** for a power, as in a ** 2.",
    "²": "Write ** 2 for a square.",
    "\N{MULTIPLICATION SIGN}": "Write * to multiply.",
    "·": "Write * to multiply.",
    "÷": "Write / to divide.",
    "\N{MINUS SIGN}": "Write - for minus.",
    "\N{EN DASH}": "Write - for minus.",
}


def parse(expression: str) -> ast.expr:
    """Return the tree of an expression, of which not every one has a value.

    Raises LabError for what cannot be read.
    """
    text = expression.strip()
    if not text:
        raise LabError(f"There is no expression yet. {ALLOWED}")
    if len(text) > LONGEST:
        raise LabError(f"That is {len(text)} characters; {LONGEST} is the most.")
    for character in text:
        if character == "^" or not (character.isascii() and character.isprintable()):
            hint = HINTS.get(character, ALLOWED)
            raise LabError(f"“{character}” cannot be used here. {hint}")
    if re.search(r"(?<![:=<>!])=(?!=)", text):
        raise LabError(
            "One expression, please, without “=”. To use a step twice, name it on the "
            "way, as in (b := a + a) + b."
        )
    depth = max(accumulate((c in "([{") - (c in ")]}") for c in text))
    if depth > DEEPEST:
        raise LabError(f"The brackets are nested {depth} deep; {DEEPEST} is the most.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError) as error:
        why = getattr(error, "msg", None) or error
        raise LabError(f"Python cannot read that: {why}. {ALLOWED}") from None


def inputs(tree: ast.expr) -> list[str]:
    """Return the letters that an expression uses and does not set, in order."""
    nodes = [*ast.walk(tree)]
    made = {node.target.id for node in nodes if isinstance(node, ast.NamedExpr)}
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    return sorted((used - made) & LETTERS)


def source(tree: ast.AST) -> str:
    """Return an expression as text, its beginning if it is long."""
    text = ast.unparse(tree)
    return text if len(text) <= 40 else text[:39] + "…"


class Reader:
    """Calculates expressions by the program's operations.

    `names` has the values with names: the inputs, and those that `:=` adds.
    """

    def __init__(self, names: dict):
        self.names = names

    def result(self, tree: ast.expr):
        """Return what an expression is worth, as one of the program's values.

        Raises LabError for what is not allowed, and for what has no value.
        """
        return _value(self.read(tree))

    def read(self, tree: ast.expr):
        """Return a value, or a plain number where the expression has one."""
        match tree:
            case ast.Constant():
                return _number(tree)
            case ast.Name(id=name):
                return self.named(name)
            case ast.NamedExpr(target=ast.Name(id=name), value=value):
                return self.give(name, self.result(value))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.read(operand)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.read(operand)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                base = self.result(left)
                return _compute(tree, operator.pow, base, _exponent(right, tree))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                x, y = self.read(left), self.read(right)
                if not isinstance(y, microgpt.Value):
                    x = _value(x)  # of two plain numbers one has to remember
                return _compute(tree, OPERATORS[type(op)], x, y)
            case (
                ast.Call(func=ast.Name(id=name), args=[argument], keywords=[])
                | ast.Call(
                    func=ast.Attribute(value=argument, attr=name), args=[], keywords=[]
                )
            ) if name in METHODS:
                method = getattr(microgpt.Value, name)
                return _compute(tree, method, self.result(argument))
            case ast.Call(
                func=ast.Name(id="logsumexp"), args=[ast.List(elts=x)], keywords=[]
            ) if x:
                return _compute(tree, microgpt.logsumexp, [*map(self.result, x)])
            case ast.Subscript(
                value=ast.Call(
                    func=ast.Name(id="linear"),
                    args=[ast.List(elts=x), ast.List(elts=[ast.List(elts=row)])],
                    keywords=[],
                ),
                slice=ast.Constant(value=0),
            ) if len(x) == len(row) > 0:
                x, row = [*map(self.result, x)], [*map(self.result, row)]
                return _compute(tree, microgpt.linear, x, [row])[0]
        raise LabError(_refusal(tree))

    def named(self, name: str):
        if name in self.names:
            return self.names[name]
        if name in EXAMPLES:
            raise LabError(f"{name} is a function; write {EXAMPLES[name]}.")
        if name in LETTERS:
            raise LabError(f"{name} is used before it gets its value from “:=”.")
        raise LabError(
            f"“{name[:40]}” is not known here. An input is one small letter, a to z; "
            "the functions are log, exp and relu."
        )

    def give(self, name: str, value):
        if name not in LETTERS:
            raise LabError(f"“{name[:40]}” cannot be a name: take one letter, a to z.")
        if name in self.names:
            raise LabError(f"{name} has a value already. Take another letter.")
        self.names[name] = value
        return value


def _value(number):
    return number if isinstance(number, microgpt.Value) else microgpt.Value(number)


def _number(tree: ast.Constant) -> float:
    if type(tree.value) not in (int, float):
        raise LabError(_refusal(tree))
    number = float(tree.value)
    if not math.isfinite(number):
        raise LabError("That number is too large: 1.8e308 is about the greatest.")
    return number


def _exponent(tree: ast.expr, power: ast.expr) -> float:
    """Return a plain number: the program's powers do not take values."""
    match tree:
        case ast.Constant():
            return _number(tree)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_exponent(operand, power)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            x, y = _exponent(left, power), _exponent(right, power)
            if y:
                return x / y
    raise LabError(
        f"The exponent of {source(power)} must be a plain number, as in a ** 2 or "
        "a ** (1 / 2): the program's powers take no other."
    )


def _compute(tree: ast.expr, function, *operands):
    """Return what a function of the program gives; say why if it gives nothing."""
    try:
        return function(*operands)
    except OverflowError:
        why = "it is larger than 1.8e308, and larger numbers do not fit"
    except (ValueError, ZeroDivisionError) as error:
        why = _why(tree, operands) or str(error)
    raise LabError(f"{source(tree)} has no value here: {why}.")


def _why(tree: ast.expr, operands: tuple) -> str | None:
    x, *others = [getattr(operand, "data", operand) for operand in operands]
    match tree:
        case ast.BinOp(op=ast.Div()):
            return "nothing can be divided by 0"
        case ast.BinOp(op=ast.Pow()):
            [n] = others
            if x < 0:
                return (
                    f"{x:.4g} is negative, and its power {n:.4g} is not a real number"
                )
            if n < 0:
                return f"0 to the power {n:.4g} would be a division by 0"
            return f"the slope of a power {n:.4g} at 0 is not finite"
        case ast.Call(func=ast.Name(id="log") | ast.Attribute(attr="log")):
            return f"only numbers above 0 have a logarithm, and this is of {x:.4g}"
    return None


def _refusal(tree: ast.expr) -> str:
    """Return why something is not allowed."""
    match tree:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            if name in EXAMPLES:
                return f"Write {name} like this: {EXAMPLES[name]}."
            return f"There is no function “{name[:40]}” here. {ALLOWED}"
        case ast.Subscript(value=ast.Call(func=ast.Name(id="linear"))):
            return f"Write linear like this, with equal lists: {EXAMPLES['linear']}."
        case ast.Constant(value=complex()):
            return f"{source(tree)} is not a real number. {ALLOWED}"
        case ast.Tuple():
            return f"One expression, please, without commas. {ALLOWED}"
    return f"“{source(tree)}” cannot be used here. {ALLOWED}"
