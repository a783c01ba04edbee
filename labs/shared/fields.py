"""What readers write into fields, understood as the program's command line would."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from labs import LabError


def number(
    what: str, given: float | str, convert: Callable[[str], float], kind: str
) -> float:
    """Return a number that `convert`, one of the program's readers of numbers, accepts.

    Raises LabError, which says that `what` must be of this kind.
    """
    text = str(given).strip()
    try:
        return convert(text)
    except (argparse.ArgumentTypeError, ValueError):
        shown = repr(text if len(text) < 30 else text[:30] + "…")
        raise LabError(f"The {what} must be {kind}; {shown} is not.") from None
