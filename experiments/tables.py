"""Put the results into the book as tables: python -m experiments.tables [--check]

A table stands between two lines of its own, `<!-- table: NAME -->` and
`<!-- end of table -->`. What is between them is made from experiments/results.json;
the rest of the document is left as it is. With --check nothing is written, and the
exit status is 1 if a table is not what the results say. --show prints all tables.
"""

from __future__ import annotations

import argparse
import ast
import math
import re
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

from experiments.programs import BOOK, program
from experiments.run import read
from experiments.slopes import NUDGES, PROGRAMS, TOLERANCES
from experiments.speed.lines import code_lines
from experiments.trials import LONG_TRIALS, TRIALS
from labs.gradients.mutants import MUTANTS
from literate.core.document import parse
from literate.core.modules import output_at
from literate.tool.outputs import OutputError, replace_file

START = re.compile(r"<!-- table: (.*?) -->\s*")
END = "<!-- end of table -->"
LISTS = ("own", "published")
MINUS = "\N{MINUS SIGN}"
NOTHING = "–"  # noqa: RUF001 (in a cell without a number)

Rows = list[list[str]]
TABLES: dict[str, Callable[[dict], Rows]] = {}


class TableError(Exception):
    """The markers in the document cannot be followed; the message says where."""


def table(function: Callable[[dict], Rows]) -> Callable[[dict], Rows]:
    """Register a function from results to rows, the first of which is the header."""
    TABLES[function.__name__] = function
    return function


def markdown(rows: Rows) -> list[str]:
    """Return the lines of a table; all columns but the first are set flush right."""
    header, *body = [f"| {' | '.join(row)} |" for row in rows]
    right = ["---"] + ["---:" if is_number(cell) else "---" for cell in rows[1][1:]]
    return [header, f"| {' | '.join(right)} |", *body]


def is_number(cell: str) -> bool:
    """Tell whether a cell begins like a number."""
    return bool(re.match(r"[\d.,]+|–", cell))  # noqa: RUF001


def number(value: float | None, digits: int = 3) -> str:
    """Return a number as a cell."""
    return NOTHING if value is None else f"{value:,.{digits}f}"


def percent(share: float, digits: int = 0) -> str:
    """Return a share as a cell."""
    return f"{100 * share:.{digits}f} %"


# The tables, each named as its function


@table
def facts(results: dict) -> Rows:
    """What the two lists hold."""
    found = [results.get(which, {}).get("facts", {}) for which in LISTS]
    rows = [["", "own list", "published list"]]
    for name in ("names", *(n for n in found[0] if n != "names")):
        digits = {"mean length": 2}.get(name, 0)
        cells = [number(f.get(name), digits) for f in found]
        if name.startswith("share"):
            cells = [percent(f[name], 1) if f else NOTHING for f in found]
        rows.append([name, *cells])
    return rows


@table
def ladder(results: dict) -> Rows:
    """Held-out losses of guessing, counting and the model, after 1,000 names."""
    rows = [["who guesses", "own list", "choices", "published list"]]
    for (name, smoothing), label in GUESSERS.items():
        losses = [ladder_losses(results, which, name, smoothing) for which in LISTS]
        rows.append([label, *with_choices(losses)])
    losses = [trial_losses(results, which, "1000", "baseline") for which in LISTS]
    return [*rows, ["this model", *with_choices(losses)]]


GUESSERS = {
    ("uniform", "add one"): "uniform",
    ("unigram", "add one"): "unigram",
    ("bigram", "add one"): "bigram",
    ("trigram", "add one"): "trigram",
    ("trigram", "tuned"): "trigram, tuned",
    ("mixed", "tuned"): "all mixed",
}


STAGES = {
    "stage1_counts": "1: counts",
    "stage2_table": "2: a table that learns",
    "stage3_values": "3: a small network",
    "stage4_attention": "4: one head",
    "stage5_layers": "5: heads and layers",
    "microgpt": "the program",
}


ALGORITHM = {  # parts: the names that each defines, and the chapter that makes it
    "documents": ("split_docs", "Documents"),
    "letters to numbers and back": ("Tokenizer", "Tokens"),
    "numbers that remember": ("births Value", "A number that remembers"),
    "a vector times a matrix": ("linear", "Many inputs, one node"),
    "probabilities": ("logsumexp softmax", "From scores to probabilities"),
    "one size for all": ("rmsnorm", "Keeping numbers in size"),
    "looking back": ("look_back attention", "Attention"),
    "the hidden layer, and sums": ("mlp add", "A small network"),
    "sizes and parameters": ("Model", "The parameters"),
    "the model": ("gpt", "The whole model"),
    "the loss": ("mean_loss", "The loss"),
    "Adam": ("Adam", "Adam"),
    "training": ("learn train", "The training loop"),
    "speaking": ("generate", "Sampling"),
}


@table
def algorithm(results: dict) -> Rows:
    """How many lines of code each part of the algorithm has; of no result."""
    source = program().source
    sizes, lines = {}, code_lines(source)
    for node in ast.parse(source).body:
        names = getattr(node, "targets", [node])
        name = getattr(names[0], "id", getattr(names[0], "name", ""))
        sizes[name] = len(lines & {*range(node.lineno, node.end_lineno + 1)})
    rows = [["part", "chapter", "lines"]]
    total = 0
    for part, (names, chapter) in ALGORITHM.items():
        count = sum(sizes[name] for name in names.split())
        anchor = chapter.lower().replace(",", "").replace(" ", "-")
        rows.append([part, f"[{chapter}](#{anchor})", number(count, 0)])
        total += count
    return [*rows, ["**together**", "", number(total, 0)]]


@table
def stages(results: dict) -> Rows:
    """How the stages and the program change the loss, with both lists."""
    losses = [stage_losses(results, which, "stage1_counts") for which in LISTS]
    rows = [["program", "own list", "published list"]]
    rows.append(["1: counts, its loss", *(number(statistics.fmean(x)) for x in losses)])
    for place, name in list(enumerate(STAGES))[1:]:
        changes = [stage_change(results, which, place) for which in LISTS]
        rows.append([STAGES[name], *changes])
    return rows


@table
def stage_4(results: dict) -> Rows:
    """The held-out loss of stage 4, and how it changes without a part."""
    before = [stage_losses(results, which, "stage4_attention") for which in LISTS]
    parts = {
        "without attention": "no-attention",
        "without positions": "no-positions",
        "without both": "letters-only",
    }
    after = {
        name: [without(results, which, variant) for which in LISTS]
        for name, variant in parts.items()
    }
    return change_rows(["stage 4", "its loss"], before, after)


def without(results: dict, which: str, variant: str) -> list[float]:
    """Return the losses of a variant of stage 4, one for each deal of the names."""
    return [loss for _, loss in sorted(results[which]["stage 4"][variant].items())]


def stage_rows(results: dict, count: int) -> Rows:
    """Return the rows of the first stages, with the book's own list."""
    rows = [["stage", "as printed", "mean of twelve deals", "against the one before"]]
    for place, name in enumerate([*STAGES][:count]):
        losses = stage_losses(results, "own", name)
        cells = [number(losses[0], 4), number(statistics.fmean(losses), 4)]
        rows.append([STAGES[name], *cells, stage_change(results, "own", place)])
    return rows


def first_stages(count: int) -> Callable[[dict], Rows]:
    """Return the table of so many stages: the ladder grows with the book."""

    def rows(results: dict) -> Rows:
        """The held-out losses of the stages so far."""
        return stage_rows(results, count)

    return rows


TABLES |= {f"stages_{count}": first_stages(count) for count in range(2, 7)}


def stage_losses(results: dict, which: str, name: str) -> list[float]:
    """Return the losses of a stage or the program, one for each deal of the names."""
    if name == "microgpt":
        return trial_losses(results, which, "1000", "baseline")
    return [found[name] for _, found in sorted(results[which]["stages"].items())]


def stage_change(results: dict, which: str, place: int) -> str:
    """Return the mean change against the stage before, with its standard error."""
    if not place:
        return NOTHING
    pair = [stage_losses(results, which, [*STAGES][at]) for at in (place - 1, place)]
    return mean_change(*pair)


def paired(before: list[float], after: list[float]) -> tuple[float, float]:
    """Return the mean of paired changes, and its standard error."""
    changes = [new - old for old, new in zip(before, after, strict=True)]
    error = statistics.stdev(changes) / math.sqrt(len(changes))
    return statistics.fmean(changes), error


def mean_change(before: list[float], after: list[float]) -> str:
    """Return the mean of paired changes and its standard error as a cell."""
    mean, error = paired(before, after)
    return f"{mean:+.4f} ± {error:.4f}".replace("-", MINUS)


def change_rows(
    labels: list[str], before: list[list[float]], after: dict[str, list[list[float]]]
) -> Rows:
    """Return mean losses with both lists, and how each of some runs changes them.

    `labels` are those of the header and of the first row.
    """
    header, first = labels
    means = [number(statistics.fmean(losses)) for losses in before]
    changes = [[name, *map(mean_change, before, runs)] for name, runs in after.items()]
    return [[header, "own list", "published list"], [first, *means], *changes]


def ladder_losses(
    results: dict, which: str, name: str, smoothing: str, steps: str = "1000"
) -> list[float]:
    """Return the losses of a guesser, one for each way to deal the names."""
    deals = results[which]["ladder"][steps]
    return [found[name][smoothing] for _, found in sorted(deals.items())]


def with_choices(losses: list[list[float]]) -> list[str]:
    """Return two mean losses, between them how many letters the first chooses among."""
    own, published = map(statistics.fmean, losses)
    return [number(own), number(math.exp(own), 1), number(published)]


def trial_losses(results: dict, which: str, steps: str, name: str) -> list[float]:
    """Return the held-out losses of a trial, one for each way to deal the names."""
    found = results[which]["trials"][steps][name]
    return [run["held out"] for _, run in sorted(found.items())]


def trial_change(
    results: dict, which: str, name: str, steps: str = "1000"
) -> tuple[float, float]:
    """Return how a trial changes the loss of the program, and the standard error."""
    losses = (trial_losses(results, which, steps, each) for each in ("baseline", name))
    return paired(*losses)


def trial_rows(results: dict, steps: str, names: list[str]) -> Rows:
    """Return the loss of the program and how each trial changes it, with both lists."""
    before, *after = (
        [trial_losses(results, which, steps, name) for which in LISTS]
        for name in ("baseline", *names)
    )
    labels = ["what is changed", "nothing: the loss"]
    return change_rows(labels, before, dict(zip(names, after)))


PARTS = [
    *("no attention", "no positions", "letters only", "no MLP", "no residuals"),
    *("no norms", "no first norm", "tied head", "no √d"),
]
OPTIMISER = ("SGD", "rate", "deviation")
OTHERS = [name for name in TRIALS if name.startswith(OPTIMISER)]
TRAINING = ["no decay", *OTHERS]
SIZES = [name for name in TRIALS if TRIALS[name].sizes or "narrow" in name]


@table
def ablations(results: dict) -> Rows:
    """What the loss after 1,000 steps becomes without a part of the model."""
    return trial_rows(results, "1000", PARTS)


@table
def sizes(results: dict) -> Rows:
    """What the loss after 1,000 steps becomes at other sizes."""
    return trial_rows(results, "1000", SIZES)


@table
def training(results: dict) -> Rows:
    """What the loss after 1,000 steps becomes with another training."""
    return trial_rows(results, "1000", TRAINING)


@table
def ablations_long(results: dict) -> Rows:
    """What the loss after 5,000 steps becomes without a part, or with one more."""
    return trial_rows(results, "5000", LONG_TRIALS[1:])


@table
def intervals(results: dict, which: str = "own") -> Rows:
    """The losses of the default run, a hundred steps at a time."""
    losses = results[which]["default run"]["losses"]
    rows = [["steps", "mean loss", "lowest", "highest"]]
    for first in range(0, len(losses), 100):
        part = losses[first : first + 100]
        cells = [statistics.fmean(part), min(part), max(part)]
        rows.append([f"{first + 1} to {first + 100}", *(number(c, 2) for c in cells)])
    return rows


@table
def intervals_published(results: dict) -> Rows:
    """The same with the published list: the means are those of the original."""
    return intervals(results, "published")


@table
def checkpoints(results: dict) -> Rows:
    """Both losses as the default run goes on."""
    found = results["own"]["checkpoints"]
    rows = [["after step", "names trained on", "held-out names"]]
    for step in sorted(found, key=int):
        losses = found[step]
        rows.append([step, number(losses["train"]), number(losses["held out"])])
    return rows


@table
def overfitting(results: dict) -> Rows:
    """Both losses of a short run, and of a long one on few names."""
    rows = [["run", "names trained on", "held-out names"]]
    runs = {"1,000 steps, 1,000 names": results["own"]["checkpoints"]["1000"]}
    few = results["own"].get("few names", {})
    for _, run in sorted(few.items(), key=lambda item: -int(item[0])):
        runs[f"{run['steps']:,} steps, {run['names']:,} names"] = run
    for name, run in runs.items():
        rows.append([name, number(run["train"]), number(run["held out"])])
    return rows


NEWER = [
    *("rotary positions", "shared keys and values", "SwiGLU", "weight decay"),
    *("batches, 250 steps", "batches, 250 steps, rate 0.02", "batches, 1,000 steps"),
    *("no batches, 4,000 steps", "pairs as tokens"),
]


@table
def newer(results: dict) -> Rows:
    """How what newer models changed changes the loss, and where that is no noise."""
    header, first, *rows = trial_rows(results, "1000", NEWER)
    for row in rows:
        clear = [
            which for which in LISTS if is_clear(*trial_change(results, which, row[0]))
        ]
        row.append(", ".join(clear) or "neither")
    return [[*header, "beyond noise"], [*first, NOTHING], *rows]


def is_clear(mean: float, error: float) -> bool:
    """Tell whether a mean change is at least twice its standard error."""
    return abs(mean) >= 2 * error


@table
def wrong(results: dict) -> Rows:
    """What the loss after 1,000 steps becomes with wrong slopes."""
    return trial_rows(results, "1000", [*MUTANTS])


@table
def wrong_runs(results: dict) -> Rows:
    """What a run shows whose slopes are wrong, and one whose slopes are right."""
    trials, made_up = (
        results["own"]["trials"]["1000"],
        results["own"]["slopes"]["names"],
    )
    rows = [["program", "step 20", "last 100 steps", "names"]]
    for name in PROGRAMS:
        run = trials[name]["42"]
        losses = [number(run["first"][19], 4), number(run["last 100"], 4)]
        label = "the right one" if name == "baseline" else name
        rows.append([label, *losses, ", ".join(made_up[name])])
    return rows


@table
def directions(results: dict) -> Rows:
    """What wrong slopes say along a direction, divided by what nudging finds."""
    found = results["own"]["slopes"]["directions"]["0"]
    ratios = zip(*(found[name]["show"] for name in MUTANTS))
    body = [[str(i), *map(ratio, row)] for i, row in enumerate(ratios, start=1)]
    return [["direction", *MUTANTS], *body]


def ratio(value: float) -> str:
    """Return a ratio as a cell."""
    return number(value, 2).replace("-", MINUS)


@table
def lucky(results: dict) -> Rows:
    """How many of a thousand directions let wrong slopes pass."""
    found = results["own"]["slopes"]["directions"]["0"]
    rows = [["passes if it is 1 to within", *MUTANTS]]
    for tolerance in TOLERANCES:
        shares = [found[name]["within"][tolerance] for name in MUTANTS]
        rows.append([tolerance, *(number(1000 * share, 0) for share in shares)])
    return rows


@table
def agreement(results: dict) -> Rows:
    """The cosine between the wrong slopes of each matrix and the right ones."""
    found = results["own"]["slopes"]["agreement"]["1000"]
    matrices = [*results["own"]["gradients"], "all"]
    rows = [["cosine", *MUTANTS]]
    for matrix in matrices:
        cells = [number(found[name][matrix]["cosine"]) for name in MUTANTS]
        label = "all together" if matrix == "all" else f"`{matrix}`"
        rows.append([label, *cells])
    return rows


@table
def nudges(results: dict) -> Rows:
    """By which part a nudge is off along a random direction, for each of its sizes."""
    found = results["own"]["slopes"]["nudges"]
    columns = ["program, one way", "program, both ways", "no MLP, both ways"]
    rows = [["nudge", "one way", "both ways", "both ways, no MLP"]]
    for place, power in enumerate(NUDGES):
        cells = [power_of_ten(found[column][place]) for column in columns]
        rows.append([f"$10^{{-{power}}}$", *cells])
    return rows


def power_of_ten(value: float) -> str:
    """Return a small number as a cell, with two digits."""
    if value >= 0.01:
        return f"{value:.2g}"
    digits, power = f"{value:.1e}".split("e")
    return f"{digits} · $10^{{{int(power)}}}$"


@table
def merges(results: dict) -> Rows:
    """Which pairs become tokens, and how some names are spelt with them."""
    found = [results[which]["merges"] for which in LISTS]
    spelt = [["·".join(name) for name in f["spelt"].values()] for f in found]
    return [
        ["", "own list", "published list"],
        ["merged, in this order", *(", ".join(f["pairs"]) for f in found)],
        ["names", *map(", ".join, spelt)],
        ["tokens a letter", *(number(f["tokens a letter"], 2) for f in found)],
    ]


@table
def places(results: dict) -> Rows:
    """Both losses of runs on the places in Greece."""
    rows = [["steps", "trained on", "held out"]]
    for steps, found in sorted(results["own"]["places"].items(), key=natural):
        losses = [number(found[key]) for key in ("train", "held out")]
        rows.append([f"{int(steps):,}", *losses])
    return rows


@table
def accents(results: dict) -> Rows:
    """How many of two hundred samples have exactly one accent in each word."""
    rows = [["steps", "the program", "without attention"]]
    runs = [results["own"][run] for run in ("places", "places without attention")]
    for steps in sorted(runs[0], key=int):
        shares = [percent(run[steps]["one accent a word"] / 200) for run in runs]
        rows.append([f"{int(steps):,}", *shares])
    return rows


@table
def samples(results: dict) -> Rows:
    """How new a thousand samples are at each temperature."""
    rows = [["temperature", "new", "trained on", "distinct"]]
    for temperature, found in sampled(results):
        cells = [found[name] for name in ("new", "trained on", "distinct")]
        rows.append([temperature, *(percent(share, 1) for share in cells)])
    return rows


def sampled(results: dict, which: str = "own") -> list[tuple[str, dict]]:
    """Return the temperatures and what was sampled at each."""
    found = results[which]["samples"]
    return [(t, f) for t, f in sorted(found.items()) if "show" in f]


@table
def samples_show(results: dict) -> Rows:
    """The first samples at each temperature, and how long a thousand are."""
    rows = [["temperature", "letters", "the first samples"]]
    for temperature, found in sampled(results):
        letters = number(found["mean length"], 1)
        rows.append([temperature, letters, ", ".join(found["show"][:6])])
    return rows


@table
def samples_published(results: dict) -> Rows:
    """How new a thousand samples are of a model of the published list."""
    return samples({"own": results["published"]})


@table
def nonsense(results: dict) -> Rows:
    """Some held-out names and the same letters in another order."""
    rows = [["name", "loss", "shuffled", "loss"]]
    for name, other, loss, other_loss in results["own"]["nonsense"]["show"]:
        rows.append([name, number(loss, 2), other, number(other_loss, 2)])
    return rows


@table
def next_letters(results: dict) -> Rows:
    """The likeliest letters after "ma" at three temperatures."""
    found = results["own"]["next letters"]
    temperatures = ("0.5", "1.0", "1.5")
    letters = sorted(found["1.0"], key=found["1.0"].get, reverse=True)[:8]
    rows = [["next", *(f"at {t}" for t in temperatures)]]
    for letter in letters:
        rows.append([letter, *(percent(found[t][letter], 1) for t in temperatures)])
    return rows


@table
def likeness(results: dict) -> Rows:
    """How alike letters have become, over all deals of the names."""

    def cell(which: str, when: str, kind: str) -> str:
        found = [deal[when][kind] for deal in results[which]["likeness"].values()]
        if kind == "beside a vowel":
            return f"{sum(found)} of {5 * len(found)}"
        mean, error = statistics.fmean(found), statistics.stdev(found)
        sign = MINUS if round(mean, 2) < 0 else ""
        return f"{sign}{abs(mean):.2f} ± {error / math.sqrt(len(found)):.2f}"

    kinds = ["vowel to vowel", "vowel to consonant", "consonant to consonant"]
    kinds += ["beside a vowel"]
    columns = [("own", "end"), ("published", "end"), ("own", "start")]
    rows = [[kind, *(cell(*column, kind) for column in columns)] for kind in kinds]
    rows[-1][0] = "a vowel's nearest letter is a vowel"
    return [["cosine", "book's list", "published list", "untrained"], *rows]


@table
def heads(results: dict) -> Rows:
    """Where each head looks, from the third letter on; the rest is farther back."""
    found = results["own"]["attention"]
    looks = {f"head {head}": f for head, f in sorted(found["heads"].items())}
    rows = [["", "BOS", "itself", "one before"]]
    for name, look in (looks | {"if all alike": found["alike"]}).items():
        cells = [percent(look[key]) for key in ("BOS", "itself", "one before")]
        rows.append([name, *cells])
    return rows


@table
def heads_worth(results: dict) -> Rows:
    """How much of its look at letters a head gives to vowels, and its worth."""
    return worth_rows(results["own"]["attention"])


@table
def heads_later(results: dict) -> Rows:
    """The same after 5,000 steps."""
    return worth_rows(results["own"]["attention later"])


def worth_rows(found: dict) -> Rows:
    """Return, for each head, where it looks and the held-out loss without it."""
    rows = [["", "BOS", "vowels among letters", "loss without it"]]
    for head, look in sorted(found["heads"].items()):
        cells = [percent(look[key]) for key in ("BOS", "vowels")]
        rows.append([f"head {head}", *cells, number(look["held out without"])])
    alike = [percent(found["alike"][key]) for key in ("BOS", "vowels")]
    return [*rows, ["an even look; no head out", *alike, number(found["held out"])]]


@table
def counts(results: dict) -> Rows:
    """How large the graph of a name is, in both engines."""
    rows = [["name", "engine", "values", "links"]]
    for name, engines in results["own"]["counts"].items():
        for engine, found in sorted(engines.items()):
            cells = [f"{found[key]:,}" for key in ("values", "links")]
            rows.append([name, engine, *cells])
    return rows


@table
def gradients(results: dict) -> Rows:
    """The usual size of the slopes of each matrix, and of its numbers at the end."""
    rows = [["matrix", "slopes at the start", "at the end", "numbers at the end"]]
    order = ("wte", "wpe", "attn_wq", "attn_wk", "attn_wv", "attn_wo")
    order += ("mlp_fc1", "mlp_fc2", "lm_head")
    gradients = results["own"]["gradients"]
    for name in sorted(gradients, key=lambda name: order.index(name.split(".")[-1])):
        found = gradients[name]
        slopes = [number(found[key], 4) for key in ("start", "end")]
        rows.append([f"`{name}`", *slopes, number(found["deviation"], 2)])
    return rows


@table
def shares(results: dict) -> Rows:
    """What part of a step goes where."""
    names = {
        "mean_loss": "forward: `mean_loss`",
        "backward": "backward: `backward`",
        "update": "Adam: `update`",
        "the rest": "letting go of the graph, and the rest",
    }
    found = results["speed"]["shares of a step"]
    return [["part of a step", "time"]] + [[names[n], percent(found[n])] for n in names]


@table
def ideas(results: dict) -> Rows:
    """How many times longer a step takes without an idea."""
    found = results["speed"]["slower without"]
    order = sorted(found, key=lambda idea: found[idea]["times"], reverse=True)
    rows = [[idea, times(found[idea])] for idea in order]
    return [["without this idea", "a step takes"], *rows]


def times(ratio: dict[str, float]) -> str:
    """Return a measured ratio with its standard error."""
    return f"{ratio['times']:.2f} ± {ratio['error']:.2f} ×"  # noqa: RUF001


def natural(item: tuple[str, dict]) -> list:
    """Return a key that sorts names with numbers as a reader would."""
    words = re.findall(r"[a-z_]+|\d+", item[0])
    return [(word.isdigit(), int(word) if word.isdigit() else word) for word in words]


@table
def growth(results: dict) -> Rows:
    """The cost of a step at other sizes."""
    rows = [["instead of the default", "time of a step", "parameters"]]
    for name, found in sorted(results["speed"]["growth"].items(), key=natural):
        parameters = found.get("parameters")
        count = f"{parameters:,}" if parameters else NOTHING
        rows.append([name, times(found), count])
    return rows


@table
def engines(results: dict) -> Rows:
    """How many names a second the engines learn from, and how long they are."""
    sides = {
        "plain": ("the shortest way to write it", None),
        "program": ("the program", None),
        "tape": ("the program with a tape", None),
        "vectors": ("matrices in plain Python", "vectors"),
        "numpy 1": ("NumPy, 1 name a step", "numpy"),
        "numpy 32": ("NumPy, 32 names a step", None),
        "numpy 256": ("NumPy, 256 names a step", None),
        "torch 1": ("PyTorch, 1 name a step", "torch"),
        "torch 32": ("PyTorch, 32 names a step", None),
        "torch 256": ("PyTorch, 256 names a step", None),
        "torch 32, two processes": ("... and in two processes, 32 names", None),
        "torch 256, two processes": ("... and in two processes, 256 names", None),
    }
    rows = [["engine", "names a second", "lines"]]
    for side, (label, name) in sides.items():
        lines = algorithm(results)[-1][-1] if side == "program" else own_lines(name)
        rows.append([label, several(results["engines"][side]), lines])
    return rows


def several(ratio: dict[str, float]) -> str:
    """Return a measured ratio with as many digits as its error allows."""
    digits = 2 if ratio["times"] < 10 else 0
    figures = [f"{ratio[key]:.{digits}f}" for key in ("times", "error")]
    return f"{figures[0]} ± {figures[1]} ×"  # noqa: RUF001


def own_lines(name: str | None) -> str:
    """Return how many lines of code the file of an engine has."""
    if name is None:
        return NOTHING
    book = parse(BOOK.read_bytes().decode(), BOOK.name)
    return str(len(code_lines(output_at(book, f"build/microgpt_{name}.py").text)))


@table
def larger(results: dict) -> Rows:
    """The losses of a larger model on the way."""
    losses, rows = results["larger"]["losses"], [["steps", "held out", "trained on"]]
    for step in range(0, 10_001, 1000):
        found = losses[str(step)]
        both = [number(found[key]) for key in ("held out", "trained on")]
        rows.append([f"{step:,}", *both])
    return rows


# Into the document


def rewrite(text: str, results: dict, name: str = "microgpt.md") -> str:
    """Return a document with all its tables as the results have them.

    Raises TableError for a marker that is unknown, unclosed or out of place.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    out, opened = [], 0
    for place, line in enumerate(text.split(newline), start=1):
        start = START.fullmatch(line)
        if start and opened:
            raise TableError(f"{name}:{opened}: this table does not end")
        if start:
            out += [line, "", *lines_of(start[1], results, f"{name}:{place}"), ""]
            opened = place
        elif line.rstrip() == END:
            if not opened:
                raise TableError(f"{name}:{place}: no table begins before this end")
            opened = 0
        if not opened:
            out.append(line)
    if opened:
        raise TableError(f"{name}:{opened}: this table does not end")
    return newline.join(out)


def lines_of(table_name: str, results: dict, place: str) -> list[str]:
    """Return the lines of a table by its name."""
    if table_name not in TABLES:
        known = ", ".join(sorted(TABLES))
        problem = f'there is no table "{table_name}"; there are {known}'
        raise TableError(f"{place}: {problem}")
    try:
        return markdown(TABLES[table_name](results))
    except KeyError as error:
        problem = f'"{table_name}" has no results yet: {error}'
        raise TableError(f"{place}: {problem}") from None


def everything(results: dict) -> str:
    """Return all tables, each under its name and what it says."""
    parts = []
    for name, function in TABLES.items():
        try:
            lines = lines_of(name, results, "results")
        except TableError as error:
            lines = [str(error)]
        parts += [f"**{name}**: {function.__doc__}", "", *lines, ""]
    return "\n".join(parts)


def main() -> int:
    """Do what the command line asks for; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--document", type=Path, default=BOOK)
    options = parser.parse_args()
    results = read()
    if options.show:
        print(everything(results))
        return 0
    old = options.document.read_bytes().decode("utf-8")
    try:
        new = rewrite(old, results, str(options.document))
        if old != new and not options.check:
            replace_file(str(options.document), old.encode(), new.encode())
    except (TableError, OutputError) as error:
        print(error, file=sys.stderr)
        return 1
    if options.check:
        print("the tables are up to date" if old == new else "a table is out of date")
        return int(old != new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
