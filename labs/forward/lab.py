"""The forward pass's lab: every stage from a token to the guess about the next one."""

from __future__ import annotations

from labs import LabError
from labs.shared import chunks, models, trace


def walk(model: str = "trained", text: str = "emma", position: int = 0) -> dict:
    """Return what the program's gpt does at one position of a text, stage by stage.

    `tokens` are what stands at the positions, BOS first. Each of the `stages` has a
    `title`, the program's `code` for it, the `shape` of what it makes, a sentence that
    says what happened, `said`, and `groups`: vectors with a `label`, their `values`
    and, where each number has one, `names`. `at` gives the numbers that it makes in
    each region of the map where it is, and `layer`, from 1, is 0 outside of the layers.
    `guess` has the `probs` of all tokens, the
    `names` of these, and `next`, the token that follows in the text; all from the
    program. Raises LabError if the text cannot be read or has no such position.
    """
    chosen = models.model(model)
    tokens = chosen.tokenizer.encode(models.check_text(text, chosen))
    if not 0 <= position < len(tokens) - 1:
        raise LabError(f"There is no position {position} in this text.")
    here = trace.positions(chosen, tokens[: position + 1])[-1]
    letters = ["BOS", *text]
    names = models.tokens_of(chosen)
    stages = [*_entry(here, letters[position], position)]
    for number, layer in enumerate(here.layers, start=1):
        prefix = f"Layer {number}: " if len(here.layers) > 1 else ""
        seen = letters[: position + 1]
        for stage in [*_attention(layer, seen), *_mlp(layer)]:
            title = prefix + stage["title"]
            stages.append({**stage, "title": title, "layer": number})
    following = tokens[position + 1]
    return {
        "text": text,
        "tokens": letters,
        "position": position,
        "stages": [*stages, *_guess(here, names, following)],
        "guess": {"names": names, "probs": here.probs, "next": following},
    }


def _entry(here: trace.Position, letter: str, position: int) -> list[dict]:
    """Return the stages before the first layer."""
    embedding, norm = chunks.code(trace.ENTER)
    return [
        _stage(
            "Embedding",
            {"embedding": here.embedded},
            [embedding],
            f"{len(here.embedded)} numbers",
            f"Row {here.token} of wte says which token this is, {letter}. Row "
            f"{position} of wpe says where it stands. The two are added.",
            _group(f"wte, row {here.token}", here.token_row),
            _group(f"wpe, row {position}", here.position_row),
            _group("x, their sum", here.embedded),
        ),
        _stage(
            "Norm of the embedding",
            {"norm": here.layers[0].entered},
            [norm],
            f"{len(here.embedded)} numbers",
            f"All numbers were multiplied by {here.scale:.3f}, so that the mean of "
            "their squares is 1. This is what enters the residual stream.",
            _group("before", here.embedded),
            _group("x, after", here.layers[0].entered),
        ),
    ]


def _attention(layer: trace.Layer, seen: list[str]) -> list[dict]:
    """Return the stages of a layer's attention."""
    norm, query, key, value, _, mixing, adding = chunks.code(trace.ATTEND)
    scoring, weighing = chunks.code("Weigh the earlier positions")
    width, heads, letter = len(layer.normed), len(layer.heads), seen[-1]
    size = width // heads
    split = f"3 times {width} numbers: {heads} heads of {size} each"
    weights = f"{heads} times {len(seen)}: a number for each head and position seen"
    return [
        _stage(
            "Norm before attention",
            {"norm before attention": layer.normed},
            [norm],
            f"{width} numbers",
            f"The stream is brought to the standard size: times {layer.scales[0]:.3f}. "
            "The stream itself stays as it was; attention reads this copy.",
            _group("normed", layer.normed),
        ),
        _stage(
            "Query, key and value",
            {"query": layer.query, "key": layer.key, "value": layer.value},
            [query, key, value],
            split,
            f"Three matrices of {width} by {width} make three lists: what {letter} "
            "looks for, what it offers, what it hands over. Each is cut into heads. "
            f"Key and value go to the cache, which now has {len(seen)} of each.",
            *_per_head("query", layer.query, size),
            *_per_head("key", layer.key, size),
            *_per_head("value", layer.value, size),
        ),
        _stage(
            "Scores",
            {"scores": [x for head in layer.heads for x in head.scores]},
            [scoring],
            weights,
            f"In each head, the query of {letter} is compared with the key of each "
            "position up to itself: their dot product is large if they are alike.",
            *_heads([head.scores for head in layer.heads], seen),
        ),
        _stage(
            "Weights",
            {"weights": [x for head in layer.heads for x in head.weights]},
            [weighing],
            weights,
            f"The scores are divided by the root of {size}, and softmax turns them "
            "into shares: in each head they sum to 1.",
            *_heads([head.weights for head in layer.heads], seen),
        ),
        _stage(
            "What the heads found",
            {"mix": layer.found},
            chunks.code(trace.MIX),
            f"{width} numbers: {heads} heads of {size}",
            "Each head adds up the values of the positions, each times its weight. The "
            "results are joined.",
            *_per_head("found", layer.found, size),
        ),
        _stage(
            "Heads mixed",
            {"output": layer.mixed},
            [mixing],
            f"{width} numbers",
            f"A matrix of {width} by {width} lets every number depend on all heads.",
            _group("mixed", layer.mixed),
        ),
        _stage(
            "Added to the stream",
            {"sum": layer.attended},
            [adding],
            f"{width} numbers",
            "What attention found is added to what was known: the residual connection.",
            _group("x, before", layer.entered),
            _group("mixed", layer.mixed),
            _group("x, their sum", layer.attended),
        ),
    ]


def _mlp(layer: trace.Layer) -> list[dict]:
    """Return the stages of a layer's MLP."""
    *_, hidden, relu, thought = chunks.code(trace.MLP)
    _, adding = chunks.code(trace.THINK)
    width, wide = len(layer.normed), len(layer.hidden)
    awake = sum(x > 0 for x in layer.active)
    return [
        _stage(
            "Norm before the MLP",
            {"norm before the MLP": layer.normed_again},
            [adding],
            f"{width} numbers",
            f"The stream is brought to the standard size: times {layer.scales[1]:.3f}.",
            _group("rmsnorm(x)", layer.normed_again),
        ),
        _stage(
            "Hidden neurons",
            {"up": layer.hidden},
            [hidden],
            f"{wide} numbers",
            f"A matrix of {wide} by {width} compares the {width} numbers with the "
            f"{wide} patterns that it has learned. Above zero, a pattern fits.",
            _group("hidden", layer.hidden),
        ),
        _stage(
            "ReLU",
            {"ReLU": layer.active},
            [relu],
            f"{wide} numbers",
            f"What is below zero becomes zero. {awake} of {wide} neurons are awake.",
            _group("active", layer.active),
        ),
        _stage(
            "What the MLP thinks",
            {"down": layer.thought},
            [thought],
            f"{width} numbers",
            f"A matrix of {width} by {wide} narrows them to {width} again. Only "
            "neurons that are awake count.",
            _group("thought", layer.thought),
        ),
        _stage(
            "Added to the stream again",
            {"sum again": layer.left},
            [adding],
            f"{width} numbers",
            "What the MLP thinks is added as well. That is what leaves the layer.",
            _group("x, before", layer.attended),
            _group("thought", layer.thought),
            _group("x, their sum", layer.left),
        ),
    ]


def _guess(here: trace.Position, names: list[str], following: int) -> list[dict]:
    """Return the stages after the last layer."""
    logits = chunks.code("Guess what follows a token")[-1]
    probabilities, _ = chunks.code("Draw the next token")
    best = max(range(len(names)), key=here.probs.__getitem__)
    size = len(here.layers[-1].left)
    place = 1 + sum(p > here.probs[following] for p in here.probs)
    return [
        _stage(
            "Logits",
            {"logits": here.logits},
            [logits],
            f"{len(names)} numbers, one for each token",
            f"A matrix of {len(names)} by {size} gives each token a score, a logit. "
            f"The highest is that of {names[best]}.",
            _group("logits", here.logits, names),
        ),
        _stage(
            "Probabilities",
            {"probabilities": here.probs},
            [probabilities],
            f"{len(names)} numbers, one for each token",
            "Softmax turns the logits into probabilities, here at temperature 1. The "
            f"likeliest next token is {names[best]}. In the word, {names[following]} "
            f"comes next: number {place} of {len(names)}.",
            _group("probs", here.probs, names),
        ),
    ]


def _stage(
    title: str,
    at: dict[str, list[float]],
    code: list[str],
    shape: str,
    said: str,
    *groups: dict,
) -> dict:
    stage = {"title": title, "at": at, "layer": 0, "code": code, "shape": shape}
    return {**stage, "said": said, "groups": [*groups]}


def _group(label: str, values: list[float], names: list[str] | None = None) -> dict:
    return {"label": label, "values": values, "names": names}


def _heads(rows: list[list[float]], names: list[str]) -> list[dict]:
    """Return a group a head, each with a number for each position seen."""
    return [_group(f"head {i}", row, names) for i, row in enumerate(rows, start=1)]


def _per_head(label: str, values: list[float], size: int) -> list[dict]:
    """Return a group a head, each with its part of the values."""
    return [
        _group(f"{label}, head {i + 1}", values[i * size : (i + 1) * size])
        for i in range(len(values) // size)
    ]
