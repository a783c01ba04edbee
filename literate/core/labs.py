"""The heads of labs in a document, by which a page offers something to be tried."""

from __future__ import annotations

import re
from typing import NamedTuple

_TASK = "Task: "  # how the titles of exercises begin that ask for a whole chunk
_HEAD = re.compile(
    r'<div class="lab" data-lab="(?P<name>[\w-]+)" data-title="(?P<title>[^"]+)"'
    r'(?: data-(?:exercise="(?P<exercise>[\w-]+)"|stage="(?P<stage>[\w-]+)"))?>'
)


class Lab(NamedTuple):
    """The head of a lab: its name and title, and which exercise or stage it offers."""

    name: str
    title: str
    exercise: str
    stage: str

    @property
    def task(self) -> str:
        """The title of a task without the word that says so, "" if it is none."""
        is_task = self.exercise and self.title.startswith(_TASK)
        return self.title.removeprefix(_TASK) if is_task else ""


def labs_in(text: str) -> list[Lab]:
    """Return the labs whose heads are in a text."""
    return [
        Lab(**{key: value or "" for key, value in match.groupdict().items()})
        for match in _HEAD.finditer(text)
    ]
