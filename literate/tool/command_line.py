"""What the commands share: reading a document, and finding where its outputs go."""

from __future__ import annotations

import os

from literate.core.blocks import split_lines
from literate.core.diagnostics import DocumentError, Problem, nearest
from literate.core.document import Document, parse
from literate.core.names import FOLDER
from literate.tool.outputs import OutputError

BOOK = "microgpt.md"


class UsageError(Exception):
    """The command line cannot be obeyed."""


class HelpWanted(Exception):
    """Only help is asked for; its text is the argument."""


class Options:
    """What a command line asks for: an attribute for each option, and the `others`."""

    def __init__(self, **defaults: bool | str | None) -> None:
        self.others: list[str] = []
        self.__dict__.update(defaults)


def parse_options(
    arguments: list[str], help: str, **defaults: bool | str | None
) -> Options:
    """Return the options of a command; those whose default is False take no value.

    By hand, because importing argparse takes as long as tangling the book. Raises
    UsageError, and HelpWanted.
    """
    options = Options(**defaults)
    known = [f"--{name}" for name in defaults]
    waiting = iter(arguments)
    for argument in waiting:
        flag, equals, value = argument.partition("=")
        if argument in ("-h", "--help"):
            raise HelpWanted(help)
        if argument in known and defaults[flag[2:]] is False:
            setattr(options, flag[2:], True)
        elif flag in known and defaults[flag[2:]] is not False:
            value = value if equals else next(waiting, "")
            if not value:
                raise UsageError(f"{flag} needs a value")
            setattr(options, flag[2:], value)
        elif argument.startswith("-"):
            near = nearest(flag, known)
            hint = f"; did you mean {near}?" if near else ""
            raise UsageError(f"there is no option {argument}{hint}")
        else:
            options.others.append(argument)
    if getattr(options, "format", "text") not in ("text", "json"):
        raise UsageError(f"--format is text or json, not {options.format}")
    return options


def no_others(options: Options, command: str) -> None:
    """Raise UsageError if a command that takes no arguments is given some."""
    if options.others:
        raise UsageError(f"{command} takes no argument {options.others[0]}")


def read(path: str) -> str:
    """Return a document's text, its line endings kept.

    Raises UsageError if there is no such file to read, and DocumentError if it is not
    UTF-8.
    """
    try:
        with open(path, "rb") as stream:
            contents = stream.read()
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder; name a document in it") from None
    except FileNotFoundError:
        raise UsageError(_no_document(path)) from None
    except OSError as error:
        if os.path.isdir(path):  # Windows calls this a lack of permission
            raise UsageError(f"{path} is a folder; name a document in it") from None
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"{path} cannot be read: {reason}") from None
    try:
        return contents.decode("utf-8")
    except UnicodeDecodeError as error:
        before = contents[: error.start].decode("utf-8")
        byte = contents[error.start]
        text = contents.decode("utf-8", "replace")
        raise DocumentError([_encoding_problem(path, text, before, byte)]) from None


def read_document(path: str) -> Document:
    """Return a document, read and parsed. Raises what `read` raises."""
    return parse(read(path), shown(path))


def shown(path: str) -> str:
    """Return a path as messages show it."""
    return os.path.normpath(path)


def output_folder(document: str, out: str | None = None) -> str:
    """Return the folder of a document's outputs: `out`, or build/ beside it.

    Raises OutputError if build/ is a symbolic link.
    """
    if out is not None:
        return os.path.normpath(out)
    folder = os.path.join(os.path.dirname(shown(document)), FOLDER)
    if os.path.islink(folder):
        message = f"{folder}: error: a symbolic link; name the folder with --out DIR"
        raise OutputError([message])
    return folder


def _encoding_problem(path: str, text: str, before: str, byte: int) -> Problem:
    document = Document(shown(path), split_lines(text))
    lines = split_lines(before + "x")
    return document.problem(
        len(lines) - 1,
        len(lines[-1]) - 1,
        1,
        f"byte {byte:#04x} is not UTF-8",
        "save the document as UTF-8",
    )


def _no_document(path: str) -> str:
    if path == BOOK:
        return f"there is no {BOOK} here; name a document: python tangle.py DOCUMENT.md"
    return f"{path}: no such document, and no command"
