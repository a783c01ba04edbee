"""Exercises of part I, From names to numbers."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from exercises.marking import Mark, equal, exercise, get, short


@exercise("documents", "# The documents, in order\ndocuments = []\n")
def _documents(names: dict, program: ModuleType) -> Iterator[Mark]:
    got = get(names, "documents", "list")
    wanted = program.split_docs("Li\r\n\r\n  Ann Lee\nmax")
    if not isinstance(got, list | tuple):
        yield Mark(False, "documents is a list", f"it is {short(got)}")
        return
    yield equal(
        "how many there are", len(got), len(wanted), "does an empty line count?"
    )
    stripped = [text.strip() if isinstance(text, str) else text for text in got]
    if [*got] != wanted and stripped == wanted:
        came = f"you say {short(got)}: are blanks at the ends of a line kept?"
        yield Mark(False, "what each of them is", came)
        return
    hint = "a line is a document as it stands, but for the blanks around it"
    yield equal("what each of them is", [*got], wanted, hint)


@exercise(
    "tokens",
    '# The tokens of "emma"\nemma = []\n\n'
    '# Of the tokenizer made from "banana"\nvocabulary_size = 0\nnumber_of_n = 0\n',
)
def _tokens(names: dict, program: ModuleType) -> Iterator[Mark]:
    letters = program.Tokenizer("abcdefghijklmnopqrstuvwxyz")
    fruit = program.Tokenizer("banana")
    emma, wanted = get(names, "emma", "list"), letters.encode("emma")
    hint = "a is 0, b is 1, and so on; do not forget BOS, at both ends"
    if emma == wanted[1:-1]:
        hint = "the letters are right, but a name stands between two marks"
    yield equal("the tokens of “emma”", emma, wanted, hint)
    size = get(names, "vocabulary_size", "number")
    hint = "count each letter once"
    if size == fruit.vocab_size - 1:
        hint = "one token stands for no letter"
    yield equal("the vocabulary size of “banana”", size, fruit.vocab_size, hint)
    hint = "put the letters that occur in order, and count from 0"
    got = get(names, "number_of_n", "number")
    yield equal("the number of n", got, fruit.ids["n"], hint)
