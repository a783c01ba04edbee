"""The cover of a book: what it is, a training that one can watch, and what is in it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from html import escape

from literate.core.blocks import Fence, Heading
from literate.core.counts import count_chapters, reading_minutes
from literate.weaving.book import LISTING, Book, Chapter
from literate.weaving.chunks import Chunks, download_path
from literate.weaving.html import link

TRAINING_LAB = "training"
_MEAN = 50  # steps that the line of a training is the mean of
_TOP, _BOTTOM = 4.1, 1.5  # of the losses that are drawn
_WIDTH, _HEIGHT = 1000, 400  # of the drawing, which is stretched to its place
_LOSS = re.compile(r"^loss ([\d.]+)$", re.MULTILINE)


def minutes(book: Book, chapter: Chapter) -> int:
    """Return how long a chapter takes to be read, in minutes, at least 1."""
    return max(1, round(reading_minutes(book.document, chapter.blocks)))


# The ways in


def start(book: Book, chunks: Chunks, pdf: str) -> str:
    """Return the ways into the book, the first of them as a button, and its length.

    `pdf` is the path of the book as a PDF, "" if there is none.
    """
    button = ""
    if len(book.chapters) > 1:
        button = (
            '<a class="md-button md-button--primary" '
            f'href="{book.chapters[1].path}">Start reading</a>'
        )
    links = [_lab_link(book)]
    for listing in chunks.listings[:1]:
        if listing.page:
            path = download_path(listing.output.path)
            links += [
                link(LISTING, "The whole program"),
                f'<a href="{path}" download>Download {path.rpartition("/")[2]}</a>',
            ]
    links += [link(pdf, "The book as a PDF")] if pdf else []
    counts = count_chapters(book.document)
    lines, words = sum(row[1] for row in counts), sum(row[2] for row in counts)
    chapters = sum(chapter.number > 0 for chapter in book.chapters)
    return (
        f'<p class="start">{button}</p>'
        f'<p class="ways">{" ".join(filter(None, links))}</p>'
        f'<p class="size">{chapters} chapters, {words:,} words, '
        f'{lines:,} lines of code</p><p class="continue"></p>'
    )


def _lab_link(book: Book) -> str:
    """Return a link that leads to the training lab and starts it, if there is one."""
    for chapter in book.chapters:
        anchor = chapter.anchor
        for block in chapter.blocks:
            if isinstance(block, Heading):
                anchor = book.heading_anchors[block.start]
            if TRAINING_LAB in (lab.name for lab in book.labs(block)):
                url = f"{chapter.path}#{anchor}"
                marks = f'href="{url}" data-start-lab="{TRAINING_LAB}"'
                return f"<a {marks}>Train it yourself</a>"
    return ""


# The training


def training(run: dict) -> str:
    """Return a recorded training as a figure, which `web/cover.js` brings to life.

    Without scripts it shows the last state, and beside it some of those before.
    """
    last = len(run["stops"]) - 1
    losses, steps = run["losses"], len(run["losses"])
    means = [losses[0], *(_mean(losses, stop) for stop in run["stops"][1:])]
    data = {key: run[key] for key in ("stops", "names", "guesses")}
    data |= {"losses": [round(mean, 2) for mean in means]}
    blind = math.log(len(run["tokens"]) + 1)
    told = (
        f"The loss of one training over {steps:,} steps. It begins at "
        f"{losses[0]:.2f}, about where blind guessing is, and falls to {means[-1]:.2f}."
    )
    return f"""<figure class="run" data-search-exclude>
<div class="run-chart"><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" \
preserveAspectRatio="none" role="img" aria-label="{told}">{_drawing(losses)}</svg>
<span class="run-head"></span>{_levels(blind)}{_ticks(steps)}
<input type="range" min="0" max="{last}" value="{last}" aria-label="Steps of training">
</div>
<p class="run-bar"><button type="button">Play</button><span>\
<b class="run-step">{steps:,}</b> of {steps:,} steps</span><span class="run-loss">loss \
<b>{means[-1]:.2f}</b></span></p>
<div class="run-said"><section><p>Names that it makes up</p>\
<ol class="run-names">{"".join(map(_tiles, run["names"][last]))}</ol></section>
<section aria-hidden="true"><p>What it expects after \
<b class="tile">{escape(run["before"])}</b></p>\
<div class="run-guess">{_bars(run)}</div></section></div>
{_states(run)}<figcaption>A run of this book’s program, recorded. Each dot is the \
loss of one step, the line is their mean. Each name is drawn with the same random \
numbers again and again.</figcaption>
<template>{escape(json.dumps(data, separators=(",", ":")), quote=False)}</template>
<script src="cover.js" async></script></figure>"""


def _mean(losses: list[float], end: int) -> float:
    recent = losses[max(0, end - _MEAN) : end]
    return sum(recent) / len(recent)


def _x(step: int, steps: int) -> float:
    """Return a step's place: by its root, so that the first ones have the most room."""
    return _WIDTH * math.sqrt(step / steps)


def _y(loss: float) -> float:
    return _HEIGHT * (_TOP - loss) / (_TOP - _BOTTOM)


def _drawing(losses: list[float]) -> str:
    """Return a dot for each loss and a line for their mean, in whole units."""
    steps = len(losses)
    at = [round(_x(step, steps)) for step in range(1, steps + 1)]
    dots = _path([*zip(at, map(round, map(_y, losses)), strict=True)], "m", "h0")
    looks = [round(steps * (i / 100) ** 2) for i in range(101)]
    means = [(stop, _mean(losses, stop)) for stop in sorted({*looks} - {0})]
    line = _path([(round(_x(i, steps)), round(_y(mean))) for i, mean in means], "l", "")
    return f'<path class="dots" d="{dots}"/><path d="{line}"/>'


def _path(points: list[tuple[int, int]], command: str, mark: str) -> str:
    """Return an SVG path from point to point, each told from the one before."""
    (x, y), path = points[0], ""
    path = f"M{x} {y}{mark}"
    for next_x, next_y in points[1:]:
        path += f"{command}{next_x - x} {next_y - y}{mark}".replace(" -", "-")
        x, y = next_x, next_y
    return path


def _levels(blind: float) -> str:
    """Return the values at the chart's left, and where a blind guesser stands."""
    marks = [
        f'<span class="run-y" style="top:{_y(loss) / 4:.1f}%">{loss}</span>'
        for loss in (2, 3, 4)
    ]
    level = f'<span class="run-level" style="top:{_y(blind) / 4:.1f}%">'
    return f"{''.join(marks)}{level}blind guessing: {blind:.2f}</span>"


def _ticks(steps: int) -> str:
    shown = [0, 10, 50, 100, 250, 500, steps]
    return "".join(
        f'<span class="run-x" style="left:{_x(step, steps) / 10:.1f}%">{step:,}</span>'
        for step in shown
    )


def _tiles(name: str) -> str:
    return f"<li>{''.join(f'<b>{escape(letter)}</b>' for letter in name)}</li>"


def _bars(run: dict) -> str:
    """Return a bar for each token, the last one for the end of a name."""
    guess, most = run["guesses"][-1], max(map(max, run["guesses"]))
    names = [*map(escape, run["tokens"]), "end"]
    return "".join(
        f'<span style="--p:{percent / most:.2f}"><i></i>{name}</span>'
        for name, percent in zip(names, guess, strict=True)
    )


def _states(run: dict) -> str:
    """Return what it says at some stops, for paper and where no script runs."""
    picked = [0, len(run["stops"]) // 5, len(run["stops"]) // 2, -1]
    heads = "".join(f"<th>step {run['stops'][i]:,}</th>" for i in picked)
    rows = zip(*(run["names"][i] for i in picked), strict=True)
    cells = ("".join(f"<td>{escape(name)}</td>" for name in row) for row in rows)
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    return f'<table class="run-states"><tr>{heads}</tr>{body}</table>'


# The contents


def contents(book: Book, describe: Callable[[Chapter], str]) -> str:
    """Return all chapters: number, title, what it is about, minutes, and what to try.

    `web/progress.js` ticks what was read and solved.
    """
    shown = ""
    for part, chapters in book.parts():
        title = escape(part.plain_title) if part else ""
        if chapters[0].is_opening:
            title = chapters.pop(0).link
        shown += f"<b>{title}</b>" if part else ""
        entries = "".join(_entry(book, chapter, describe) for chapter in chapters)
        shown += f"<ol>{entries}</ol>"
    return (
        f'<nav class="contents chapters" aria-label="Contents">{shown}</nav>'
        '<p class="progress"><span role="status"></span> A chapter gets its tick when '
        "you have seen its end and stayed for a minute, an exercise when its check "
        "says that all is right. This is kept in your browser alone. "
        '<button type="button" hidden>Forget it</button></p>'
    )


def _entry(book: Book, chapter: Chapter, describe: Callable[[Chapter], str]) -> str:
    marks = f"<span>{minutes(book, chapter)} min</span>"
    labs = [lab for block in chapter.blocks for lab in book.labs(block)]
    if {lab.name for lab in labs} - {"exercise", "stage"}:
        marks += '<span class="has-lab">lab</span>'
    solved = [lab.exercise for lab in labs if lab.exercise]
    for stage, loss in _stages(book, chapter):
        marks += f"<span><code>{stage}.py</code> loss {loss}</span>"
    if solved:
        count = f"{len(solved)} exercise{'s' if len(solved) > 1 else ''}"
        marks += f'<span data-exercises="{" ".join(solved)}">{count}</span>'
    return (
        f'<li><i class="number">{chapter.number}</i>{chapter.link}'
        f"<p>{escape(describe(chapter))}</p><small>{marks}</small></li>"
    )


def _stages(book: Book, chapter: Chapter) -> list[tuple[str, str]]:
    """Return each stage that a chapter runs, with the loss that it prints there."""
    found, stage = [], None
    for block in chapter.blocks:
        stage = next((lab.stage for lab in book.labs(block) if lab.stage), stage)
        loss = stage and isinstance(block, Fence) and _LOSS.search(book.text(block))
        if loss:
            found.append((stage, loss[1]))
            stage = None
    return found
