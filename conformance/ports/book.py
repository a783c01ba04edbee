"""A program of the book, or an engine, as a port: `python book.py FILE [DTYPE]`.

FILE is `build/microgpt.py` where none is given, and DTYPE is for PyTorch's engine.
The program is left as it is. While it computes, its functions are wrapped, so that what
they are given and what they return can be written down under the names of the pack.
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import json
import math
import random
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from types import ModuleType, SimpleNamespace
from unittest import mock

# What a matrix is given, and what it makes of it; "" where that was noted before.
AROUND = {
    "attn_wq": ("normed", "query"),
    "attn_wk": ("", "key"),
    "attn_wv": ("", "value"),
    "attn_wo": ("found", "mixed"),
    "mlp_fc1": ("normed_again", "hidden"),
    "mlp_fc2": ("active", "thought"),
}

Numbers = list[float]
Answer = dict[str, Numbers]


def load(path: str) -> ModuleType:
    """Return the program at a path as a module; it finds those that lie beside it."""
    sys.path.insert(0, str(Path(path).resolve().parent))
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def serve(levels: dict) -> None:
    """Answer each line of standard input by the function of the level it asks for."""
    for line in sys.stdin:
        request = json.loads(line)
        answer = levels[request["do"]](request) if request["do"] in levels else {}
        print(json.dumps({"id": request["id"], **answer}), flush=True)


def flat(x) -> Numbers:
    """Return all numbers of values, arrays or tensors, in lists however deep."""
    if hasattr(x, "data") and not hasattr(x, "tolist"):
        x = x.data
    if hasattr(x, "tolist"):
        x = x.tolist()
    if isinstance(x, (list, tuple)):
        return [number for part in x for number in flat(part)]
    return [x]


class Recorder:
    """Notes, under the names of the pack, what the functions of a module compute."""

    def __init__(self, module: ModuleType, weights: dict, n_head: int) -> None:
        self.module, self.n_head = module, n_head
        self.matrices = {id(matrix): name for name, matrix in weights.items()}
        self.notes: Answer = defaultdict(list, embedded=[], normed=[])  # come first
        self.made = []  # pairs: the name of a matrix, and what it has made
        self.heads = []  # pairs: the scores of a head at a position, and its weights

    @contextlib.contextmanager
    def recording(self) -> Iterator[Answer]:
        """Yield notes of what the module's functions do in the block."""
        softmax = "softmax" if hasattr(self.module, "softmax") else "log_softmax"
        functions = {
            name: getattr(self.module, name)
            for name in ("linear", "add", softmax)
            if hasattr(self.module, name)
        }
        hooks = {name: partial(self.follow, name, f) for name, f in functions.items()}
        with mock.patch.multiple(self.module, **hooks):
            yield self.notes

    def follow(self, name: str, function, *given):
        """Call a function, and let the method of its name note what it has done."""
        result = function(*given)
        getattr(self, name)(*given, result)
        return result

    def note(self, layer: str, name: str, x) -> None:
        self.notes[f"{layer}.{name}" if layer else name] += flat(x)

    def linear(self, x, w, y):
        """Note what one of the model's matrices is given, and what it makes."""
        source = self.matrices.get(id(w), "")
        layer, _, matrix = source.rpartition(".")
        if matrix in AROUND:
            if matrix == "attn_wo":
                self.note_heads(layer)
            for name, numbers in zip(AROUND[matrix], (x, y)):
                if name:
                    self.note(layer, name, numbers)
            self.made.append((source, y))

    def add(self, x, y, z):
        """Note what is added to the stream, known by the matrix that has made it."""
        source = next((name for name, made in self.made if made is y), "")
        layer, _, matrix = source.rpartition(".")
        if source == "layer0.attn_wo":
            self.note("", "normed", x)
        name = {"": "embedded", "attn_wo": "attended", "mlp_fc2": "left"}[matrix]
        self.note(layer, name, z)

    def softmax(self, scores, weights):
        """Note the scores and weights of one head at one position."""
        self.heads.append((flat(scores), flat(weights)))

    def log_softmax(self, scores, logs):
        """Note the scores and weights of all heads at all positions, as arrays."""
        for rows in zip(scores[0], logs[0]):
            for end, (row, log) in enumerate(zip(*rows), 1):
                weights = [math.exp(number) for number in log[:end]]
                self.heads.append((flat(row[:end]), weights))

    def note_heads(self, layer: str) -> None:
        """Note position by position what may have been computed head by head."""
        positions = len(self.heads) // self.n_head
        for start in range(positions):
            for scores, weights in self.heads[start::positions]:
                self.note(layer, "scores", scores)
                self.note(layer, "weights", weights)
        self.heads.clear()


def uniforms(given: dict) -> random.Random:
    """Return a generator whose uniform numbers are the given ones."""
    rng = random.Random()
    rng.random = iter(given["uniforms"]).__next__
    return rng


class Program:
    """The answers of `microgpt.py`; each method is a level."""

    levels = ("forward", "loss", "gradients", "adam", "draw", "names", "seed")

    def __init__(self, module: ModuleType) -> None:
        self.module, self.train = module, module.train

    def forward(self, given: dict) -> Answer:
        """Return what each step of the forward pass makes of the first document."""
        model, tokens, logits = self.model(given), first_document(given), []
        caches = model.caches()
        recorder = Recorder(self.module, model.state_dict, model.n_head)
        with recorder.recording() as notes:
            for pos_id in range(min(model.block_size, len(tokens) - 1)):
                logits.append(self.module.gpt(tokens[pos_id], pos_id, *caches, model))
        probs = flat([*map(self.module.softmax, logits)])
        return {**notes, "logits": flat(logits), "probs": probs}

    def loss(self, given: dict) -> Answer:
        """Return the surprise at each position, and their mean."""
        model, surprises = self.model(given), []

        def note(numbers):
            numbers = [*numbers]
            if isinstance(
                numbers[0], self.module.Value
            ):  # all other sums are of floats
                surprises.extend(flat(numbers))
            return sum(numbers)

        with mock.patch.object(self.module, "sum", note, create=True):
            loss = self.module.mean_loss(first_document(given), model)
        return {"surprises": surprises, "loss": [loss.data]}

    def gradients(self, given: dict) -> Answer:
        """Return the slope of each parameter, in the order of `weights`."""
        model = self.model(given)
        self.module.mean_loss(first_document(given), model).backward()
        return {"gradients": [p.grad for p in model.params()]}

    def adam(self, given: dict) -> Answer:
        """Return what a training has after each step."""
        answer, steps, rate = {}, given["steps"], given["learning_rate"]
        for step in range(1, steps + 1):
            adam, losses = self.training(given, given["documents"], steps, rate)
            with contextlib.closing(losses):
                *_, loss = islice(losses, step)
            answer[f"step{step}.loss"] = [loss]
            answer[f"step{step}.m"], answer[f"step{step}.v"] = [*adam.m], [*adam.v]
            answer[f"step{step}.weights"] = flat(adam.params)
        return answer

    def draw(self, given: dict) -> Answer:
        """Return probabilities for rows of logits, and the token that each draws."""
        bos, probs, drawn = given["vocab_size"] - 1, [], []
        model = SimpleNamespace(
            tokenizer=SimpleNamespace(bos=bos), block_size=1, caches=lambda: ([], [])
        )
        softmax, rng = self.module.softmax, uniforms(given)

        def note(logits):
            made = softmax(logits)
            probs.extend(flat(made))
            return made

        for logits in rows(given["logits"], given["vocab_size"]):
            values = [*map(self.module.Value, logits)]
            gpt = mock.Mock(return_value=values)
            with mock.patch.multiple(self.module, gpt=gpt, softmax=note):
                drawn += self.spoken(model, rng, 1, given["temperature"])
        return {"probs": probs, "drawn": drawn}

    def names(self, given: dict) -> Answer:
        """Return the tokens of some names, drawn with the given uniform numbers."""
        model, rng = self.model(given), uniforms(given)
        return {
            "drawn": self.spoken(model, rng, given["samples"], given["temperature"])
        }

    def seed(self, given: dict) -> Answer:
        """Return what a run has that begins with nothing but a seed and documents."""
        rng, docs = random.Random(given["seed"]), [*given["documents"]]
        rng.shuffle(docs)
        tokenizer = self.module.Tokenizer("".join(docs))
        sizes = {size: given[size] for size in self.module.SIZES}
        model = self.module.Model(tokenizer, **sizes).randomize(rng)
        weights = flat(model.params())
        steps, rate = given["steps"], given["learning_rate"]
        losses = [*self.module.train(model, docs, steps, rate)]
        drawn = self.spoken(model, rng, given["samples"], given["temperature"])
        tokens = [token for doc in docs for token in tokenizer.encode(doc)]
        return {"tokens": tokens, "weights": weights, "losses": losses, "drawn": drawn}

    def training(self, given: dict, docs: list[str], steps: int, rate: float, **betas):
        """Return an Adam, and what yields the losses of a training from the start."""
        model = self.model(given)
        adam = self.module.Adam(model.params(), **betas)
        return adam, self.train(model, docs, steps, rate, adam)

    def model(self, given: dict):
        """Return a model with the given weights."""
        sizes = {size: given[size] for size in self.module.SIZES}
        model = self.module.Model(self.module.Tokenizer(given["chars"]), **sizes)
        weights = iter(given["weights"])
        for name, (m, n) in model.shapes().items():
            matrix = [
                [self.module.Value(next(weights)) for _ in range(n)] for _ in range(m)
            ]
            model.state_dict[name] = matrix
        return model

    def spoken(self, model, rng, samples: int, temperature: float) -> list[int]:
        """Return the tokens of names one after another, with BOS where it was drawn."""
        tokens = []
        for _ in range(samples):
            new = [*self.module.generate(model, rng, temperature)]
            tokens += new + [model.tokenizer.bos] * (len(new) < model.block_size)
        return tokens


class Engine(Program):
    """The answers of an engine, which trains in the place of `microgpt.py`."""

    levels = ("forward", "loss", "gradients", "adam")

    def __init__(self, module: ModuleType, dtype: str = "float64") -> None:
        super().__init__(module.microgpt)
        self.engine = module
        self.train = module.train
        if "options" in inspect.signature(module.train).parameters:
            options = {"batch": 1, "accumulate": 1, "device": "cpu", "dtype": dtype}
            self.train = partial(module.train, SimpleNamespace(**options))

    def forward(self, given: dict) -> Answer:
        """Return what each step of the forward pass makes of the first document."""
        gpt, answers = self.engine.gpt, []

        def note(x, weights, model):
            recorder = Recorder(self.engine, weights, model.n_head)
            recorder.note("", "embedded", x)
            with recorder.recording() as notes:
                logits = gpt(x, weights, model)
            answers.append({**notes, "logits": flat(logits)})
            return logits

        with mock.patch.object(self.engine, "gpt", note):
            self.first_step(given)
        return answers[0]

    def loss(self, given: dict) -> Answer:
        """Return the loss alone."""
        return {"loss": [self.first_step(given)[1]]}

    def gradients(self, given: dict) -> Answer:
        """Return the slopes: Adam's first mean is that, where it forgets at once."""
        return {"gradients": [*self.first_step(given)[0].m]}

    def first_step(self, given: dict):
        """Return an Adam after a step with the first document, and the step's loss."""
        docs = given["documents"][:1]
        adam, losses = self.training(given, docs, 1, 0.01, beta1=0.0)
        with contextlib.closing(losses):
            return adam, next(losses)


def first_document(given: dict) -> list[int]:
    """Return the tokens of the first document, with BOS at both ends."""
    return given["tokens"][: given["lengths"][0]]


def rows(numbers: Numbers, width: int) -> list[Numbers]:
    """Return a flat list cut into rows."""
    return [numbers[i : i + width] for i in range(0, len(numbers), width)]


def main(path: str = "build/microgpt.py", *dtype: str) -> None:
    """Be the port of the program at a path."""
    module = load(path)
    is_engine = hasattr(module, "microgpt")
    port = Engine(module, *dtype) if is_engine else Program(module)
    serve({level: getattr(port, level) for level in port.levels})


if __name__ == "__main__":
    main(*sys.argv[1:])
