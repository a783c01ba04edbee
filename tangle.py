"""Tangle a literate document: write the programs that it holds.

usage: python tangle.py [DOCUMENT.md] [options]
       python tangle.py [DOCUMENT.md] COMMAND [arguments]

Without a document, microgpt.md is tangled. The programs go to build/ beside it.

  --check          write nothing; show what differs, exit with 1 if anything does
  --list           write nothing; show the chunks, and how long the chapters are
  --out DIR        write into DIR in the place of build/
  --variant NAME   put the variant's chunks in the place of the program's; needs --out
  --force          overwrite outputs that were edited by hand
  --format json    print each problem as a line of JSON

commands (COMMAND --help says more):

  run       run the program; errors and warnings show the document
  debug     step through the program, in the document
  where     say where a line of a program comes from, and the other way round
  watch     tangle again whenever the document is saved
  verify    run the sessions that the document shows, and compare what they print
  stitch    carry edits made in build/ back into the document
  lint      run ruff over the programs; its findings show the document
"""

from __future__ import annotations

import gc
import os
import sys

from literate.core.diagnostics import DocumentError, nearest
from literate.core.names import FOLDER
from literate.core.programs import check_syntax
from literate.tool.command_line import (
    BOOK,
    HelpWanted,
    Options,
    UsageError,
    output_folder,
    parse_options,
    read_document,
    shown,
)
from literate.tool.forms import outputs_and_forms
from literate.tool.outputs import OutputError, Plan, alone

COMMANDS = ("run", "debug", "where", "watch", "verify", "stitch", "lint")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status: 0, 1 (refused) or 2 (usage)."""
    arguments = sys.argv[1:] if arguments is None else arguments
    document, command, rest = _split(arguments)
    if command not in ("run", "debug"):  # which leave the streams to the program
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        if command:
            from importlib import import_module

            status = import_module(f"literate.tool.{command}").main(document, rest)
        else:
            options = _parse_arguments(arguments)
            with alone(os.path.dirname(options.document)):
                status = _tangle(options)
        sys.stdout.flush()
        return status
    except HelpWanted as error:
        print(error, end="")
        return 0
    except UsageError as error:
        print(f"tangle.py: error: {error}", file=sys.stderr)
        return 2
    except (DocumentError, OutputError) as error:
        print(error.as_json() if _wants_json(arguments) else error, file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def _split(arguments: list[str]) -> tuple[str, str, list[str]]:
    """Return the document, the command, "" if there is none, and its arguments."""
    for place, argument in enumerate(arguments[:2]):
        if argument in COMMANDS:
            return (*arguments[:place], BOOK)[0], argument, arguments[place + 1 :]
        if argument.startswith("-"):
            break
    return BOOK, "", arguments


def _wants_json(arguments: list[str]) -> bool:
    return "json" in arguments or "--format=json" in arguments


def _tangle(options: Options) -> int:
    """Write, check or list a document's programs; return the exit status."""
    document = read_document(options.document)
    if options.variant is not None and options.variant not in document.variants:
        near = nearest(options.variant, document.variants)
        hint = f'; did you mean "{near}"?' if near else ""
        message = f'{document.name} has no variant "{options.variant}"{hint}'
        raise UsageError(message)
    outputs = outputs_and_forms(document, options.variant)
    if options.list:
        from literate.tool.listing import listing

        print(listing(document), end="")
        return 0
    folder = output_folder(options.document, options.out)
    plan = Plan(outputs, folder, shown(options.document))
    check_syntax(plan.unproven)
    if options.check:
        return _check(plan)
    edits = [] if options.force else plan.edits()
    if edits:
        raise OutputError(edits)
    done = plan.apply()
    print("\n".join(done) or f"{plan.folder} is up to date")
    return 0


def _check(plan: Plan) -> int:
    sys.stdout.writelines(plan.differences())
    return 1 if plan.changes else 0


def _parse_arguments(arguments: list[str]) -> Options:
    options = parse_options(
        arguments,
        __doc__,
        check=False,
        list=False,
        out=None,
        variant=None,
        force=False,
        format="text",
    )
    if len(options.others) > 1:
        raise UsageError(f"one document at a time, not also {options.others[1]}")
    options.document = (*options.others, BOOK)[0]
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


if __name__ == "__main__":
    gc.disable()  # the process is over before there is garbage worth collecting
    sys.exit(main())
