"""What the commands share: reading a document, and finding where its outputs go."""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
from collections.abc import Sequence
from types import ModuleType
from typing import NoReturn

from literate.core.blocks import split_lines
from literate.core.diagnostics import DocumentError, did_you_mean
from literate.core.document import Document, parse
from literate.core.names import FOLDER
from literate.core.programs import Output
from literate.tool import commands
from literate.tool.forms import Form, outputs_and_forms
from literate.tool.outputs import OutputError, Plan, replace_file

BOOK = "microgpt.md"
COMMANDS = tuple(module.name for module in pkgutil.iter_modules(commands.__path__))


class UsageError(Exception):
    """The command line cannot be obeyed; a `hint` may say what was perhaps meant."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}; {hint}" if hint else message)


class Parser(argparse.ArgumentParser):
    """Parses the arguments of a command, "" for none; its errors are UsageErrors."""

    def __init__(self, command: str, description: str, **settings: object) -> None:
        super().__init__(
            prog=f"tangle.py [DOCUMENT.md] {command}" if command else "tangle.py",
            description=description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            **settings,
        )

    def add_out(self) -> None:
        self.add_argument(
            "--out",
            metavar="DIR",
            type=_folder,
            help=f"the programs are in DIR in the place of {FOLDER}/",
        )

    def add_format(self) -> None:
        self.add_argument(
            "--format",
            choices=("text", "json"),
            default="text",
            help="json: print each problem as a line of JSON",
        )

    def parse_args(self, arguments: list[str]) -> argparse.Namespace:
        options, unknown = self.parse_known_args(arguments)
        if unknown and unknown[0].startswith("-"):
            option = unknown[0].partition("=")[0]
            hint = did_you_mean(option, self._option_string_actions)
            raise UsageError(f"there is no option {unknown[0]}", hint)
        if unknown:
            raise UsageError(f"there is no place for the argument {unknown[0]}")
        return options

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def load(command: str) -> ModuleType:
    """Return the module of a command: `main(document, arguments)` runs it."""
    return importlib.import_module(f"{commands.__name__}.{command}")


def read(path: str) -> str:
    """Return a document's text, its line endings kept.

    Raises UsageError if there is no such file to read, and DocumentError if it is not
    UTF-8.
    """
    if os.path.isdir(path):
        raise UsageError(f"{path} is a folder", "name a document in it")
    try:
        with open(path, "rb") as stream:
            contents = stream.read()
    except FileNotFoundError:
        if path == BOOK:
            hint = "name a document: python tangle.py DOCUMENT.md"
            raise UsageError(f"there is no {BOOK} here", hint) from None
        message = f"{path}: no such document, and no command"
        raise UsageError(message, did_you_mean(path, COMMANDS)) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"{path} cannot be read: {reason}") from None
    try:
        return contents.decode("utf-8")
    except UnicodeDecodeError as error:
        before = split_lines(contents[: error.start].decode("utf-8") + "x")
        document = Document(
            shown(path), split_lines(contents.decode("utf-8", "replace"))
        )
        message = f"byte {contents[error.start]:#04x} is not UTF-8"
        line, column = len(before) - 1, len(before[-1]) - 1
        hint = "save the document as UTF-8"
        problem = document.problem(line, column, 1, message, hint)
        raise DocumentError([problem]) from None


def write(path: str, old: str, new: str) -> None:
    """Put new text into a document that was read as `old`; a byte-order mark is kept.

    Raises what `replace_file` raises.
    """
    mark = "\ufeff" if old.startswith("\ufeff") else ""
    replace_file(path, old.encode(), (mark + new).encode())


def read_document(path: str) -> Document:
    """Return a document, read and parsed. Raises what `read` raises."""
    return parse(read(path), shown(path))


def tangled(
    path: str, variant: str | None = None
) -> tuple[Document, list[Output | Form]]:
    """Return a document that was read, and all files that it makes.

    Raises what `read` and `outputs_and_forms` raise, and UsageError if the document has
    no such variant.
    """
    document = read_document(path)
    if variant is not None and variant not in document.variants:
        message = f'{document.name} has no variant "{variant}"'
        raise UsageError(message, did_you_mean(variant, document.variants))
    return document, outputs_and_forms(document, variant)


def planned(path: str, out: str | None = None, variant: str | None = None) -> Plan:
    """Return what has to change on the disk for it to hold what a document makes.

    Raises what `tangled`, `output_folder` and Plan raise.
    """
    document, outputs = tangled(path, variant)
    return Plan(outputs, output_folder(path, out), document.name)


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


def output_called(file: str, outputs: Sequence[Output | Form]) -> Output | Form | None:
    """Return the output that somebody means by a file: build/x.py, x.py, or a path."""
    path = os.path.abspath(file).replace(os.sep, "/")
    for output in outputs:
        name = output.path.partition("/")[2]
        if file.replace(os.sep, "/") == name or path.endswith(f"/{output.path}"):
            return output
    return None


def _folder(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("a folder needs a name")
    return text
