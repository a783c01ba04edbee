"""Each row of what the founding documents give has its place in the book.

The rows are those of ACCEPTANCE.md: S0 to S4 are the five documents. A place is a
heading, a lab, a text in a session, in a diagram, in a formula, in a table row, in a
chunk or in the prose; the test looks for it in blocks of that kind only.
"""

import re
from pathlib import Path

import pytest

from literate.document import parse

BOOK = Path(__file__).resolve().parent.parent / "microgpt.md"

ROWS = {
    "S0.1": [("heading", "Run it first"), ("diagram", "names.txt")],
    "S0.2": [("diagram", "9 Sampling")],
    "S0.3": [("diagram", "input.txt here?"), ("prose", "The quality of the list")],
    "S0.4": [("session", 'letters.encode("anna")'), ("prose", "count them from 0")],
    "S0.5": [("table", "`_local_grads`"), ("heading", "A number that remembers")],
    "S0.6": [("diagram", "state_dict"), ("session", "len(model.params())")],
    "S0.7": [("chunk", "def rmsnorm"), ("prose", "subtract the largest score first")],
    "S0.8": [("chunk", "def gpt"), ("chunk", "keys[i].append")],
    "S0.9": [("diagram", "7 slopes back to zero"), ("chunk", "def learn")],
    "S0.10": [("diagram", "draw a token"), ("chunk", "def generate")],
    "S0.11": [("heading", "Glossary"), ("table", "teacher forcing")],
    "S0.12": [("prose", "`--steps 200`"), ("prose", "improve the list first")],
    "S0.13": [("prose", "then the chapters in order")],
    "S0.14": [("heading", "A map of the files"), ("table", "microgpt_commented.py")],
    "S0.15": [
        ("diagram", "guess the next token"),
        ("diagram", "1 Documents"),
        ("diagram", "input.txt here?"),
        ("diagram", "BOS gets the next number"),
        ("diagram", "loss = log z"),
        ("diagram", "state_dict"),
        ("diagram", "rmsnorm: the same direction"),
        ("diagram", "mix with attn_wo"),
        ("diagram", "6 Adam"),
        ("diagram", "is it BOS?"),
    ],
    "S1.1": [("diagram", "8 Training")],
    "S1.2": [("heading", "The program, part by part")],
    "S1.3": [("session", "letters.vocab_size")],
    "S1.4": [("table", "`_children`")],
    "S1.5": [("table", "`a.relu()`"), ("chunk", "def __truediv__")],
    "S1.6": [("chunk", "def backward"), ("prose", "slope against itself is 1")],
    "S1.7": [("heading", "Settings"), ("table", "`block_size`")],
    "S1.8": [("table", "`layer0.mlp_fc2`"), ("chunk", "rng.gauss(0, 0.08)")],
    "S1.9": [("table", "LayerNorm"), ("table", "GELU"), ("table", "dropout")],
    "S1.10": [("chunk", "def linear"), ("chunk", "def softmax")],
    "S1.11": [("heading", "The whole model"), ("heading", "The stack")],
    "S1.12": [("prose", "Programs that handle all positions at once need a mask")],
    "S1.13": [("chunk", "def update"), ("formula", r"\beta_1^t")],
    "S1.14": [("heading", "One step, taken apart")],
    "S1.15": [("prose", "The default is 0.5"), ("chunk", 'add("--samples"')],
    "S1.16": [("heading", "The program, part by part")],
    "S1.17": [
        ("lab", "tokenizer"),
        ("lab", "autograd"),
        ("lab", "parameters"),
        ("lab", "forward"),
        ("lab", "attention"),
        ("lab", "training"),
        ("lab", "generation"),
    ],
    "S2.1": [("heading", "Three ways in"), ("prose", "microgpt.ipynb")],
    "S2.2": [
        ("session", "def check(Value"),
        ("session", "a * a + a"),
        ("session", "len(found), sum("),
        ("heading", "One step, taken apart"),
        ("marker", "intervals"),
        ("session", "guess[token].data"),
        ("marker", "samples_show"),
        ("heading", "Names against nonsense"),
        ("marker", "heads"),
        ("heading", "How slopes differ"),
        ("table", "build/microgpt.ipynb"),
    ],
    "S2.3": [("heading", "The stack"), ("session", "sum(sizes.values())")],
    "S2.4": [("heading", "Ideas, each in a sentence"), ("table", "BOS h e l l o")],
    "S2.5": [("heading", "The smallest forward pass and step")],
    "S2.6": [("marker", "intervals")],
    "S2.7": [("heading", "Learning paths")],
    "S2.8": [("prose", "Five habits help"), ("prose", "--learning-rate 0.1")],
    "S2.9": [("heading", "When something goes wrong")],
    "S2.10": [("heading", "Further reading")],
    "S2.11": [("heading", "You have understood it when you can")],
    "S3.1": [("diagram", "guess the next token"), ("diagram", "subgraph learning")],
    "S3.2": [("prose", "hill in fog"), ("diagram", "c = a · b")],
    "S3.3": [("session", "c._local_grads")],
    "S3.4": [("session", "e.data, d.grad, c.grad, a.grad, b.grad")],
    "S3.5": [("prose", "*topological*|<dfn>topological")],
    "S3.6": [("session", 'state_dict["wte"][4]')],
    "S3.7": [("session", "[1, 1, 1]]")],
    "S3.8": [("session", "rmsnorm([Value(2.0), Value(4.0), Value(6.0)])")],
    "S3.9": [("session", "probs(1002.0, 1001.0, 1000.5)")],
    "S3.10": [("session", "range(-2, 3)")],
    "S3.11": [("prose", '"cat"'), ("session", "keys = [vector(")],
    "S3.12": [("diagram", "head 4"), ("diagram", "residual")],
    "S3.13": [("prose", "1 + 2 + 3 + 4 + 5 = 15")],
    "S3.14": [("session", "(0.99, 0.5, 0.2, 1 / 27)")],
    "S3.15": [("prose", "a negative slope means the opposite")],
    "S3.16": [("prose", "three troubles")],
    "S3.17": [("session", "(0, 500, 999)")],
    "S3.18": [("diagram", "start with BOS")],
    "S3.19": [("session", "for temperature in (1, 0.5, 2)")],
    "S3.20": [
        ("prose", "*Numbers side by side.*"),
        ("prose", "*Memory made once.*"),
        ("prose", "a.add(b.mul(c))"),
        ("prose", "random generator of one's own"),
    ],
    "S3.21": [
        ("heading", "Training, in seven steps"),
        ("heading", "Speaking, in six steps"),
        ("session", 'letters.encode("alice")'),
    ],
    "S3.22": [("heading", "Six things to take away")],
    "S4.1": [("heading", "A number that remembers"), ("prose", "43,091 values")],
    "S4.2": [("prose", "This model follows GPT-2")],
    "S4.3": [("prose", "residual stream")],
    "S4.4": [("formula", r"\partial L"), ("prose", "child.grad += local_grad * grad")],
    "S4.5": [("chunk", "class Adam"), ("chunk", "def gpt")],
    "S4.6": [("heading", "Run it first")],
    "S4.7": [("diagram", "-.->|update|"), ("diagram", "subgraph forward")],
}


@pytest.fixture(scope="module")
def places() -> dict[str, str]:
    """The book's text by kinds of place."""
    document = parse(BOOK.read_text(encoding="utf-8"), BOOK.name)
    kinds = {"pycon": "session", "mermaid": "diagram", "math": "formula"}
    texts = {kind: [] for kind in kinds.values()}
    for example in document.examples:
        if example.info in kinds:
            texts[kinds[example.info]] += example.lines
    pieces = [p for chunk in document.chunks.values() for p in chunk.all_pieces()]
    texts["chunk"] = [line for piece in pieces for line in piece.lines]
    texts["heading"] = [f"{heading.text}\n" for heading in document.headings]
    prose = [
        line
        for block in document.blocks
        if block.kind != "fence"
        for line in document.lines[block.start : block.end]
    ]
    texts["table"] = [line for line in prose if line.startswith("|")]
    texts["marker"] = [line for line in prose if line.startswith("<!-- table:")]
    texts["prose"] = prose
    texts["lab"] = re.findall(r'<div class="lab" data-lab="(\w+)"', "".join(prose))
    return {kind: re.sub(r"\s+", " ", "".join(text)) for kind, text in texts.items()}


NAMES = [(row, *place) for row, found in ROWS.items() for place in found]


@pytest.mark.parametrize(("row", "kind", "text"), NAMES, ids=lambda part: str(part))
def test_row_has_its_place(places, row, kind, text):
    assert any(choice in places[kind] for choice in text.split("|"))


@pytest.mark.parametrize(("document", "rows"), list(enumerate([15, 17, 11, 22, 7])))
def test_no_row_is_left_out(document, rows):
    missing = {f"S{document}.{row}" for row in range(1, rows + 1)} - set(ROWS)
    assert not missing
