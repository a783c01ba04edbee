"""A document's program as a module that can be called."""

from __future__ import annotations

import linecache
from pathlib import Path
from types import ModuleType

from literate.core.document import Document
from literate.core.programs import Output, tangle


def output_at(document: Document, path: str, variant: str | None = None) -> Output:
    """Return what becomes the file at `path`, in a variant if one is named.

    A variant that does not touch it leaves it as it is. Raises what `tangle` raises,
    and KeyError if there is no such output.
    """
    outputs = {output.path: output for output in tangle(document, variant)}
    if variant is not None and path not in outputs:
        return output_at(document, path)
    return outputs[path]


def load(text: str, path: Path, shown_as: str = "") -> ModuleType:
    """Run the text of a program as a fresh module, and return it.

    The module takes `path` for its file, whether it is there or not. Tracebacks show
    the program's lines, and call the file `shown_as` if that is given.
    """
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    name = shown_as or module.__file__
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    exec(compile(text, name, "exec", dont_inherit=True), vars(module))
    return module
