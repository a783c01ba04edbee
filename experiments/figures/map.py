"""The map of the model: each region says which names of the program it stands for.

The site makes a link of each region and lights some (literate/weaving/map.py), and the
forward lab shows numbers in them.
"""

from __future__ import annotations

from experiments.figures.drawing import PALE, RULE, SLOPE, SOFT, STREAM, Drawing, figure

TALL = 28
STREAM_X, RIGHT = 38, 311
COLUMNS = 98, 160, 222  # query, key and value; and below them the stages of the MLP
MIDDLE = COLUMNS[1]


class _Map(Drawing):
    """A drawing with regions, each with the names of what computes it.

    `defined` are definitions of the program, the first one being where it is computed;
    `gpt.q` is the local name q of gpt. `terms` are what the book's glossary calls it.
    """

    def region(self, name: str, x: float, y: float, width: float, defined: str,
               kind: str = "ink-soft", terms: str = "", words: str | None = None,
               tall: float = TALL) -> None:  # fmt: skip
        """Draw a region: the shape of its kind with its name in it."""
        self.open(name, x, y, width, tall, defined, terms)
        self.shape(kind, x, y, width, tall)
        self.text(x, y + 5, words or name, font_size=16)
        self.close()

    def open(self, name: str, x: float, y: float, width: float, tall: float,
             defined: str, terms: str) -> None:  # fmt: skip
        """Begin a region around a middle."""
        at = f"{x - width / 2:g} {y - tall / 2:g} {width:g} {tall:g}"
        self.elements.append(
            f'<g class="region" data-region="{name}" data-at="{at}" '
            f'data-defined="{defined}" data-terms="{terms}">'
        )

    def close(self) -> None:
        """End a region."""
        self.elements.append("</g>")

    def frame(self, left: float, top: float, right: float, bottom: float) -> None:
        """Draw the frame around what is there several times."""
        self.add(
            "rect", x=left, y=top, width=right - left, height=bottom - top, rx=8,
            fill="none", stroke=RULE, stroke_width=2,
        )  # fmt: skip

    def path(self, *points: tuple[float, float], colour: str = SOFT,
             width: float = 1.5) -> None:  # fmt: skip
        """Draw an arrow that goes around corners."""
        self.curve([*points[:-1]], stroke=colour, stroke_width=width)
        self.arrow(*points[-2], *points[-1], colour, width)


@figure("map")
def draw_map(results: dict) -> str:
    """Draw the model from the names to the loss, and the way back."""
    drawing = _Map(
        "The map of the model",
        "From top to bottom: names become tokens, and these an embedding. A norm, and "
        "the residual stream begins. In a layer it is read through a norm; query, key "
        "and value are made of it; in each head, query and key give scores, these "
        "weights, and the weights mix the values; the output is added to the stream. "
        "Then it is read through a norm by the MLP, up, ReLU and down, which is added "
        "too. Logits and probabilities follow, and of these new names or a loss. From "
        "the loss the way leads back up: slopes, Adam, a step, the parameters.",
        636,
    )
    _enter(drawing)
    _attend(drawing)
    _think(drawing)
    _guess(drawing)
    _learn(drawing)
    return drawing.svg()


def _enter(drawing: _Map) -> None:
    drawing.region("names", 46, 22, 76, "split_docs read_docs")
    drawing.arrow(84, 22, 122, 22)
    drawing.region("tokens", MIDDLE, 22, 74, "Tokenizer", "token", "tokens")
    drawing.path((MIDDLE, 36), (MIDDLE, 57), (104, 57))
    drawing.region("embedding", 54, 64, 92, "gpt.x", "token", "embedding")
    drawing.arrow(STREAM_X, 78, STREAM_X, 92)
    drawing.region("norm", STREAM_X, 106, 56, "rmsnorm gpt.x", terms="RMSNorm")
    drawing.frame(6, 134, 262, 524)
    drawing.line(STREAM_X, 120, STREAM_X, 542, stroke=STREAM, stroke_width=9)
    drawing.outline(
        [(STREAM_X - 10, 540), (STREAM_X + 10, 540), (STREAM_X, 552)], fill=STREAM
    )
    drawing.region("layer", 222, 134, 60, "gpt.layer", terms="layer")


def _attend(drawing: _Map) -> None:
    drawing.arrow(STREAM_X + 5, 160, MIDDLE - 30, 160)
    drawing.region("norm before attention", MIDDLE, 160, 58,
                   "rmsnorm gpt.normed", terms="RMSNorm", words="norm")  # fmt: skip
    for x, name in zip(COLUMNS, ("query", "key", "value")):
        drawing.line(MIDDLE, 174, x, 190, stroke=SOFT, stroke_width=1.5)
        drawing.region(name, x, 204, 60, "gpt.q linear", name, name)
    for shift in (8, 4, 0):
        drawing.add(
            "rect", x=70 + shift, y=236 - shift, width=180, height=126, rx=6,
            fill="var(--paper)", stroke=RULE, stroke_width=1.5,
        )  # fmt: skip
    query, key, value = COLUMNS
    drawing.arrow(query, 218, query, 245)
    drawing.arrow(key, 218, 132, 246)
    drawing.arrow(value, 218, value, 324)
    drawing.region("scores", 112, 260, 68, "look_back.scores linear")
    drawing.region("heads", 182, 276, 56, "attention", terms="head")
    drawing.arrow(112, 274, 112, 285)
    drawing.region("weights", 112, 300, 76, "look_back.weights softmax")
    drawing.path((112, 314), (112, 340), (138, 340))
    drawing.region("mix", 194, 340, 108, "look_back linear", "value")
    drawing.arrow(194, 354, 194, 377)
    drawing.region("output", 194, 392, 68, "gpt.mixed linear", "stream")
    drawing.arrow(160, 392, STREAM_X + 16, 392, STREAM, 2)
    _add(drawing, "sum", 392, "gpt.mixed")


def _think(drawing: _Map) -> None:
    drawing.arrow(STREAM_X + 5, 432, 68, 432)
    drawing.region("norm before the MLP", COLUMNS[0], 432, 58,
                   "rmsnorm gpt.fc1", terms="RMSNorm", words="norm")  # fmt: skip
    drawing.arrow(COLUMNS[0], 446, COLUMNS[0], 456)
    up, relu, down = COLUMNS
    drawing.region("up", up, 470, 56, "mlp.hidden mlp linear gpt.fc1", "mlp", "MLP")
    drawing.line(up + 28, 470, relu - 32, 470, stroke=SOFT, stroke_width=1.5)
    drawing.region("ReLU", relu, 470, 64, "mlp.active mlp relu gpt.fc1", "mlp", "MLP")
    drawing.line(relu + 32, 470, down - 31, 470, stroke=SOFT, stroke_width=1.5)
    drawing.region("down", down, 470, 62, "mlp linear gpt.fc1", "mlp", "MLP")
    drawing.path((down, 484), (down, 505), (STREAM_X + 16, 505), colour=STREAM,
                 width=2)  # fmt: skip
    _add(drawing, "sum again", 505, "gpt.fc1")


def _add(drawing: _Map, name: str, y: float, within: str) -> None:
    """Draw the place where something is added to the stream."""
    place = {"cx": STREAM_X, "cy": y, "r": TALL / 2}
    drawing.add("circle", fill="var(--paper)", **place)
    drawing.open(name, STREAM_X, y, TALL, TALL, f"add {within}", "residual stream")
    drawing.add("circle", fill=STREAM, fill_opacity=PALE, stroke=STREAM,
                stroke_width=2, **place)  # fmt: skip
    drawing.text(STREAM_X, y + 6, "+", font_weight="bold", font_size=18)
    drawing.close()


def _guess(drawing: _Map) -> None:
    drawing.region("logits", 42, 568, 66, "gpt linear", "token", "logits")
    drawing.arrow(75, 568, 104, 568)
    drawing.region("probabilities", MIDDLE, 568, 108,
                   "generate.probs softmax shares", "token")  # fmt: skip
    drawing.arrow(214, 568, RIGHT - 26, 568)
    drawing.arrow(MIDDLE, 582, MIDDLE, 603)
    drawing.region("new names", MIDDLE, 618, 92,
                   "generate draw_name print_samples", "token", "sampling")  # fmt: skip
    drawing.region("loss", RIGHT, 568, 48, "mean_loss surprise name_loss", "loss",
                   "surprisal, cross-entropy", tall=48)  # fmt: skip


def _learn(drawing: _Map) -> None:
    back = {"stroke_dasharray": "5 4", "width": 2.0}
    for start, end in ((544, 487), (458, 397), (368, 307), (278, 88)):
        drawing.arrow(RIGHT, start, RIGHT, end, SLOPE, **back)
    drawing.region("slopes", RIGHT, 472, 68, "Value.backward Value", "slope",
                   "derivative, chain rule")  # fmt: skip
    drawing.region("Adam", RIGHT, 382, 60, "Adam.update Adam", "slope", "Adam")
    drawing.region("step", RIGHT, 292, 52, "learn train", "slope", "step")
    drawing.arrow(RIGHT - 52, 72, 104, 72)
    drawing.path((RIGHT - 32, 86), (RIGHT - 32, 160), (266, 160))
    drawing.region("parameters", RIGHT - 5, 72, 92, "Model", terms="parameter")
