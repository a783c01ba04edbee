"""The exercises that the page marks: what a reader starts from, and the marking."""

from __future__ import annotations

from exercises import judging, tasks
from exercises.marking import Exercise
from labs import LabError
from labs.shared import models
from labs.shared.book import book


def start(exercise: str) -> str:
    """Return what the reader begins with."""
    return judging.start(_find(exercise), book())


def scope(exercise: str) -> list[tuple[str, str]]:
    """Return what the answer to a task may call, with a line of words for each.

    There is nothing to be told of an exercise that is no task.
    """
    found = _find(exercise)
    return tasks.scope(book(), found.chunk) if found.slips else []


def check(exercise: str, text: str) -> dict:
    """Run an answer and judge it; return what `judging.check` does."""
    return judging.check(_find(exercise), text, book(), models.HOME)


def _find(name: str) -> Exercise:
    try:
        return judging.find(name)
    except KeyError:
        raise LabError("The book has changed since. Reload the page.") from None
