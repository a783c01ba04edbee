"""Tangle a literate document: write the programs that it holds.

Without a document, microgpt.md is tangled. The programs go to build/ beside it.
"""

from __future__ import annotations

import gc
import os
import sys

if sys.version_info < (3, 10):  # noqa: UP036
    sys.exit("tangle.py: error: Python 3.10 or later is needed")
if (HOME := os.path.dirname(os.path.abspath(__file__))) not in sys.path:
    sys.path.insert(0, HOME)  # Python leaves it out where PYTHONSAFEPATH is set

from literate.core.diagnostics import DocumentError
from literate.core.names import FOLDER
from literate.tool import command_line
from literate.tool.command_line import BOOK, COMMANDS, Parser, UsageError
from literate.tool.listing import listing
from literate.tool.outputs import OutputError, alone


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status: 0, 1 (refused) or 2 (usage)."""
    arguments = sys.argv[1:] if arguments is None else arguments
    document, command, rest = _split(arguments)
    _open_streams(is_ours=command not in ("run", "debug"))
    try:
        try:
            if command:
                return command_line.load(command).main(document, rest)
            return _tangle(arguments)
        finally:
            sys.stdout.flush()
    except UsageError as error:
        print(f"tangle.py: error: {error}", file=sys.stderr)
        return 2
    except (DocumentError, OutputError) as error:
        print(error.as_json() if _wants_json(arguments) else error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except OSError as error:  # standard output is closed, or its disk is full
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            print(f"tangle.py: error: {error}", file=sys.stderr)
        return 1


def _split(arguments: list[str]) -> tuple[str, str, list[str]]:
    """Return the document, the command, "" if there is none, and its arguments."""
    for place, argument in enumerate(arguments[:2]):
        if argument in COMMANDS:
            return (*arguments[:place], BOOK)[0], argument, arguments[place + 1 :]
        if argument.startswith("-"):
            break
    return BOOK, "", arguments


def _open_streams(is_ours: bool) -> None:
    """Give streams that were closed a place; ours are UTF-8 whatever the locale."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115
    if is_ours:
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _wants_json(arguments: list[str]) -> bool:
    return "json" in arguments or "--format=json" in arguments


def _tangle(arguments: list[str]) -> int:
    """Write, check or list a document's programs; return the exit status."""
    options = _parser(arguments).parse_args(arguments)
    if options.variant and not options.out and not options.list:
        raise UsageError(
            f"--variant needs --out DIR: {FOLDER}/ holds the program without variants"
        )
    if options.list:
        document, _ = command_line.tangled(options.document, options.variant)
        print(listing(document), end="")
        return 0
    if options.check:
        plan = command_line.planned(options.document, options.out, options.variant)
        sys.stdout.writelines(plan.differences())
        return 1 if plan.changes else 0
    with alone(command_line.output_folder(options.document, options.out)):
        plan = command_line.planned(options.document, options.out, options.variant)
        if not options.force:
            plan.refuse_edits()
        done = plan.apply()
    print("\n".join(done) or f"{plan.folder} is up to date")
    return 0


def _parser(arguments: list[str]) -> Parser:
    wants_help = "-h" in arguments or "--help" in arguments
    parser = Parser("", __doc__, epilog=_commands() if wants_help else None)
    add = parser.add_argument
    add("document", nargs="?", default=BOOK, metavar="DOCUMENT.md")
    only = parser.add_mutually_exclusive_group()
    only.add_argument(
        "--check",
        action="store_true",
        help="write nothing; show what differs, exit with 1 if anything does",
    )
    only.add_argument(
        "--list",
        action="store_true",
        help="write nothing; show the chunks, and how long the chapters are",
    )
    only.add_argument(
        "--force",
        action="store_true",
        help="overwrite outputs that were edited by hand",
    )
    parser.add_out()
    add(
        "--variant",
        metavar="NAME",
        help="put the variant's chunks in the place of the program's; needs --out",
    )
    parser.add_format()
    return parser


def _commands() -> str:
    """Return what each command does, a line each."""
    lines = ["commands (COMMAND --help says more):", ""]
    for name in COMMANDS:
        first_line = command_line.load(name).__doc__.partition("\n")[0]
        lines.append(f"  {name:9} {first_line}")
    return "\n".join(lines)


if __name__ == "__main__":
    gc.set_threshold(1_000_000)  # a third of the time goes into looking for cycles
    sys.exit(main())
