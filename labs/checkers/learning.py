"""The exercises of the book, chapter by chapter, each with its checker.

A checker tries what the reader wrote against the program itself, in several cases, and
says for each what came out. It looks for the usual slips, so that it can name them.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator
from types import ModuleType

from labs import LabError, workshop
from labs.base.book import book, text_of
from labs.checkers.marking import (
    Mark,
    agree,
    equal,
    exercise,
    get,
    near,
    said_by,
    short,
)

# Part I: From names to numbers


@exercise("documents", "# The documents, in order\ndocuments = []\n")
def _documents(names: dict, program: ModuleType) -> Iterator[Mark]:
    got = get(names, "documents", "list")
    wanted = program.split_docs("Li\r\n\r\n  Ann Lee\nmax")
    if not isinstance(got, list | tuple):
        yield Mark(False, "documents is a list", f"it is {short(got)}")
        return
    yield equal(
        "how many there are", len(got), len(wanted), "does an empty line count?"
    )
    stripped = [text.strip() if isinstance(text, str) else text for text in got]
    if [*got] != wanted and stripped == wanted:
        came = f"you say {short(got)}: are blanks at the ends of a line kept?"
        yield Mark(False, "what each of them is", came)
        return
    hint = "a line is a document as it stands, but for the blanks around it"
    yield equal("what each of them is", [*got], wanted, hint)


@exercise(
    "tokens",
    '# The tokens of "emma"\nemma = []\n\n'
    '# Of the tokenizer made from "banana"\nvocabulary_size = 0\nnumber_of_n = 0\n',
)
def _tokens(names: dict, program: ModuleType) -> Iterator[Mark]:
    letters = program.Tokenizer("abcdefghijklmnopqrstuvwxyz")
    fruit = program.Tokenizer("banana")
    emma, wanted = get(names, "emma", "list"), letters.encode("emma")
    hint = "a is 0, b is 1, and so on; do not forget BOS, at both ends"
    if emma == wanted[1:-1]:
        hint = "the letters are right, but a name stands between two marks"
    yield equal("the tokens of “emma”", emma, wanted, hint)
    size = get(names, "vocabulary_size", "number")
    hint = "count each letter once"
    if size == fruit.vocab_size - 1:
        hint = "one token stands for no letter"
    yield equal("the vocabulary size of “banana”", size, fruit.vocab_size, hint)
    hint = "put the letters that occur in order, and count from 0"
    got = get(names, "number_of_n", "number")
    yield equal("the number of n", got, fruit.ids["n"], hint)


# Part II: How a program learns


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
    "value",
    '''
class Value:
    """A number that knows what it was computed from."""

    def __init__(self, data):
        self.data = data
        self.grad = 0.0

    def __add__(self, other):
        ...

    def __mul__(self, other):
        ...

    def backward(self):
        ...
''',
)
def _value(names: dict, program: ModuleType) -> Iterator[Mark]:
    own = get(names, "Value")
    if own is program.Value:
        raise LabError("This is the book's own Value. Write one yourself, from memory.")
    cases = [
        ("a + b", 2, lambda a, b: a + b),
        ("a · b", 2, lambda a, b: a * b),
        ("(a · b + a) · b", 2, lambda a, b: (a * b + a) * b),
        ("a · a, where one value is used twice", 1, lambda a: a * a),
        (
            "b + b with b = a + a, where the order counts",
            1,
            lambda a: _twice(_twice(a)),
        ),
        ("(a · b + a) · (a · b + a), shared in the middle", 2, _shared),
    ]
    rng = random.Random(7)
    for what, count, f in cases:
        numbers = [rng.choice([-1, 1]) * rng.randint(1, 9) / 2 for _ in range(count)]
        yield _compare(what, own, program.Value, f, numbers)
    trees = [_expression(rng, 5) for _ in range(20)]
    for number, tree in enumerate(trees, start=1):
        numbers = [rng.randint(-4, 4) / 2 for _ in range(3)]
        mark = _compare("", own, program.Value, tree, numbers)
        if not mark.ok:
            what = f"random expression {number} of {len(trees)} over three values"
            yield mark._replace(what=what)
            return
    yield Mark(True, "20 random expressions over three values", "all slopes agree")


def _twice(x):
    return x + x


def _shared(a, b):
    middle = a * b + a
    return middle * middle


def _expression(rng: random.Random, size: int) -> Callable:
    """Return a random expression over three inputs, of sums and products."""
    plan = [(rng.random() < 0.5, rng.random(), rng.random()) for _ in range(size)]

    def value_of(*inputs):
        made = [*inputs]
        for is_sum, one, other in plan:
            a, b = made[int(one * len(made))], made[-1 - int(other * 2)]
            made.append(a + b if is_sum else a * b)
        return made[-1]

    return value_of


def _compare(what: str, own, book, f: Callable, numbers: list[float]) -> Mark:
    """Compare a class with the book's: the result, and the slope of each input."""
    ours, theirs = [*map(book, numbers)], [*map(own, numbers)]
    wanted, got = f(*ours), f(*theirs)
    if not isinstance(got, own):
        return Mark(False, what, f"the result is {short(got)}, and no Value")
    if not agree(got.data, wanted.data):
        came = f"the result is {short(got.data)}, and should be {short(wanted.data)}"
        return Mark(False, what, came)
    wanted.backward()
    got.backward()
    slopes, right = [x.grad for x in theirs], [x.grad for x in ours]
    if agree(slopes, right):
        return Mark(True, what, f"slopes {short(slopes)}")
    came = f"your slopes are {short(slopes)}, and should be {short(right)}"
    if not any(slopes):
        came += ": backward begins with a slope of 1 at the result"
    elif all(abs(a) >= abs(b) for a, b in zip(slopes, right)):
        came += ": does a value hand its slope on more than once?"
    else:
        came += ": does each child add up (+=) what it gets from all that used it?"
    return Mark(False, what, came)


@exercise(
    "linear",
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
        recorded = len(program.tape)
        got = linear(x, w)
        made = len(program.tape) - recorded
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


# Part III: The model


@exercise(
    "softmax",
    '''
import math

def softmax(scores):
    """Return the probabilities of plain numbers, also of very large ones."""
    return scores
''',
)
def _softmax(names: dict, program: ModuleType) -> Iterator[Mark]:
    softmax = get(names, "softmax")
    cases = [
        ("three equal scores", [7.0, 7.0, 7.0]),
        ("log 4 and 0", [math.log(4), 0.0]),
        ("2, 1 and 0.5", [2.0, 1.0, 0.5]),
        ("negative scores", [-3.0, -1.0]),
        ("a single score", [5.0]),
    ]
    for what, scores in cases:
        yield near(what, softmax([*scores]), _plain(program, scores))
    for what, scores in (
        ("1,000 and 999", [1000.0, 999.0]),
        ("-1,000 and -1,001", [-1000.0, -1001.0]),
    ):
        try:
            got = softmax([*scores])
        except (OverflowError, ZeroDivisionError) as error:
            came = f"{said_by(error)}: take the largest score off all of them first"
            yield Mark(False, what, came)
        else:
            yield near(what, got, _plain(program, scores))


def _plain(program: ModuleType, scores: list[float]) -> list[float]:
    return [p.data for p in program.softmax([*map(program.Value, scores)])]


@exercise(
    "rmsnorm",
    '''
def rmsnorm(x):
    """Scale plain numbers so that the mean of their squares is 1."""
    return x
''',
)
def _rmsnorm(names: dict, program: ModuleType) -> Iterator[Mark]:
    norm = get(names, "rmsnorm")
    for what, x in (
        ("2, 4 and 6", [2.0, 4.0, 6.0]),
        ("ten times as much", [20.0, 40.0, 60.0]),
        ("numbers of both signs", [-1.0, 3.0, 0.5, -2.0]),
        ("zeros", [0.0, 0.0]),
        ("a small vector, where the ε is felt", [0.001, -0.002]),
    ):
        wanted = [y.data for y in program.rmsnorm([*map(program.Value, x)])]
        hint = ""
        try:
            got = norm([*x])
        except ZeroDivisionError:
            yield Mark(False, what, "a division by 0: the ε under the root prevents it")
            continue
        if isinstance(got, list) and len(got) == len(x) and any(x):
            mean = sum(x) / len(x)
            if agree(got, [value / math.sqrt(sum(v * v for v in x)) for value in x]):
                hint = "take the mean of the squares, not their sum"
            elif mean and agree(sum(got), 0.0) and not agree(sum(wanted), 0.0):
                hint = "the mean is not taken away, only the size"
        yield near(what, got, wanted, hint)


@exercise(
    "parameters",
    '''
def count(vocab_size, n_embd, n_layer, block_size):
    """Return the number of parameters of a model with these sizes."""
    return 0
''',
)
def _parameters(names: dict, program: ModuleType) -> Iterator[Mark]:
    count = get(names, "count")
    letters = "abcdefghijklmnopqrstuvwxyz"
    for what, chars, sizes in (
        ("the model of the book", letters, {}),
        ("n_embd = 32", letters, {"n_embd": 32}),
        ("two layers", letters, {"n_layer": 2}),
        ("block_size = 8", letters, {"block_size": 8}),
        ("three letters, n_embd = 4, 3 layers", "abc", {"n_embd": 4, "n_layer": 3}),
    ):
        model = program.Model(program.Tokenizer(chars), **sizes)
        wanted = sum(rows * columns for rows, columns in model.shapes().values())
        got = count(len(chars) + 1, model.n_embd, model.n_layer, model.block_size)
        hint = "wte and lm_head, wpe, and twelve squares of the width in each layer"
        yield near(what, got, wanted, "" if got == wanted else hint)


@exercise(
    "attention",
    '''
import math

def weights(query, keys):
    """Return how much attention each key gets, for plain numbers."""
    return []
''',
)
def _attention(names: dict, program: ModuleType) -> Iterator[Mark]:
    weights = get(names, "weights")
    for what, query, keys in (
        ("a single position", [1.0, 2.0], [[0.5, -1.0]]),
        ("two equal keys", [1.0, 1.0], [[2.0, 0.0], [2.0, 0.0]]),
        ("three keys of two numbers", [0.0, 1.0], [[1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]),
        ("keys of four numbers", [1.0, -1.0, 2.0, 0.5], [[1, 0, 1, 0], [0, 1, 0, 2]]),
    ):
        scores = [sum(q * k for q, k in zip(query, key)) for key in keys]
        wanted = _plain(program, [score / len(query) ** 0.5 for score in scores])
        got, hint = weights([*query], [[*key] for key in keys]), ""
        if not agree(got, wanted) and agree(got, _plain(program, scores)):
            hint = "divide each score by the root of the query's length"
        elif not agree(got, wanted) and agree(got, scores):
            hint = "these are the scores; softmax makes weights of them"
        yield near(what, got, wanted, hint)


@exercise(
    "caches",
    '''
def cached(tokens, n_embd, n_layer):
    """Return how many numbers the caches hold after so many tokens."""
    return 0
''',
)
def _caches(names: dict, program: ModuleType) -> Iterator[Mark]:
    cached = get(names, "cached")
    for tokens, width, layers in ((5, 16, 1), (1, 16, 1), (3, 4, 2)):
        sizes = {"n_embd": width, "n_head": 2, "n_layer": layers}
        model = program.Model(program.Tokenizer("ab"), **sizes)
        model.randomize(random.Random(1))
        keys, values = model.caches()
        for position in range(tokens):
            program.gpt(0, position, keys, values, model)
        wanted = sum(
            len(vector)
            for cache in (keys, values)
            for layer in cache
            for vector in layer
        )
        got = cached(tokens, width, layers)
        hint = "each layer keeps a key for every token" * (got != wanted)
        if got == wanted / 2:
            hint = "and a value as well"
        what = (
            f"{tokens} token{'s' * (tokens != 1)}, width {width}, "
            f"{layers} layer{'s' * (layers != 1)}"
        )
        yield near(what, got, wanted, hint)


# Part IV: Training


@exercise(
    "loss",
    '''
import math

def loss(probabilities):
    """Return the loss of a name: at each position the right token got one of these."""
    return 0
''',
)
def _loss(names: dict, program: ModuleType) -> Iterator[Mark]:
    loss = get(names, "loss")
    for what, probabilities in (
        ("a certain guess", [1.0]),
        ("a blind guess among 27, four times", [1 / 27] * 4),
        ("0.9 and 0.1", [0.9, 0.1]),
        ("0.5, 0.2 and 0.25", [0.5, 0.2, 0.25]),
    ):
        surprises = [-math.log(p) for p in probabilities]
        wanted = sum(surprises) / len(surprises)
        got, hint = loss([*probabilities]), ""
        if agree(got, wanted):
            pass
        elif agree(got, sum(surprises)):
            hint = "this is the sum; the loss is the mean over the positions"
        elif agree(got, -wanted):
            hint = "logarithms of probabilities are negative, and a loss is not"
        elif agree(got, -math.log(sum(probabilities) / len(probabilities))):
            hint = "take the logarithms first, and their mean afterwards"
        yield near(what, got, wanted, hint)


@exercise(
    "adam",
    '''
import math

def adam_step(p, g, m, v, step, rate):
    """Return p, m and v after a step of Adam; the first step has the number 1."""
    beta1, beta2 = 0.85, 0.99
    return p, m, v
''',
)
def _adam(names: dict, program: ModuleType) -> Iterator[Mark]:
    adam_step = get(names, "adam_step")
    for what, slopes in (
        ("one step with a slope of 2", [2.0]),
        ("one step with a slope of 0.001", [0.001]),
        ("three steps with slopes 1, -3 and 0.5", [1.0, -3.0, 0.5]),
    ):
        p = program.Value(1.0)
        adam = program.Adam([p])
        own = (1.0, 0.0, 0.0)
        for step, slope in enumerate(slopes, start=1):
            p.grad = slope
            adam.update(0.01)
            own = adam_step(own[0], slope, own[1], own[2], step, 0.01)
            if not isinstance(own, list | tuple) or len(own) != 3:
                yield Mark(False, what, f"yours returns {short(own)}, not p, m and v")
                return
        wanted = (p.data, adam.m[0], adam.v[0])
        yield near(f"{what}: p, m, v", tuple(own), wanted, _adam_hint(own, wanted))


def _adam_hint(own: tuple, wanted: tuple) -> str:
    if agree(own, wanted):
        return ""
    if not agree(own[1], wanted[1]):
        return "m keeps beta1 of what it was, and takes 1 - beta1 of the slope"
    if not agree(own[2], wanted[2]):
        return "v does as m does, with beta2 and the square of the slope"
    return "m and v are right; are both corrected by their 1 - beta ** step?"


@exercise(
    "overfit",
    """
import random
from microgpt import Model, Tokenizer, train

letters = Tokenizer("abcdefghijklmnopqrstuvwxyz")
model = Model(letters).randomize(random.Random(42))

# Fifty losses of a model that sees "emma" and nothing else
losses = []
""",
)
def _overfit(names: dict, program: ModuleType) -> Iterator[Mark]:
    losses = get(names, "losses", "list")
    if not isinstance(losses, list | tuple):
        yield Mark(
            False, "losses is a list", "train yields its losses; make a list of it"
        )
        return
    yield equal("fifty steps", len(losses), 50, "train takes the number of steps")
    if not losses or not all(isinstance(loss, float) for loss in losses):
        return
    yield Mark(
        losses[0] > 2.5, "it begins like someone who guesses", f"{losses[0]:.2f}"
    )
    hint = "" if losses[-1] < 0.1 else ": did it see one name only?"
    came = f"the last loss is {losses[-1]:.2f}{hint}"
    yield Mark(losses[-1] < 0.1, "it ends knowing the name by heart", came)


@exercise(
    "temperature",
    '''
import math

def guess(scores, temperature):
    """Return the probabilities of plain numbers at a temperature."""
    return scores
''',
)
def _temperature(names: dict, program: ModuleType) -> Iterator[Mark]:
    guess = get(names, "guess")
    scores = [2.0, 1.0, 0.5]
    for temperature in (1, 0.5, 2, 100, 0.01, 0.001):
        wanted = _plain(program, [score / temperature for score in scores])
        what, hint = f"2, 1 and 0.5 at temperature {temperature}", ""
        try:
            got = guess([*scores], temperature)
        except OverflowError as error:
            came = f"{said_by(error)}: take the largest score off all of them first"
            yield Mark(False, what, came)
            continue
        if not agree(got, wanted):
            if agree(got, _plain(program, [score * temperature for score in scores])):
                hint = "scores are divided by the temperature, not multiplied"
            elif agree(got, _plain(program, scores)):
                hint = "the temperature is not used yet"
        yield near(what, got, wanted, hint)


# Part VI: Experiments


@exercise(
    "unigram",
    '''
import math
from collections import Counter
from microgpt import Tokenizer

letters = Tokenizer("abcdefghijklmnopqrstuvwxyz")

def unigram(names, name):
    """Return the loss of a name for who has only counted the tokens of names."""
    return 0
''',
)
def _unigram(names: dict, program: ModuleType) -> Iterator[Mark]:
    unigram = get(names, "unigram")
    letters = program.Tokenizer("abcdefghijklmnopqrstuvwxyz")
    seen = ["anna", "emma", "olivia"]
    counts: Counter = Counter()
    for each in seen:
        counts.update(letters.encode(each)[1:])
    total = sum(counts.values())
    for name in ("ana", "mia", "xyz"):
        tokens = letters.encode(name)[1:]

        def mean(one: int, size: int, tokens: list[int] = tokens) -> float:
            found = [(counts[t] + one) / (total + one * size) for t in tokens]
            return sum(-math.log(p) for p in found) / len(found) if all(found) else 0.0

        what, wanted, hint = f"“{name}”, after three names", mean(1, 27), ""
        try:
            got = unigram([*seen], name)
        except (ValueError, ZeroDivisionError) as error:
            came = (
                f"{said_by(error)}: a letter that never occurred; add 1 to each count"
            )
            yield Mark(False, what, came)
            continue
        if not agree(got, wanted):
            if agree(got, mean(0, 27)):
                hint = "add 1 to each count"
            elif agree(got, mean(1, 26)):
                hint = "there are 27 tokens, with BOS"
            elif isinstance(got, float) and agree(got, wanted * len(tokens)):
                hint = "take the mean over the tokens"
            elif isinstance(got, float) and got > 0:
                hint = "the end of a name, BOS, is guessed as well; its start is not"
        yield near(what, got, wanted, hint)


_SQUARED = "Add what the MLP thinks"


@exercise("squared-relu", "", _SQUARED)
def _squared_relu(names: dict, program: ModuleType) -> Iterator[Mark]:
    edits = {_SQUARED: names["text"]}
    right = {_SQUARED: text_of(book().chunks[_SQUARED].variants["squared-relu"])}
    losses = []
    for chunks in ({}, edits, right):
        try:
            racer = workshop.Racer(workshop.load(chunks))
            losses.append([racer.step()["loss"] for _ in range(3)])
        except workshop.Mistake as mistake:
            place = mistake.places[0]
            where = f"line {place['line']}: " if place["chunk"] == _SQUARED else ""
            yield Mark(False, "the tangler accepts the chunk", where + place["message"])
            return
    yield Mark(True, "the tangler accepts the chunk", "it trains")
    before, got, wanted = losses
    came = f"losses {short(got)}"
    if got == before:
        came += ", as before: nothing that it computes has changed"
    elif not agree(got, wanted):
        came += f", and should be {short(wanted)}: is the positive part squared?"
    yield Mark(agree(got, wanted), "the first three losses", came)
