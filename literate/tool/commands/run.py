"""Run a program that the document holds; errors and warnings show the document.

It runs what the document says now, whatever build/ holds. Errors and warnings show the
document's lines, and so does coverage with the plug-in literate.tool.coverage:
`coverage run tangle.py run`. The program is build/microgpt.py, or the one that the
first argument names; the other arguments are the program's own. To give it `--help`,
write `run -- --help`.
"""

from __future__ import annotations

import bdb
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, ModuleType

from literate.core.programs import check_syntax, tangle
from literate.tool.command_line import (
    Parser,
    UsageError,
    output_called,
    read_document,
)
from literate.tool.outputs import write_into
from literate.tool.positions import compile_output, remember_lines, root_to_run


def main(path: str, arguments: list[str]) -> int:
    """Run the program with its arguments; return its exit status.

    Raises UsageError if the document has no program in Python, and DocumentError.
    SystemExit is left to pass.
    """
    with prepared(path, arguments, Parser("run", __doc__)) as (code, names):
        return _run(code, names)


@contextmanager
def prepared(
    path: str, arguments: list[str], parser: Parser
) -> Iterator[tuple[CodeType, dict[str, object]]]:
    """Make ready to run a document's program; give its code and its module's names.

    Raises UsageError if the document has no program in Python, and DocumentError.
    """
    parser.usage = f"{parser.prog} [PROGRAM.py] [--] [ARGUMENTS of the program]"
    if arguments[:1] in (["-h"], ["--help"]):
        parser.parse_args(arguments)
    document = read_document(path)
    outputs = tangle(document)
    output = root_to_run(outputs, path)
    if output is None:
        raise UsageError(f"{document.name} has no root in Python that could be run")
    named = output_called(arguments[0], outputs) if arguments else None
    if named and named.is_python:
        output, arguments = named, arguments[1:]
    if arguments[:1] == ["--"]:
        arguments = arguments[1:]
    filename = os.path.abspath(path)
    check_syntax([output])
    code = compile_output(output, filename)
    remember_lines(filename, document.lines)
    with tempfile.TemporaryDirectory(prefix="run-", ignore_cleanup_errors=True) as top:
        write_into(top, outputs)
        program = os.path.join(top, *output.path.split("/"))
        module = ModuleType("__main__")
        module.__file__ = program
        module.__builtins__ = __builtins__
        sys.modules["__main__"] = module
        sys.argv = [program, *arguments]
        sys.path[0] = os.path.dirname(program)
        yield code, module.__dict__


def _run(code: CodeType, names: dict[str, object]) -> int:
    """Run code as the main module; return 0, or 1 or 130 after a traceback."""
    try:
        exec(code, names)
    except (SystemExit, bdb.BdbQuit):  # a user of `breakpoint()` wants to leave
        raise
    except BaseException as error:
        error.__traceback__ = error.__traceback__.tb_next  # without this function
        sys.excepthook(type(error), error, error.__traceback__)
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    return 0
