"""Tasks of parts III and IV: the model, its training, and how it speaks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from types import ModuleType

from exercises.marking import Slip
from exercises.tasks import outcome, plain, slopes, small, task, values

RANDOM = "20 random cases"


def _vector(rng: random.Random, size: int) -> list[float]:
    return [rng.gauss(0, 2) for _ in range(size)]


def _rows(rng: random.Random, count: int, size: int) -> list[list[float]]:
    return [_vector(rng, size) for _ in range(count)]


@task(
    "rmsnorm",
    "Bring a vector to a standard size",
    Slip("take the mean of the squares, not their sum", " / len(x)", ""),
    Slip("to divide by the root is the power -0.5", "** -0.5", "** 0.5"),
    Slip("add 0.00001 under the root: all numbers may be 0", " + 1e-5", ""),
    Slip(
        "the mean is not taken away, only the size changes",
        "    mean_square",
        "    x = [xi - sum(x) / len(x) for xi in x]\n    mean_square",
    ),
    Slip("the size is the root of the mean square", "** -0.5", "** -1"),
)
def _rmsnorm(program: ModuleType, rng: random.Random) -> Iterator[tuple]:
    def told(numbers: list) -> list:
        x = values(program, numbers)
        result = program.rmsnorm(x)
        return outcome(result, x)

    yield "1 and 7, whose mean square is 25, and the slopes", told([1.0, 7.0])
    yield "ten times as much", told([10.0, 70.0])
    yield "zeros", told([0.0, 0.0])
    for _ in range(20):
        yield RANDOM, told(_vector(rng, rng.randint(1, 6)))


@task(
    "look_back",
    "Look back with one head",
    Slip("divide each score by the root of the query's length", " / len(q) ** 0.5", ""),
    Slip(
        "it is the root of the length that one divides by",
        "score / len(q) ** 0.5",
        "score / len(q)",
    ),
    Slip(
        "zip can be gone through only once: make a list of it",
        "list(zip(*values))",
        "zip(*values)",
    ),
    Slip("the weights mix the values, not the keys", "zip(*values)", "zip(*keys)"),
    Slip(
        "scores are no weights yet: softmax makes them",
        "softmax([score / len(q) ** 0.5 for score in scores])",
        "[score / len(q) ** 0.5 for score in scores]",
    ),
)
def _look_back(program: ModuleType, rng: random.Random) -> Iterator[tuple]:
    def told(q: list, keys: list, mixed: list) -> list:
        q, keys, mixed = (values(program, each) for each in (q, keys, mixed))
        result = program.look_back(q, keys, mixed)
        return outcome(result, q, keys, mixed)

    yield (
        "one earlier position: its value",
        told([1.0, 2.0], [[0.5, -1.0]], [[3.0, 4.0]]),
    )
    keys = [[2.0, 0.0], [2.0, 0.0]]
    yield "two equal keys: the mean", told([1.0, 1.0], keys, [[1.0, 0.0], [3.0, 2.0]])
    for _ in range(20):
        size, count = rng.randint(2, 4), rng.randint(2, 4)
        keys, mixed = _rows(rng, count, size), _rows(rng, count, size)
        yield RANDOM, told(_vector(rng, size), keys, mixed)


@task(
    "add",
    "Add two lists",
    Slip(
        "+ joins two lists; their numbers are to be added",
        "[a + b for a, b in zip(x, y)]",
        "x + y",
    ),
    Slip("a sum is wanted, not a product", "a + b", "a * b"),
    Slip("one sum for each place", "[a + b for a, b in zip(x, y)]", "sum(x) + sum(y)"),
)
def _add(program: ModuleType, rng: random.Random) -> Iterator[tuple]:
    def told(*numbers: list) -> list:
        x, y = values(program, [*numbers])
        result = program.add(x, y)
        return outcome(result, x, y)

    yield "1, 2 and 10, 20", told([1.0, 2.0], [10.0, 20.0])
    for _ in range(20):
        size = rng.randint(1, 5)
        yield RANDOM, told(_vector(rng, size), _vector(rng, size))


@task(
    "attention",
    "Look back with several heads",
    Slip(
        "each head sees its own part of the query",
        "look_back(q[head],",
        "look_back(q[:head_dim],",
    ),
    Slip(
        "each head sees its own part of the keys",
        "[k[head] for k in keys]",
        "[k[:head_dim] for k in keys]",
    ),
    Slip(
        "each head mixes its own part of the values",
        "[v[head] for v in values]",
        "[v[:head_dim] for v in values]",
    ),
    Slip(
        "what the heads find stands in one list, one head after the other",
        "out += look_back",
        "out[:0] = look_back",
    ),
    Slip(
        "one head that sees all is not several",
        "head_dim = len(q) // n_head",
        "head_dim = len(q)",
    ),
)
def _attention(program: ModuleType, rng: random.Random) -> Iterator[tuple]:
    def told(q: list, keys: list, mixed: list, n_head: int) -> list:
        q, keys, mixed = (values(program, each) for each in (q, keys, mixed))
        result = program.attention(q, keys, mixed, n_head)
        return outcome(result, q, keys, mixed)

    keys, mixed = [[1.0, 0.0], [0.0, 1.0]], [[1.0, 2.0], [3.0, 4.0]]
    yield "two heads of one number, two positions", told([2.0, -2.0], keys, mixed, 2)
    yield "the same with one head", told([2.0, -2.0], keys, mixed, 1)
    for _ in range(20):
        heads, count = rng.choice([1, 2, 3]), rng.randint(1, 4)
        size = heads * rng.choice([1, 2])
        keys, mixed = _rows(rng, count, size), _rows(rng, count, size)
        yield RANDOM, told(_vector(rng, size), keys, mixed, heads)


@task(
    "caches",
    "Make empty caches",
    Slip(
        "each layer needs a list of its own; * repeats one and the same",
        "return [[] for _ in range(self.n_layer)], [[]",
        "return [[]] * self.n_layer, [[]",
    ),
    Slip(
        "two are wanted: one for the keys, one for the values",
        ", [[] for _ in range(self.n_layer)]",
        "",
    ),
    Slip(
        "a list for each layer, not for each head",
        "return [[] for _ in range(self.n_layer)]",
        "return [[] for _ in range(self.n_head)]",
    ),
    Slip(
        "keys and values must not share their lists",
        "return [[] for _ in range(self.n_layer)], [[] for _ in range(self.n_layer)]",
        "return ([[] for _ in range(self.n_layer)],) * 2",
    ),
)
def _caches(program: ModuleType, rng: random.Random) -> Iterator[tuple]:
    def told(layers: int) -> list:
        model = small(program, rng, n_layer=layers, n_embd=6, n_head=3)
        found = model.caches()
        if not isinstance(found, tuple | list) or len(found) != 2:
            return found
        keys, caches = found
        keys[0].append("a key")
        return [*map(list, keys)], [*map(list, caches)]

    yield "a key put into the first of three layers", told(3)
    yield "one layer", told(1)
    for _ in range(3):
        yield "3 random models", told(rng.randint(2, 9))


@task(
    "shapes",
    "Say which matrices there are",
    Slip(
        "fc2 leads back: from 4n numbers to n",
        '"mlp_fc2": (n, 4 * n)',
        '"mlp_fc2": (4 * n, n)',
    ),
    Slip(
        "wpe has a row for each position",
        '"wpe": (self.block_size, n)',
        '"wpe": (v, n)',
    ),
    Slip(
        "lm_head stands third, before the layers",
        '"wte": (v, n), "wpe": (self.block_size, n), "lm_head": (v, n)}',
        '"lm_head": (v, n), "wte": (v, n), "wpe": (self.block_size, n)}',
    ),
    Slip("each layer has matrices of its own", "range(self.n_layer)", "range(1)"),
    Slip(
        "the names of a layer begin with its number: layer0.attn_wq",
        'f"layer{i}.{name}": shape',
        'f"{name}": shape',
    ),
    Slip("rows come first: one for each token", '{"wte": (v, n)', '{"wte": (n, v)'),
)
def _shapes(program: ModuleType, rng: random.Random) -> Iterator[tuple]:
    def told(**sizes: int) -> list:
        model = program.Model(program.Tokenizer("abcd"[: rng.randint(1, 4)]), **sizes)
        found = model.shapes()
        return found and [[name, *shape] for name, shape in found.items()]

    yield "a small model", told(n_embd=4, n_head=2, block_size=3)
    yield "two layers", told(n_embd=2, n_head=1, n_layer=2, block_size=6)
    for _ in range(5):
        sizes = {"n_embd": 2 * rng.randint(1, 9), "n_layer": rng.randint(1, 3)}
        yield "5 random models", told(**sizes, n_head=2, block_size=rng.randint(2, 9))


@task(
    "randomize",
    "Draw the parameters at random",
    Slip("the deviation is 0.08", "rng.gauss(0, 0.08)", "rng.gauss(0, 1)"),
    Slip(
        "the numbers are Gaussian, by rng.gauss",
        "rng.gauss(0, 0.08)",
        "rng.uniform(-0.08, 0.08)",
    ),
    Slip(
        "return the model itself, so that one can go on with it",
        "    return self\n",
        "",
    ),
    Slip(
        "m rows of n numbers: rows come first",
        "for _ in range(n)] for _ in range(m)]",
        "for _ in range(m)] for _ in range(n)]",
    ),
    Slip(
        "a parameter is a Value: it needs a slope",
        "Value(rng.gauss(0, 0.08))",
        "rng.gauss(0, 0.08)",
    ),
)
def _randomize(program: ModuleType, rng: random.Random) -> Iterator[tuple]:
    def told(seed: int, **sizes: int) -> list:
        model = program.Model(program.Tokenizer("ab"), n_head=1, **sizes)
        model.state_dict = {}
        result = model.randomize(random.Random(seed))
        drawn = [[name, plain(rows)] for name, rows in model.state_dict.items()]
        first = next(iter(model.state_dict.values()), [[0]])[0][0]
        return [
            "the model" if result is model else result,
            hasattr(first, "grad"),
            drawn,
        ]

    yield "a model of width 1, drawn with seed 1", told(1, n_embd=1, block_size=2)
    for _ in range(5):
        sizes = {"n_embd": rng.randint(2, 4), "n_layer": rng.randint(1, 2)}
        yield "5 random models", told(rng.randrange(99), **sizes, block_size=3)


@task(
    "params",
    "List all parameters",
    Slip(
        "one flat list: no lists within it",
        "p for matrix in self.state_dict.values() for row in matrix for p in row",
        "matrix for matrix in self.state_dict.values()",
    ),
    Slip(
        "one flat list: a row is not a parameter",
        "p for matrix in self.state_dict.values() for row in matrix for p in row",
        "row for matrix in self.state_dict.values() for row in matrix",
    ),
    Slip(
        "the parameters themselves are wanted: Adam changes them",
        "[p for matrix",
        "[p.data for matrix",
    ),
    Slip(
        "the order is that of state_dict",
        "self.state_dict.values()",
        "[self.state_dict[name] for name in sorted(self.state_dict)]",
    ),
)
def _params(program: ModuleType, rng: random.Random) -> Iterator[tuple]:
    def told(**sizes: int) -> list:
        model = small(program, rng, **sizes)
        found = model.params()
        if found is None:
            return [None]
        same = found[:1] == model.state_dict["wte"][0][:1]
        return [plain(found), "the values themselves" if same else "others"]

    yield "a model of width 2", told(n_embd=2, n_layer=1)
    for _ in range(5):
        yield "5 random models", told(n_layer=rng.randint(1, 3))


@task(
    "gpt",
    "Guess what follows a token",
    Slip(
        "the embedding is brought to a standard size before the layers",
        "    x = rmsnorm(x)\n",
        "",
    ),
    Slip(
        "a position has a vector of its own: add it to the token's",
        'x = add(weights["wte"][token_id], weights["wpe"][pos_id])',
        'x = weights["wte"][token_id]',
    ),
    Slip(
        "what attention finds is added to x; it does not replace it",
        "x = add(x, mixed)",
        "x = mixed",
    ),
    Slip(
        "what the MLP thinks is added to x; it does not replace it",
        "x = add(x, mlp(rmsnorm(x), fc1, fc2))",
        "x = mlp(rmsnorm(x), fc1, fc2)",
    ),
    Slip(
        "the MLP gets x brought to a standard size",
        "mlp(rmsnorm(x), fc1, fc2)",
        "mlp(x, fc1, fc2)",
    ),
    Slip(
        "attn_wo mixes what the heads found",
        'linear(found, weights[f"{layer}.attn_wo"])',
        "found",
    ),
    Slip(
        "query, key and value come from x brought to a standard size",
        "normed = rmsnorm(x)",
        "normed = x",
    ),
    Slip(
        "gpt returns logits; softmax comes later",
        'return linear(x, weights["lm_head"])',
        'return softmax(linear(x, weights["lm_head"]))',
    ),
    Slip(
        "there is no norm before lm_head",
        'return linear(x, weights["lm_head"])',
        'return linear(rmsnorm(x), weights["lm_head"])',
    ),
    Slip(
        "the MLP goes on from what attention has added to",
        "x = add(x, mlp(rmsnorm(x), fc1, fc2))",
        "x = add(x, mlp(normed, fc1, fc2))",
    ),
    Slip(
        "each layer has matrices of its own",
        'layer = f"layer{i}"',
        'layer = "layer0"',
    ),
)
def _gpt(program: ModuleType, rng: random.Random) -> Iterator[tuple]:
    def told(tokens: list[int], **sizes: int) -> list:
        model = small(program, rng, **sizes)
        keys, caches = model.caches()
        logits = [
            program.gpt(token, place, keys, caches, model)
            for place, token in enumerate(tokens)
        ]
        known = (model.state_dict["wte"], model.state_dict["wpe"])
        behind = slopes(logits[-1] or [None], known)
        return {
            "the logits": plain(logits),
            "the keys": plain(keys),
            "the values": plain(caches),
            "the slopes of 1·y1 + 2·y2 + …": behind,
        }

    yield "one token, one layer", told([1], n_layer=1)
    yield "two tokens, one layer", told([3, 0], n_layer=1)
    yield "three tokens, two layers", told([3, 0, 2])
    for _ in range(5):
        tokens = [rng.randrange(4) for _ in range(rng.randint(1, 4))]
        yield "5 random models", told(tokens, n_layer=rng.randint(1, 3))


@task(
    "mean_loss",
    "Measure the surprise at a document",
    Slip(
        "the model is to guess the next token, not the one that it sees",
        "tokens[pos_id + 1]]",
        "tokens[pos_id]]",
    ),
    Slip("the mean is wanted, not the sum", " / len(losses)", ""),
    Slip(
        "the caches go on from one position to the next: make them once",
        "pos_id, keys, values, model)",
        "pos_id, *model.caches(), model)",
    ),
    Slip(
        "at most block_size positions count",
        "min(model.block_size, len(tokens) - 1)",
        "len(tokens) - 1",
    ),
    Slip(
        "a surprise is positive: -log p is logsumexp minus the token's logit",
        "logsumexp(logits) - logits[tokens[pos_id + 1]]",
        "logits[tokens[pos_id + 1]] - logsumexp(logits)",
    ),
    Slip(
        "the end is guessed as well: it is the last target",
        "min(model.block_size, len(tokens) - 1)",
        "min(model.block_size, len(tokens) - 2)",
    ),
)
def _mean_loss(program: ModuleType, rng: random.Random) -> Iterator[tuple]:
    def told(doc: str) -> list:
        model = small(program, rng, n_layer=1)
        loss = program.mean_loss(model.tokenizer.encode(doc), model)
        return outcome(loss, *model.state_dict["lm_head"])

    yield "the loss of “ab”, and slopes", told("ab")
    yield "“a”", told("a")
    yield "“abcabcabc” with a block size of 5", told("abcabcabc")
    for _ in range(5):
        yield (
            "5 random documents",
            told("".join(rng.choices("abc", k=rng.randint(1, 7)))),
        )


@task(
    "adam",
    "Update every parameter once",
    Slip("the first mean takes 1 - beta1 of the slope", "(1 - beta1) * g", "g"),
    Slip("v is a mean of squares", "(1 - beta2) * g * g", "(1 - beta2) * g"),
    Slip(
        "m begins at 0: divide by 1 - beta1 ** steps",
        "learning_rate / (1 - beta1**self.steps)",
        "learning_rate",
    ),
    Slip(
        "v begins at 0: divide by 1 - beta2 ** steps",
        "1 / (1 - beta2**self.steps)",
        "1",
    ),
    Slip(
        "keep the means for the next step",
        "self.m[i] = m = beta1",
        "m = beta1",
    ),
    Slip("go against the slope", "p.data -= rate", "p.data += rate"),
    Slip("the first step has the number 1: count before", "    self.steps += 1\n", ""),
    Slip("divide by the root of v", "sqrt(v * correction)", "v * correction"),
)
def _adam(program: ModuleType, rng: random.Random) -> Iterator[tuple]:
    def told(steps: list, rate: float = 0.01) -> list:
        params = values(program, [1.0] * len(steps[0]))
        adam, found = program.Adam(params), []
        for own in steps:
            for p, slope in zip(params, own):
                p.grad = slope
            adam.update(rate)
            found.append([plain(params), [*adam.m], [*adam.v], adam.steps])
        return {f"step {n}: p, m, v, steps": each for n, each in enumerate(found, 1)}

    yield "one step with a slope of 2: p, m, v and steps", told([[2.0]])
    yield "three steps with slopes 1, -3 and 0.5", told([[1.0], [-3.0], [0.5]])
    yield "a slope of 0", told([[0.0]])
    for _ in range(20):
        size = rng.randint(1, 4)
        yield RANDOM, told(_rows(rng, rng.randint(1, 5), size), rng.random() / 10)


@task(
    "learn",
    "Learn from one document",
    Slip(
        "slopes add up: set them to 0 before each step",
        "        p.grad = 0.0\n",
        "        pass\n",
    ),
    Slip("return the number, not the Value: take its data", "loss.data", "loss"),
    Slip("after the loss come backward and the update", "    loss.backward()\n", ""),
    Slip(
        "return the loss before the update, which is measured already",
        "return loss.data",
        "return mean_loss(tokens, model).data",
    ),
)
def _learn(program: ModuleType, rng: random.Random) -> Iterator[tuple]:
    def told(docs: list[str]) -> list:
        model = small(program, rng, n_layer=1)
        adam, losses = program.Adam(model.params()), []
        for doc in docs:
            loss = program.learn(model.tokenizer.encode(doc), model, adam, 0.01)
            losses.append("a Value" if hasattr(loss, "data") else loss)
        return {"the losses": losses, "the parameters": plain(adam.params)}

    yield "one step with “ab”", told(["ab"])
    yield "three steps", told(["ab", "c", "ab"])
    for _ in range(3):
        docs = ["".join(rng.choices("abc", k=rng.randint(1, 4))) for _ in range(4)]
        yield "3 random trainings", told(docs)


@task(
    "train",
    "Train step by step",
    Slip(
        "after the last document comes the first again",
        "docs[step % len(docs)]",
        "docs[min(step, len(docs) - 1)]",
    ),
    Slip(
        "the learning rate falls to 0 in a straight line",
        "learning_rate * (1 - step / steps)",
        "learning_rate",
    ),
    Slip(
        "go on after the steps that Adam has done",
        "range(adam.steps, steps)",
        "range(steps)",
    ),
    Slip(
        "the rate of the first step is the whole one: steps count from 0",
        "(1 - step / steps)",
        "(1 - (step + 1) / steps)",
    ),
    Slip(
        "the steps are those of the whole training: those that Adam has done count",
        "range(adam.steps, steps)",
        "range(adam.steps, adam.steps + steps)",
    ),
    Slip(
        "use the Adam that is given, if one is",
        "adam = adam or Adam",
        "adam = Adam",
    ),
)
def _train(program: ModuleType, rng: random.Random) -> Iterator[tuple]:
    def told(docs: list[str], steps: int, done: int = 0, **options: float) -> list:
        model = small(program, rng, n_layer=1, n_embd=2)
        adam = program.Adam(model.params())
        adam.steps = done
        losses = program.train(model, docs, steps, adam=adam, **options)
        return [losses and [*losses], plain(adam.params), adam.steps]

    yield "two steps with two documents", told(["ab", "c"], 2)
    yield "five steps with two documents", told(["ab", "c"], 5)
    yield "from step 2 of 4 on", told(["ab", "c", "a"], 4, 2)
    model = small(program, rng, n_layer=1, n_embd=2)
    yield "with an Adam of its own", [*(program.train(model, ["ab"], 2) or [None])]
    for _ in range(3):
        docs = ["".join(rng.choices("abc", k=2)) for _ in range(rng.randint(1, 3))]
        yield "3 random trainings", told(docs, rng.randint(2, 6), learning_rate=0.05)


@task(
    "generate",
    "Draw a name token by token",
    Slip(
        "logits are divided by the temperature, not multiplied",
        "logit / temperature",
        "logit * temperature",
    ),
    Slip(
        "BOS ends the name, and is no part of it",
        "            if token == model.tokenizer.bos:\n                return\n",
        "",
    ),
    Slip(
        "the name begins with BOS and the prompt",
        "[model.tokenizer.bos, *prompt]",
        "[model.tokenizer.bos]",
    ),
    Slip(
        "draw by the probabilities; the likeliest alone would always be the same",
        "rng.choices(range(len(probs)), weights=[p.data for p in probs])[0]",
        "max(range(len(probs)), key=lambda i: probs[i].data)",
    ),
    Slip(
        "as long as the prompt lasts, nothing is drawn",
        "if pos_id >= len(prompt):",
        "if True:",
    ),
    Slip(
        "weigh the tokens by their probabilities",
        ", weights=[p.data for p in probs]",
        "",
    ),
    Slip("at most block_size tokens", "range(model.block_size)", "range(99)"),
)
def _generate(program: ModuleType, rng: random.Random) -> Iterator[tuple]:
    def told(seed: int, **options) -> list:
        model = small(program, rng, n_layer=1)
        found = program.generate(model, random.Random(seed), **options)
        return found and [*found]

    for seed in range(1, 4):
        yield f"what seed {seed} draws", told(seed)
    for seed in range(5):
        yield "after a prompt of two tokens", told(seed, prompt=[1, 0])
    for _ in range(20):
        yield RANDOM, told(rng.randrange(99), temperature=rng.choice([0.1, 0.5, 1, 5]))
