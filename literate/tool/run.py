"""Run the program that a document holds, with every position in the document.

usage: python tangle.py [DOCUMENT.md] run [ARGUMENTS of the program]

It runs what the document says now, whatever build/ holds. Errors and warnings show the
document's lines, and so does coverage with the plug-in literate.tool.coverage:
`coverage run tangle.py run`. To step through the document there is
`python tangle.py debug`.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import CodeType, ModuleType, TracebackType

from literate.core.programs import Output, check_syntax, tangle
from literate.tool.command_line import UsageError, read_document
from literate.tool.positions import compile_output, remember_lines, root_to_run


def main(path: str, arguments: list[str]) -> int:
    """Run the program with its arguments; return its exit status.

    Raises UsageError if the document has no program in Python, and DocumentError.
    SystemExit is left to pass.
    """
    with prepared(path, arguments) as (code, module):
        return _run(code, module)


@contextmanager
def prepared(
    path: str, arguments: list[str]
) -> Iterator[tuple[CodeType, dict[str, object]]]:
    """Make ready to run a document's program; give its code and its module's names.

    Raises UsageError if the document has no program in Python, and DocumentError.
    """
    document = read_document(path)
    outputs = tangle(document)
    output = root_to_run(outputs, path)
    if output is None:
        raise UsageError(f"{document.name} has no root in Python that could be run")
    filename = os.path.abspath(path)
    code = _code(output, filename)
    remember_lines(filename, document.lines)
    with tempfile.TemporaryDirectory(prefix="run-", ignore_cleanup_errors=True) as top:
        folder = _write(outputs, top)
        program = os.path.join(folder, *output.path.split("/")[1:])
        module = ModuleType("__main__")
        module.__file__ = program
        module.__builtins__ = __builtins__
        sys.modules["__main__"] = module
        sys.argv = [program, *arguments]
        sys.path[0] = os.path.dirname(program)
        gc.freeze()  # what tangling left is no garbage of the program's
        gc.enable()
        yield code, module.__dict__


def _write(outputs: list[Output], top: str) -> str:
    """Write all outputs, which the program may read; return their folder."""
    for output in outputs:
        file = os.path.join(top, *output.path.split("/"))
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "wb") as stream:
            stream.write(output.text.encode())
    return os.path.join(top, "build")


def _run(code: CodeType, names: dict[str, object]) -> int:
    """Run code as the main module; return 0, or 1 or 130 after a traceback."""
    try:
        exec(code, names)
    except SystemExit:
        raise
    except BaseException as error:
        if "bdb" in sys.modules and isinstance(error, sys.modules["bdb"].BdbQuit):
            raise  # for the debugger, whose user wants to leave
        error.__traceback__ = _own(error.__traceback__)
        sys.excepthook(type(error), error, error.__traceback__)
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _own(traceback: TracebackType) -> TracebackType | None:
    """Return the program's part of a traceback: without `_run` above."""
    return traceback.tb_next


def _code(output: Output, filename: str) -> CodeType:
    """Return an output's code, from beside the document if it was kept there."""
    import marshal
    from hashlib import blake2b
    from importlib.util import MAGIC_NUMBER, cache_from_source

    text = "\n".join([filename, str(sys.flags.optimize), *map(str, output.spans)])
    text += output.text
    head = MAGIC_NUMBER + blake2b(text.encode(), digest_size=16).digest()
    kept = None if sys.dont_write_bytecode else cache_from_source(filename)
    if kept:
        with suppress(OSError, ValueError, EOFError, TypeError):
            with open(kept, "rb") as stream:
                contents = stream.read()
            if contents.startswith(head):
                return marshal.loads(contents[len(head) :])
    check_syntax([output])
    code = compile_output(output, filename)
    if kept:
        with suppress(OSError):
            _keep(kept, head + marshal.dumps(code))
    return code


def _keep(file: str, contents: bytes) -> None:
    os.makedirs(os.path.dirname(file), exist_ok=True)
    temporary = f"{file}.{os.getpid()}"
    with open(temporary, "wb") as stream:
        stream.write(contents)
    os.replace(temporary, file)
