"""The other forms of a program: with its prose as comments, and as a notebook.

They are made for the root that has the document's own name, `build/microgpt.py` for
microgpt.md. To make them takes as long as to tangle, so they are made again only when
the document has changed.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from literate.core.document import Document
from literate.core.programs import Output, tangle

_MAKERS = ("commented", "notebook", "order")


class Form:
    """A file made from a document and its program; `key` changes whenever they do."""

    def __init__(
        self, output: Output, path: str, make: Callable[[Output], str], key: str
    ) -> None:
        self.output = output
        self.path = path
        self.key = key
        self._make = make
        self._text: str | None = None

    @property
    def text(self) -> str:
        """The file's contents, made when they are first asked for."""
        if self._text is None:
            self._text = self._make(self.output)
        return self._text


def outputs_and_forms(
    document: Document, variant: str | None = None
) -> list[Output | Form]:
    """Return all files that a document makes; a variant has no other forms.

    Raises what `tangle` raises.
    """
    outputs = tangle(document, variant)
    return outputs if variant else [*outputs, *_forms(document, outputs)]


def _forms(document: Document, outputs: list[Output]) -> list[Form]:
    stem = os.path.splitext(os.path.basename(document.name))[0]
    paths = {output.path for output in outputs}
    for output in outputs:
        if output.path == f"build/{stem}.py":
            key = _key(document)
            forms = [
                Form(output, f"build/{stem}_commented.py", _commented, key),
                Form(output, f"build/{stem}.ipynb", _notebook, key),
            ]
            return [form for form in forms if form.path not in paths]
    return []


def _commented(output: Output) -> str:
    from literate.tool import commented

    return commented.make(output)[0]


def _notebook(output: Output) -> str:
    from literate.tool import notebook

    return notebook.make(output)[0]


def _key(document: Document) -> str:
    """Return what tells a document, and the makers of its forms, from earlier ones."""
    folder = os.path.dirname(__file__)
    makers = [os.path.join(folder, f"{name}.py") for name in _MAKERS]
    stamps = [str(os.stat(maker).st_mtime_ns) for maker in makers]
    text = "\n".join([document.name, *stamps, *document.lines])
    return f"from {fingerprint(text.encode())}"


def fingerprint(contents: bytes) -> str:
    """Return what tells some contents from all others."""
    try:
        from _blake2 import blake2b  # hashlib's own, without loading OpenSSL before it
    except ImportError:
        from hashlib import blake2b
    return blake2b(contents, digest_size=16).hexdigest()
