"""Step through the program that a document holds, in the document.

The debugger is Python's own, pdb; it lists the document, and `break microgpt.md:412`
stops at its line. What follows `debug` is as for `run`.
"""

from __future__ import annotations

import os
import pdb
import sys

from literate.tool.command_line import Parser
from literate.tool.commands.run import prepared


class Debugger(pdb.Pdb):
    """A debugger that takes the document for a file of Python."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.document = document

    def lookupmodule(self, filename: str) -> str | None:
        """Return the file that a breakpoint is meant for."""
        if os.path.basename(filename) == os.path.basename(self.document):
            return self.document
        return super().lookupmodule(filename)


def main(path: str, arguments: list[str]) -> int:
    """Debug the program, and what is left of it after an exception; return 0 or 1.

    Raises UsageError if the document has no program in Python, and DocumentError.
    """
    debugger = Debugger(os.path.abspath(path))
    with prepared(path, arguments, Parser("debug", __doc__)) as (code, names):
        try:
            debugger.run(code, names)
        except SystemExit as error:
            print(f"The program ended with exit status {error.code or 0}")
        except Exception as error:
            traceback = error.__traceback__
            while traceback and traceback.tb_frame.f_code is not code:
                traceback = traceback.tb_next
            error.__traceback__ = traceback
            sys.excepthook(type(error), error, traceback)
            print("The program is as it was when this was raised")
            debugger.reset()
            debugger.interaction(None, traceback)
            return 1
    return 0
