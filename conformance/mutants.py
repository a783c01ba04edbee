"""Programs with one mistake each, and where a check has to find it."""

from __future__ import annotations

from dataclasses import dataclass

from exercises.edits import EditedBook, text_of
from literate.core.document import Document

NORM = "Bring a vector to a standard size"
LOOK_UP = "Look up the token and its position"
ATTEND = "Add what attention finds"
UPDATE = "Update every parameter once"
SUM = "Measure the surprise at a document"
DRAW = "Draw the next token"


@dataclass
class Mutant:
    """An edit of a chunk of the program: `new` in the place of `old`.

    A check finds it at a `level`, in the list or matrix of this `name`; both are empty
    where the edit is no mistake.
    """

    chunk: str
    old: str
    new: str
    level: str = ""
    name: str = ""

    def program(self, book: Document) -> str:
        """Return the text of the book's program with the edit.

        Raises ValueError if the chunk does not have the old text.
        """
        text = text_of(book, book.chunks[self.chunk].pieces)
        if self.old not in text:
            raise ValueError(f"the chunk {self.chunk!r} has no {self.old!r}")
        edits = {self.chunk: text.replace(self.old, self.new)}
        return EditedBook(book, edits).tangle().text


def detached(cache: str, matrix: str) -> tuple[str, str, str]:
    """Return the edit that cuts a cache off from the slopes."""
    made = f'linear(normed, weights[f"{{layer}}.{matrix}"])'
    old = f"{cache}[i].append({made})"
    return ATTEND, old, f"{cache}[i].append([Value(x.data) for x in {made}])"


MUTANTS = {
    # The forward pass
    "position-off-by-one": Mutant(
        LOOK_UP, '"wpe"][pos_id]', '"wpe"][pos_id - 1]', "forward", "embedded"
    ),
    "norm-too-few": Mutant(LOOK_UP, "x = rmsnorm(x)", "", "forward", "normed"),
    "norm-with-another-epsilon": Mutant(NORM, "1e-5", "1e-6", "forward", "normed"),
    "missing-root": Mutant(
        "Weigh the earlier positions",
        "score / len(q) ** 0.5",
        "score",
        "forward",
        "layer0.scores",
    ),
    "weights-shared-between-heads": Mutant(
        "Let one head look back",
        "q[head], [k[head] for k in keys]",
        "q[:head_dim], [k[:head_dim] for k in keys]",
        "forward",
        "layer0.scores",
    ),
    "lm-head-tied-to-wte": Mutant(
        "Guess what follows a token",
        'weights["lm_head"]',
        'weights["wte"]',
        "forward",
        "logits",
    ),
    "softmax-without-the-maximum": Mutant(
        "Take the logarithm of a sum of powers",
        "largest = max([xi.data for xi in x])",
        "largest = 0.0",
    ),
    # The loss
    "shifted-targets": Mutant(
        "Measure the surprise at the next token",
        "pos_id + 1]",
        "pos_id]",
        "loss",
        "surprises",
    ),
    "sum-for-mean": Mutant(
        SUM, "sum(losses) / len(losses)", "sum(losses)", "loss", "loss"
    ),
    # The slopes
    "half-slopes": Mutant(
        "Begin with a slope of 1 at the value itself",
        "self.grad += 1.0",
        "self.grad += 0.5",
        "gradients",
        "lm_head",
    ),
    "doubled-relu": Mutant(
        "Take logarithm, exponential and ReLU",
        "float(self.data > 0)",
        "2.0 * (self.data > 0)",
        "gradients",
        "layer0.mlp_fc1",
    ),
    "slope-at-zero": Mutant(
        "Take logarithm, exponential and ReLU",
        "float(self.data > 0)",
        "float(self.data >= 0)",
        "gradients",
        "layer0.mlp_fc1",
    ),
    "norm-off-graph": Mutant(
        NORM,
        "return [xi * scale for xi in x]",
        "return [xi * scale.data for xi in x]",
        "gradients",
        "layer0.attn_wo",
    ),
    "detached-values": Mutant(
        *detached("values", "attn_wv"), "gradients", "layer0.attn_wv"
    ),
    "detached-keys": Mutant(
        *detached("keys", "attn_wk"), "gradients", "layer0.attn_wk"
    ),
    # Adam
    "adam-with-other-betas": Mutant(
        "Move each parameter against its slope",
        "beta1=0.85",
        "beta1=0.9",
        "adam",
        "step1.m of wte",
    ),
    "adam-without-correction": Mutant(
        UPDATE, "1 - beta1**self.steps", "1", "adam", "step1.weights of wte"
    ),
    "slopes-not-zeroed": Mutant(
        "Learn from one document", "p.grad = 0.0", "pass", "adam", "step2.m of wte"
    ),
    "rate-that-stays": Mutant(
        "Train step by step",
        "learning_rate * (1 - step / steps)",
        "learning_rate",
        "adam",
        "step2.weights of wte",
    ),
    # Drawing, and the whole run
    "temperature-left-out": Mutant(
        DRAW, "logit / temperature", "logit", "draw", "probs"
    ),
    "draw-below-the-border": Mutant(
        DRAW,
        "rng.choices(range(len(probs)), weights=[p.data for p in probs])[0]",
        "(lambda sums, u: next(t for t, s in enumerate(sums) if s >= u * sums[-1]))("
        "[*itertools.accumulate(p.data for p in probs)], rng.random())",
        "draw",
        "drawn",
    ),
    "first-token-again": Mutant(
        "Draw a name token by token",
        "gpt(tokens[pos_id], pos_id",
        "gpt(tokens[0], pos_id",
        "names",
        "drawn",
    ),
    "another-deviation": Mutant(
        "Draw the parameters at random", "0.08", "0.02", "seed", "weights of wte"
    ),
}
