"""The door between a page and the program: calls by name, JSON in, JSON out."""

from __future__ import annotations

import importlib
import json
import math
import pickle

import microgpt

from exercises import AnswerError
from labs import LabError


def call(name: str, arguments: str) -> str:
    """Call a function, `lab.function` or `shared.module.function`, with keywords.

    `arguments` is a JSON object of the keywords. Returns a JSON object: `value`, or
    `error` with a message for people. Numbers that JSON lacks become the words "nan",
    "inf" and "-inf". Whatever else is raised is a fault of the lab and is passed on.
    """
    module, _, function = name.rpartition(".")
    if not module or not function or function.startswith("_"):
        raise ValueError(f"{name} is not the name of a lab's function")
    asked = getattr(_import(module), function)
    try:
        answer = {"value": asked(**json.loads(arguments))}
    except (AnswerError, LabError, microgpt.InputError) as error:
        answer = {"error": str(error)}
    except MemoryError:
        answer = {"error": "That needs more memory than a lab may use. Ask for less."}
    except RecursionError:
        answer = {"error": "That is nested too deeply. Ask for less."}
    try:
        return json.dumps(answer, allow_nan=False)
    except ValueError:
        return json.dumps(_in_words(answer))


def save(module: str) -> bytes:
    """Return what a lab needs in order to go on in another worker; b"" if nothing."""
    keep = getattr(_import(module), "save", None)
    kept = keep() if keep else None
    return b"" if kept is None else pickle.dumps(kept)


def restore(module: str, state: bytes) -> None:
    """Let a lab go on from what `save` returned."""
    _import(module).restore(pickle.loads(bytes(state)))


def _import(module: str):
    """Return a lab, by its folder's name, or what the labs share, by its path."""
    is_shared = module.startswith("shared.")
    return importlib.import_module(f"labs.{module}{'' if is_shared else '.lab'}")


def _in_words(thing):
    """Return a copy in which each number that JSON lacks is a word."""
    if isinstance(thing, dict):
        return {key: _in_words(value) for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [_in_words(value) for value in thing]
    if isinstance(thing, float) and not math.isfinite(thing):
        return str(thing)
    return thing
