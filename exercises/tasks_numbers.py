"""Tasks of parts I and II: documents, tokens, values and their slopes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from types import ModuleType

from exercises.marking import Slip
from exercises.tasks import outcome, task, values

RANDOM = "20 random cases"


@task(
    "split_docs",
    "Split a text into documents",
    Slip(
        "a document may hold blanks: split at the ends of lines only",
        'text.split("\\n")',
        "text.split()",
    ),
    Slip("an empty line is no document", " if line.strip()]", "]"),
    Slip("take the blanks off both ends", "[line.strip() for", "[line for"),
    Slip(
        "splitlines knows more ends of lines; a document ends at a newline only",
        'text.split("\\n")',
        "text.splitlines()",
    ),
)
def _split_docs(program: ModuleType, rng: random.Random) -> Iterator[tuple]:
    split = program.split_docs
    yield "three lines", split("emma\nolivia\nava\n")
    yield "blanks within and around", split("  Ann Lee \n max")
    yield "empty lines", split("\n\nLi\n  \n\nmax\n\n")
    yield "lines from Windows", split("Li\r\nmax\r\n")
    yield "no text at all", split("")
    yield "a form feed, which ends no line", split("Li\fmax")
    for _ in range(20):
        yield RANDOM, split("".join(rng.choices("ab \t\n\r\v", k=15)))


def _letters(program: ModuleType, rng: random.Random) -> tuple:
    """Return a tokenizer of some letters, and some of its letters as a text."""
    chars = rng.sample("abcdefghijklmnopqrstuvwxyz", 9)
    return program.Tokenizer("".join(chars)), "".join(rng.choices(chars, k=7))


@task(
    "encode",
    "Encode a document",
    Slip("BOS stands at both ends", "), self.bos]", ")]"),
    Slip(
        "BOS stands at both ends",
        "[self.bos, *(self.ids[c] for c in doc), self.bos]",
        "[self.ids[c] for c in doc]",
    ),
    Slip("BOS stands at both ends, also at the start", "[self.bos, *(", "[*("),
    Slip(
        "self.ids has each character's number; ord knows another alphabet",
        "self.ids[c] for c in doc",
        "ord(c) - 97 for c in doc",
    ),
    Slip(
        "encode gives numbers; the characters themselves are what it gets",
        "self.ids[c] for c in doc",
        "c for c in doc",
    ),
)
def _encode(program: ModuleType, rng: random.Random) -> Iterator[tuple]:
    letters = program.Tokenizer("abcdefghijklmnopqrstuvwxyz")
    yield "“emma”", letters.encode("emma")
    yield "a document without letters", letters.encode("")
    yield (
        "“nab” for the tokenizer of “banana”",
        program.Tokenizer("banana").encode("nab"),
    )
    for _ in range(20):
        tokenizer, doc = _letters(program, rng)
        yield RANDOM, tokenizer.encode(doc)


@task(
    "decode",
    "Decode tokens",
    Slip("join the characters into one text", '"".join(', "list("),
    Slip(
        "nothing stands between two characters",
        '"".join(self.chars',
        '" ".join(self.chars',
    ),
    Slip(
        "the tokens come without BOS: none is to be taken off",
        "for token in tokens)",
        "for token in tokens[1:-1])",
    ),
    Slip(
        "the tokens stand in their own order",
        "for token in tokens)",
        "for token in sorted(tokens))",
    ),
)
def _decode(program: ModuleType, rng: random.Random) -> Iterator[tuple]:
    letters = program.Tokenizer("abcdefghijklmnopqrstuvwxyz")
    yield "the tokens 4, 12, 12, 0", letters.decode([4, 12, 12, 0])
    yield "no tokens", letters.decode([])
    for _ in range(20):
        tokenizer, doc = _letters(program, rng)
        yield RANDOM, tokenizer.decode([tokenizer.ids[c] for c in doc])


@task(
    "value",
    "Make a value",
    Slip(
        "no slope is known yet: grad begins at 0", "self.grad = 0.0", "self.grad = 1.0"
    ),
    Slip(
        "a value is born when it is made: each takes the next number",
        "self.born = next(births)",
        "self.born = 0",
    ),
    Slip(
        "keep the children: the way back goes through them",
        "self._children = children",
        "self._children = ()",
    ),
    Slip(
        "the local slopes belong to the children, one for each",
        "self._local_grads = local_grads",
        "self._local_grads = ()",
    ),
)
def _value(program: ModuleType, rng: random.Random) -> Iterator[tuple]:
    a, b = program.Value(3.0), program.Value(-1.5)
    yield "the number and the slope of Value(3.0)", [a.data, a.grad]
    yield (
        "an input has no children, and no local slopes",
        [
            len(a._children),
            len(a._local_grads),
        ],
    )
    yield "which of two was born first", a.born < b.born
    yield "how a value is shown", repr(program.Value(2.5))
    for _ in range(20):
        numbers = [rng.randint(-9, 9) / 2 for _ in range(3)]
        c = program.Value(numbers[0], (a, b), (numbers[1], numbers[2]))
        told = [
            c.data,
            c.grad,
            [child.data for child in c._children],
            [*c._local_grads],
        ]
        yield RANDOM, [*told, a.born < b.born < c.born, repr(c)]


def _two(f, program: ModuleType, a: float, b: float) -> list:
    """Return what f makes of two values, and the slopes of both."""
    x, y = program.Value(a), program.Value(b)
    result = f(x, y)
    return outcome(result, [x, y])


def _number(rng: random.Random) -> float:
    """Return one of a few numbers, but not 0."""
    return rng.choice([-1, 1]) * rng.randint(1, 12) / 4


@task(
    "add-multiply",
    "Add and multiply",
    Slip(
        "the slope of a product against one factor is the other factor",
        "(other.data, self.data))",
        "(self.data, other.data))",
    ),
    Slip(
        "a sum grows as fast as what is added: both slopes are 1",
        "(self, other), (1.0, 1.0))",
        "(self, other), (self.data, other.data))",
    ),
    Slip(
        "what is added may be a plain number: make a Value of it first",
        "    other = other if isinstance(other, Value) else Value(other)\n"
        "    return Value(self.data + other.data",
        "    return Value(self.data + other.data",
    ),
    Slip(
        "list both children, or no slope goes back to the second",
        "(self, other), (1.0, 1.0))",
        "(self,), (1.0,))",
    ),
)
def _add_multiply(program: ModuleType, rng: random.Random) -> Iterator[tuple]:
    yield "2 + 3, and the slopes", _two(lambda x, y: x + y, program, 2.0, 3.0)
    yield "2 · 3, and the slopes", _two(lambda x, y: x * y, program, 2.0, 3.0)
    yield "x · x + y", _two(lambda x, y: x * x + y, program, 3.0, 1.0)
    yield "x + 5", _two(lambda x, y: x + 5 + y * 0, program, 2.0, 1.0)
    yield "x · 5", _two(lambda x, y: x * 5 + y * 0, program, 2.0, 1.0)
    for _ in range(20):
        a, b = _number(rng), _number(rng)
        yield RANDOM, _two(lambda x, y: (x * y + x) * (y + y * 3), program, a, b)


@task(
    "power",
    "Raise to a power",
    Slip(
        "the slope of xⁿ is n · xⁿ⁻¹: the exponent goes down by 1",
        "math.pow(self.data, n - 1)",
        "math.pow(self.data, n)",
    ),
    Slip(
        "the slope of xⁿ is n · xⁿ⁻¹: the n stands in front",
        "n and n * math.pow(self.data, n - 1)",
        "n and math.pow(self.data, n - 1)",
    ),
    Slip(
        "x⁰ is 1 everywhere: at x = 0 its slope is 0, and no power is needed",
        "n and n * math",
        "n * math",
    ),
)
def _power(program: ModuleType, rng: random.Random) -> Iterator[tuple]:
    def power(x: float, n: float) -> list:
        x = program.Value(x)
        result = x**n
        return outcome(result, [x])

    yield "3², and its slope", power(3.0, 2)
    yield "2 to the power -1", power(2.0, -1)
    yield "4 to the power 0.5", power(4.0, 0.5)
    yield "0 to the power 0", power(0.0, 0)
    try:
        yield "the root of -1", f"it is {(program.Value(-1.0) ** 0.5).data}"
    except ValueError:
        yield "the root of -1", "a ValueError"
    for _ in range(20):
        yield RANDOM, power(abs(_number(rng)), rng.randint(-6, 6) / 2)


@task(
    "log-exp-relu",
    "Take logarithm, exponential and ReLU",
    Slip("the slope of log x is 1/x", "(1 / self.data,)", "(self.data,)"),
    Slip("eˣ is its own slope", "(self,), (result,))", "(self,), (self.data,))"),
    Slip(
        "below 0 ReLU is flat: its slope is 0 there",
        "(float(self.data > 0),)",
        "(1.0,)",
    ),
    Slip("at 0 itself the slope is taken as 0", "self.data > 0", "self.data >= 0"),
    Slip("ReLU turns negative numbers into 0", "max(0.0, self.data)", "abs(self.data)"),
)
def _log_exp_relu(program: ModuleType, rng: random.Random) -> Iterator[tuple]:
    def told(method: str, number: float) -> list:
        x = program.Value(number)
        result = getattr(x, method)()
        return outcome(result, [x])

    yield "the logarithm of 4, and its slope", told("log", 4.0)
    yield "e¹, and its slope", told("exp", 1.0)
    for number in (3.0, -3.0, 0.0):
        yield f"ReLU of {number:g}, and its slope", told("relu", number)
    for _ in range(20):
        number = _number(rng)
        yield (
            RANDOM,
            [
                told("exp", number),
                told("relu", number),
                told("log", abs(number)),
            ],
        )


@task(
    "subtract-divide",
    "Derive subtraction and division",
    Slip(
        "for -self Python calls this method again, without end: multiply",
        "return self * -1",
        "return -self",
    ),
    Slip(
        "for other - self Python calls this method again, without end: add",
        "return -self + other",
        "return other - self",
    ),
    Slip("-x is x times -1", "return self * -1", "return self * 1"),
    Slip(
        "in 1 - x the value stands on the right: __rsub__ takes it from the number",
        "return -self + other",
        "return self - other",
    ),
    Slip(
        "in 1 / x the value stands on the right: it is what one divides by",
        "return self**-1 * other",
        "return self * other**-1",
    ),
    Slip(
        "to subtract is to add the negative",
        "return self + -other",
        "return self + other",
    ),
    Slip(
        "to divide is to multiply by the power -1",
        "return self * other**-1",
        "return self * -other",
    ),
)
def _subtract_divide(program: ModuleType, rng: random.Random) -> Iterator[tuple]:
    def one(f, number: float) -> list:
        x = program.Value(number)
        result = f(x)
        return outcome(result, [x])

    yield "-x at 2", one(lambda x: -x, 2.0)
    yield "x - y at 5 and 3", _two(lambda x, y: x - y, program, 5.0, 3.0)
    yield "1 - x at 3", one(lambda x: 1 - x, 3.0)
    yield "x / y at 6 and 4", _two(lambda x, y: x / y, program, 6.0, 4.0)
    yield "1 / x at 4", one(lambda x: 1 / x, 4.0)
    yield "5 + x and 5 · x at 2", one(lambda x: (5 + x) * (5 * x), 2.0)
    for _ in range(20):
        a, b = _number(rng), _number(rng)
        yield RANDOM, _two(lambda x, y: (2 - x / y) - 3 / (y * y) / -x, program, a, b)


@task(
    "backward",
    "Find the slope of everything behind a value",
    Slip(
        "a value that is used twice gets two slopes: add them up",
        "child.grad += local * slope",
        "child.grad = local * slope",
    ),
    Slip(
        "the result's own slope is 1: begin with it",
        "self.grad += 1.0",
        "self.grad += 0.0",
    ),
    Slip(
        "go from the youngest back: a value hands on only when it has all of its slope",
        "key=lambda x: x.born, reverse=True)",
        "key=lambda x: x.born)",
    ),
    Slip(
        "a computed value keeps a slope of an earlier pass: set it to 0 first",
        "        x.grad = 0.0\n",
        "        pass\n",
    ),
    Slip(
        "the slopes of inputs add up over passes: leave those as they are",
        "if x._children:\n            x.grad = 0.0",
        "if True:\n            x.grad = 0.0",
    ),
    Slip(
        "one pass is enough: only the result begins with a slope of 1",
        "child.grad += local * slope",
        "child.grad += local * slope\n                child.backward()",
    ),
    Slip(
        "a value hands on only once: collect each value once, and sort",
        "    for x in sorted(behind, key=lambda x: x.born, reverse=True):\n"
        "        slope = x.grad\n"
        "        if slope:\n"
        "            for child, local in zip(x._children, x._local_grads):\n"
        "                child.grad += local * slope",
        "    def hand_on(x):\n"
        "        for child, local in zip(x._children, x._local_grads):\n"
        "            child.grad += local * x.grad\n"
        "            hand_on(child)\n"
        "    hand_on(self)",
    ),
    Slip(
        "what is handed on is the local slope times the value's own",
        "child.grad += local * slope",
        "child.grad += local",
    ),
)
def _backward(program: ModuleType, rng: random.Random) -> Iterator[tuple]:
    def back(f, *numbers: float, times: int = 1) -> list[float]:
        x = values(program, [*numbers])
        result = f(*x)
        for _ in range(times):
            result.backward()
        return [each.grad for each in x]

    def shared(a, b):
        middle = a * b + a
        return middle * middle

    yield "the slopes of a · b at 2 and 3", back(lambda a, b: a * b, 2.0, 3.0)
    yield "a · a at 3: one value, used twice", back(lambda a: a * a, 3.0)
    yield "m · m with m = a · b + a: shared in the middle", back(shared, 2.0, 3.0)
    yield (
        "the same, backwards twice: the slopes add up",
        back(shared, 2.0, 3.0, times=2),
    )
    yield "an input alone, backwards twice", back(lambda a: a, 4.0, times=2)
    a = program.Value(3.0)
    b = a * 2
    b.backward()
    (b * b).backward()
    yield "b = 2a backwards, then b · b: the slopes of a and b", [a.grad, b.grad]
    x = program.Value(1.0)
    total = x
    for _ in range(3000):
        total = total + x
    total.backward()
    yield "a sum of 3,001, one after the other", x.grad
    for _ in range(20):
        plan = [(rng.random(), rng.random(), rng.random()) for _ in range(6)]

        def mixed(*inputs, plan=plan):
            made = [*inputs]
            for kind, one, two in plan:
                a, b = made[int(one * len(made))], made[int(two * len(made))]
                made.append(a + b if kind < 0.5 else a * b)
            return made[-1] + made[-2] * made[0]

        yield RANDOM, back(mixed, *[_number(rng) for _ in range(3)])


@task(
    "linear",
    "Multiply a vector by a matrix",
    Slip(
        "the return stands behind the loop, not in it",
        "    return outputs",
        "        return outputs",
    ),
    Slip(
        "one value for each row of w, not for each column", "in w:\n", "in zip(*w):\n"
    ),
    Slip(
        "children and slopes go together: for a weight the slope is its x",
        "[*x_data, *w_data]",
        "[*w_data, *x_data]",
    ),
    Slip(
        "a row of another length is a mistake of the caller: say it with a ValueError",
        "{*map(len, w)} - {len(x)}",
        "False",
    ),
    Slip(
        "x moves the result as well: list it among the children",
        "Value(dot, [*row, *x], [*x_data, *w_data])",
        "Value(dot, [*row], [*x_data])",
    ),
    Slip("a sum of products is wanted", "sum(map(mul, w_data, x_data))", "sum(w_data)"),
)
def _linear(program: ModuleType, rng: random.Random) -> Iterator[tuple]:
    def told(x: list, w: list) -> list:
        x, w = values(program, x), values(program, w)
        result = program.linear(x, w)
        return outcome(result, x, w)

    yield (
        "2, 3 and the matrix 1, 0 / 4, 5: numbers and slopes",
        told([2.0, 3.0], [[1.0, 0.0], [4.0, 5.0]]),
    )
    yield "a single row", told([1.0, -1.0, 0.5], [[2.0, 2.0, 2.0]])
    try:
        program.linear(values(program, [1.0]), values(program, [[1.0, 2.0]]))
        yield "a row that is longer than x", "nothing is said"
    except ValueError:
        yield "a row that is longer than x", "a ValueError"
    for _ in range(20):
        width, rows = rng.randint(1, 4), rng.randint(1, 4)
        w = [[_number(rng) for _ in range(width)] for _ in range(rows)]
        yield RANDOM, told([_number(rng) for _ in range(width)], w)


@task(
    "logsumexp",
    "Take the logarithm of a sum of powers",
    Slip(
        "e¹⁰⁰⁰ is too large for Python: take the largest off first",
        "largest = max([xi.data for xi in x])",
        "largest = 0.0",
    ),
    Slip(
        "what was taken off has to be added again at the end",
        "Value(largest + math.log(total)",
        "Value(math.log(total)",
    ),
    Slip(
        "the slopes are shares: each power divided by their total",
        "[p / total for p in powers]",
        "powers",
    ),
)
def _logsumexp(program: ModuleType, rng: random.Random) -> Iterator[tuple]:
    def told(numbers: list) -> list:
        x = values(program, numbers)
        result = program.logsumexp(x)
        return outcome(result, x)

    yield "0 and 0, and the slopes", told([0.0, 0.0])
    yield "2, 1 and 0.5", told([2.0, 1.0, 0.5])
    yield "1,000 and 999", told([1000.0, 999.0])
    yield "a single number", told([-3.0])
    for _ in range(20):
        yield RANDOM, told([rng.gauss(0, 9) for _ in range(rng.randint(1, 6))])


@task(
    "softmax",
    "Turn scores into probabilities",
    Slip(
        "the largest alone is not enough: the powers have to sum to 1",
        "shift = -logsumexp(logits)",
        "shift = -max([logit.data for logit in logits])",
    ),
    Slip(
        "e¹⁰⁰⁰ is too large for Python: take logsumexp off before exp",
        "shift = -logsumexp(logits)\n    return [(logit + shift).exp() for",
        "total = sum(logit.exp() for logit in logits)\n"
        "    return [logit.exp() / total for",
    ),
    Slip(
        "logsumexp is taken off, not added",
        "shift = -logsumexp(logits)",
        "shift = logsumexp(logits)",
    ),
    Slip(
        "these are logarithms still: take exp", "(logit + shift).exp()", "logit + shift"
    ),
    Slip(
        "shares of the scores are not it: a score may be negative",
        "[(logit + shift).exp() for logit in logits]",
        "[logit / sum(logits) for logit in logits]",
    ),
)
def _softmax(program: ModuleType, rng: random.Random) -> Iterator[tuple]:
    def told(numbers: list) -> list:
        x = values(program, numbers)
        result = program.softmax(x)
        return outcome(result, x)

    yield "two equal scores, and the slopes", told([1.0, 1.0])
    yield "2, 1 and 0.5", told([2.0, 1.0, 0.5])
    yield "1,000 and 999", told([1000.0, 999.0])
    yield "a single score", told([5.0])
    for _ in range(20):
        yield RANDOM, told([rng.gauss(0, 3) for _ in range(rng.randint(2, 6))])


@task(
    "mlp",
    "Think with a hidden layer",
    Slip(
        "without ReLU two matrices are no more than one",
        "[h.relu() for h in hidden]",
        "hidden",
    ),
    Slip(
        "ReLU stands between the matrices, not behind them",
        "active = [h.relu() for h in hidden]\n    return linear(active, fc2)",
        "return [h.relu() for h in linear(hidden, fc2)]",
    ),
    Slip("fc1 comes first, and fc2 after it", "linear(active, fc2)", "active"),
    Slip(
        "ReLU is for what fc1 gives, not for x",
        "hidden = linear(x, fc1)\n    active = [h.relu() for h in hidden]",
        "active = linear([xi.relu() for xi in x], fc1)",
    ),
)
def _mlp(program: ModuleType, rng: random.Random) -> Iterator[tuple]:
    def told(*numbers: list) -> list:
        x, fc1, fc2 = values(program, [*numbers])
        result = program.mlp(x, fc1, fc2)
        return outcome(result, x, fc1, fc2)

    one = [[1.0, 0.0], [0.0, 1.0], [1.0, -1.0]]
    yield "2 and -1 through 3 hidden numbers", told([2.0, -1.0], one, [[1.0, 2.0, 1.0]])
    for _ in range(20):
        width, hidden = rng.randint(1, 3), rng.randint(1, 4)
        fc1 = [[_number(rng) for _ in range(width)] for _ in range(hidden)]
        fc2 = [[_number(rng) for _ in range(hidden)] for _ in range(width)]
        yield RANDOM, told([_number(rng) for _ in range(width)], fc1, fc2)
