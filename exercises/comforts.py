"""Exercises of part VIII, Comforts."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import islice
from types import ModuleType

from exercises.marking import Mark, exercise, get, near, said_by, short


@exercise(
    "reading",
    '''
from microgpt import split_docs

def documents(raw):
    """Return the documents in bytes; raise ValueError if there are none."""
    return split_docs(raw.decode("utf-8"))
''',
)
def _reading(names: dict, program: ModuleType) -> Iterator[Mark]:
    documents = get(names, "documents")
    for what, text, hint in (
        ("two names", "emma\nava\n", "decode the bytes, and split the text"),
        ("ends of lines as Windows has them", "emma\r\n\r\nava", ""),
        ("letters beyond a to z", "zoé\nstraße\n", "the bytes are UTF-8"),
        ("a mark in front", "\ufeffemma\nava\n", "the mark belongs to no name"),
        (
            "a sign that splitlines takes for an end",
            "em\u2028ma\n",
            "split at newlines only, as split_docs does",
        ),
    ):
        wanted = program.split_docs(text.removeprefix("\ufeff"))
        got = documents(text.encode("utf-8"))
        ok = isinstance(got, list) and got == wanted
        came = short(got) if ok else f"yours gives {short(got)}, not {short(wanted)}"
        yield Mark(ok, what, came, "" if ok else hint)
    for what, raw in (
        ("nothing at all", b""),
        ("blank lines alone", b" \n\r\n\t\n"),
        ("a mark and nothing else", "\ufeff\n".encode()),
        ("bytes that are not UTF-8", "zoé".encode("latin-1")),
    ):
        yield _refused(documents, what, raw)


def _refused(documents: Callable, what: str, raw: bytes) -> Mark:
    """Return the mark for bytes that have to end in a ValueError."""
    try:
        got = documents(raw)
    except ValueError as error:
        return Mark(True, what, said_by(error))
    hint = "whoever gets no documents should hear of it: raise ValueError"
    return Mark(False, what, f"yours gives {short(got)}, and no ValueError", hint)


@exercise(
    "resume",
    '''
from microgpt import Adam, train

def resume(model, docs, steps, m, v, done):
    """Do what is missing of a training; return the losses of these steps."""
    return list(train(model, docs, steps))
''',
)
def _resume(names: dict, program: ModuleType) -> Iterator[Mark]:
    resume = get(names, "resume")
    docs = ["anna", "hanna", "hannah", "ann", "nan"]

    def begun(done: int) -> tuple:
        model = program.Model(program.Tokenizer("anh"), n_embd=4, n_head=2)
        adam = program.Adam(model.randomize(random.Random(1)).params())
        first = [*islice(program.train(model, docs, 12, adam=adam), done)]
        return model, adam, first

    whole = begun(12)[2]
    for done in (6, 11, 0, 12):
        model, adam, _ = begun(done)
        got = resume(model, docs, 12, [*adam.m], [*adam.v], done)
        model, adam, _ = begun(done)
        adam.m, adam.v = [0.0] * len(adam.m), [0.0] * len(adam.v)
        asleep = [*program.train(model, docs, 12, adam=adam)]
        model, _, _ = begun(done)
        afresh = [*program.train(model, docs, 12)]
        slips = [
            ("Adam has forgotten its means, m and v", asleep),
            ("some steps are done already; tell Adam how many", afresh),
        ]
        what = f"{done} steps of 12 are done"
        yield near(what, got, whole[done:], "train goes on from adam.steps", slips)
