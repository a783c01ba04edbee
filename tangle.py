"""Tangle a literate document: write the programs that it holds.

usage: python tangle.py [DOCUMENT.md] [options]

Without a document, microgpt.md is tangled. The programs go to build/ beside it.

  --check          write nothing; show what differs, exit with 1 if anything does
  --list           write nothing; show the chunks, and how long the chapters are
  --out DIR        write into DIR in the place of build/
  --variant NAME   put the variant's chunks in the place of the program's; needs --out
  --force          overwrite outputs that were edited by hand
"""

from __future__ import annotations

import gc
import os
import sys

from literate.diagnostics import DocumentError, Problem, nearest
from literate.document import Document, parse
from literate.markdown import split_lines
from literate.names import FOLDER
from literate.outputs import OutputError, Plan
from literate.program import check_syntax, tangle

BOOK = "microgpt.md"


class UsageError(Exception):
    """The command line cannot be obeyed."""


class Options:
    """What the command line asks for."""

    document = BOOK
    out: str | None = None
    variant: str | None = None
    check = force = list = False


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status: 0, 1 (refused) or 2 (usage)."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        options = _parse_arguments(sys.argv[1:] if arguments is None else arguments)
        if options is None:
            print(__doc__, end="")
            return 0
        status = run(options)
        sys.stdout.flush()
        return status
    except UsageError as error:
        print(f"tangle.py: error: {error}", file=sys.stderr)
        return 2
    except (DocumentError, OutputError) as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def run(options: Options) -> int:
    """Do what the options ask for; return the exit status."""
    document = parse(read(options.document), _shown(options.document))
    if options.variant is not None and options.variant not in document.variants:
        near = nearest(options.variant, document.variants)
        hint = f'; did you mean "{near}"?' if near else ""
        message = f'{document.name} has no variant "{options.variant}"{hint}'
        raise UsageError(message)
    outputs = tangle(document, options.variant)
    if options.list:
        from literate.listing import listing

        print(listing(document), end="")
        return 0
    plan = Plan(outputs, _folder(options), _shown(options.document))
    check_syntax(plan.unproven)
    if options.check:
        return _check(plan)
    edits = [] if options.force else plan.edits()
    if edits:
        raise OutputError(edits)
    done = plan.apply()
    print("\n".join(done) or f"{plan.folder} is up to date")
    return 0


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


def _encoding_problem(path: str, text: str, before: str, byte: int) -> Problem:
    document = Document(_shown(path), split_lines(text), [])
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


def _parse_arguments(arguments: list[str]) -> Options | None:
    """Return the options, or None if only help is asked for. Raises UsageError.

    By hand, because importing argparse takes as long as tangling the book.
    """
    options = Options()
    documents = []
    waiting = iter(arguments)
    for argument in waiting:
        flag, equals, value = argument.partition("=")
        if argument in ("-h", "--help"):
            return None
        if argument in ("--check", "--force", "--list"):
            setattr(options, flag[2:], True)
        elif flag in ("--out", "--variant"):
            value = value if equals else next(waiting, "")
            if not value:
                raise UsageError(f"{flag} needs a value")
            setattr(options, flag[2:], value)
        elif argument.startswith("-"):
            near = nearest(flag, ["--check", "--force", "--list", "--out", "--variant"])
            hint = f"; did you mean {near}?" if near else ""
            raise UsageError(f"there is no option {argument}{hint}")
        else:
            documents.append(argument)
    if len(documents) > 1:
        raise UsageError(f"one document at a time, not also {documents[1]}")
    options.document = documents[0] if documents else BOOK
    _check_combination(options)
    return options


def _check_combination(options: Options) -> None:
    if options.check and options.list:
        raise UsageError("--check and --list exclude each other")
    if options.check and options.force:
        raise UsageError("--check writes nothing: --force makes no sense with it")
    if options.variant and not options.out and not options.list:
        raise UsageError(
            f"--variant needs --out DIR: {FOLDER}/ holds the program without variants"
        )


def _folder(options: Options) -> str:
    """Return the folder of the outputs."""
    if options.out is not None:
        return os.path.normpath(options.out)
    folder = os.path.join(os.path.dirname(_shown(options.document)), FOLDER)
    if os.path.islink(folder):
        message = f"{folder}: error: a symbolic link; name the folder with --out DIR"
        raise OutputError([message])
    return folder


def _shown(path: str) -> str:
    """Return a path as messages show it."""
    return os.path.normpath(path)


def _check(plan: Plan) -> int:
    sys.stdout.writelines(plan.differences())
    return 1 if plan.changes else 0


if __name__ == "__main__":
    gc.disable()  # the process is over before there is garbage worth collecting
    sys.exit(main())
