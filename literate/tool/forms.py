"""The other forms of a program: with its prose as comments, and as a notebook.

They are made for the root that has the document's own name, `build/microgpt.py` for
microgpt.md.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from literate.core.document import Document
from literate.core.names import same_path
from literate.core.programs import Output, check_syntax, tangle
from literate.tool import commented, notebook


@dataclass
class Form:
    """A file, `build/...`, that tells a document and its program in another way.

    `origins` are the lines of the document, from 1, that its lines come from, or None;
    nobody asks for those of a notebook.
    """

    path: str
    text: str
    origins: list[int | None] = field(default_factory=list)


def outputs_and_forms(
    document: Document, variant: str | None = None
) -> list[Output | Form]:
    """Return all files that a document makes; a variant has no other forms.

    Raises what `tangle` and `check_syntax` raise.
    """
    outputs = tangle(document, variant)
    check_syntax(outputs)
    stem = os.path.splitext(os.path.basename(document.name))[0]
    found = [output for output in outputs if output.path == f"build/{stem}.py"]
    if variant or not found:
        return outputs
    forms = [
        Form(f"build/{stem}_commented.py", *commented.make(found[0])),
        Form(f"build/{stem}.ipynb", notebook.make(found[0], outputs)),
    ]
    return [*outputs, *(form for form in forms if not _is_taken(form.path, outputs))]


def _is_taken(path: str, outputs: list[Output]) -> bool:
    """Tell whether a root has a form's place, or needs it for a folder."""
    key = same_path(path)
    return any(f"{same_path(output.path)}/".startswith(f"{key}/") for output in outputs)
