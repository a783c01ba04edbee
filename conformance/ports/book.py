"""A program of the book as a port: `python book.py [build/microgpt.py]`.

The program is left as it is. While it computes, its functions are wrapped, so that what
they are given and what they return can be written down under the names of the pack.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import random
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from unittest import mock

PROGRAM = "build/microgpt.py"
SIZES = ("n_embd", "n_head", "n_layer", "block_size")
# What a matrix is given, and what it makes of that; "" where another step has noted it.
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
    return (
        [n for part in x for n in flat(part)] if isinstance(x, (list, tuple)) else [x]
    )


class Recorder:
    """Notes, under the names of the pack, what the functions of a module compute."""

    def __init__(self, module: ModuleType, weights: dict, n_head: int) -> None:
        self.module, self.n_head = module, n_head
        self.matrices = {id(matrix): name for name, matrix in weights.items()}
        self.notes: Answer = defaultdict(list, embedded=[], normed=[])  # come first
        self.made = []  # pairs: the name of a matrix, and what it has made
        self.heads = []  # pairs: the scores of a head at a position, and its weights

    @contextlib.contextmanager
    def __call__(self, softmax: str) -> Iterator[Answer]:
        """Yield notes of what happens in the block; `softmax` names the function."""
        wrapped = {"linear": self.linear, "add": self.add, softmax: self.softmax}
        hooks = {}
        for name, hook in wrapped.items():
            plain = getattr(self.module, name)
            hooks[name] = lambda *given, f=plain, hook=hook: hook(*given, f(*given))
        with mock.patch.multiple(self.module, **hooks):
            yield self.notes

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
        return y

    def add(self, x, y, z):
        """Note what is added to the stream, known by the matrix that has made it."""
        source = next((name for name, made in self.made if made is y), "")
        layer, _, matrix = source.rpartition(".")
        if source == "layer0.attn_wo":
            self.note("", "normed", x)
        name = {"": "embedded", "attn_wo": "attended", "mlp_fc2": "left"}[matrix]
        self.note(layer, name, z)
        return z

    def softmax(self, scores, weights):
        self.heads.append((flat(scores), flat(weights)))
        return weights

    def note_heads(self, layer: str) -> None:
        """Note position by position what may have been computed head by head."""
        positions = len(self.heads) // self.n_head
        for start in range(positions):
            for scores, weights in self.heads[start::positions]:
                self.note(layer, "scores", scores)
                self.note(layer, "weights", weights)
        self.heads.clear()


class Uniforms(random.Random):
    """A generator whose uniform numbers are given."""

    def __init__(self, numbers: Numbers) -> None:
        super().__init__()
        self.numbers = iter(numbers)

    def random(self) -> float:
        return next(self.numbers)


class Program:
    """The answers of `microgpt.py`; each method is a level."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module

    def forward(self, given: dict) -> Answer:
        """Return what each step of the forward pass makes of the first document."""
        model, tokens, logits = self.model(given), first_document(given), []
        caches = model.caches()
        recorder = Recorder(self.module, model.state_dict, model.n_head)
        with recorder("softmax") as notes:
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
        model, answer = self.model(given), {}
        adam = self.module.Adam(model.params())
        steps, rate = given["steps"], given["learning_rate"]
        losses = self.module.train(model, given["documents"], steps, rate, adam)
        for step, loss in enumerate(losses, 1):
            answer[f"step{step}.loss"] = [loss]
            answer[f"step{step}.m"] = [*adam.m]
            answer[f"step{step}.v"] = [*adam.v]
            answer[f"step{step}.weights"] = flat(adam.params)
        return answer

    def draw(self, given: dict) -> Answer:
        """Return probabilities for rows of logits, and the token that each draws."""
        bos, probs, drawn = given["vocab_size"] - 1, [], []
        model = SimpleNamespace(
            tokenizer=SimpleNamespace(bos=bos), block_size=1, caches=lambda: ([], [])
        )
        softmax, rng = self.module.softmax, Uniforms(given["uniforms"])

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
        model, rng = self.model(given), Uniforms(given["uniforms"])
        return {
            "drawn": self.spoken(model, rng, given["samples"], given["temperature"])
        }

    def seed(self, given: dict) -> Answer:
        """Return what a run has that begins with nothing but a seed and documents."""
        rng, docs = random.Random(given["seed"]), [*given["documents"]]
        rng.shuffle(docs)
        tokenizer = self.module.Tokenizer("".join(docs))
        sizes = {size: given[size] for size in SIZES}
        model = self.module.Model(tokenizer, **sizes).randomize(rng)
        weights = flat(model.params())
        steps, rate = given["steps"], given["learning_rate"]
        losses = [*self.module.train(model, docs, steps, rate)]
        drawn = self.spoken(model, rng, given["samples"], given["temperature"])
        tokens = [token for doc in docs for token in tokenizer.encode(doc)]
        return {"tokens": tokens, "weights": weights, "losses": losses, "drawn": drawn}

    def model(self, given: dict):
        """Return a model with the given weights."""
        sizes = {size: given[size] for size in SIZES}
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


def first_document(given: dict) -> list[int]:
    """Return the tokens of the first document, with BOS at both ends."""
    return given["tokens"][: given["lengths"][0]]


def rows(numbers: Numbers, width: int) -> list[Numbers]:
    """Return a flat list cut into rows."""
    return [numbers[i : i + width] for i in range(0, len(numbers), width)]


LEVELS = ("forward", "loss", "gradients", "adam", "draw", "names", "seed")

if __name__ == "__main__":
    program = Program(load(*sys.argv[1:] or [PROGRAM]))
    serve({level: getattr(program, level) for level in LEVELS})
