"""What a chunk may be called: sentences for chunks, paths under build/ for roots."""

from __future__ import annotations

import posixpath
import re
import unicodedata

FOLDER = "build"
MANIFEST = ".tangle.json"
_LONGEST = 200  # bytes of one part of a path, so that temporary files can be named too
_DEEPEST = 20  # folders below each other

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# What tools obey when a comment says it; a name becomes the comment `# Name`.
_DIRECTIVE = re.compile(
    r"coding[:=]\s*[-\w.]+|^!|(?:^|#\s*)(?:noqa\b|nosec\b|type:|fmt:\s*(?:off|on|skip)\b"
    r"|(?:flake8|isort|mypy|pragma|pylint|pyre|pyright|pytype|ruff|yapf):)",
    re.IGNORECASE,
)
_PATH = re.compile(
    r"(?:~?/|\.\.?[/\\]|[a-z]:[/\\]|build[/\\])|\S*[/\\]\S*$", re.IGNORECASE
)
_FORBIDDEN = re.compile(r'[<>:"|?*\\]')
_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE
)


def variant_fault(variant: str) -> str:
    """Return what is wrong with a variant's name, "" if nothing is."""
    if re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", variant):
        return ""
    return "a variant's name is lower-case words joined by hyphens, as in no-attention"


def name_fault(name: str) -> str:
    """Return what is wrong with a chunk's name, "" if nothing is."""
    if not name.strip():
        return "a chunk needs a name"
    if name != name.strip():
        return "blanks between the name and its << >>"
    if "<<" in name or ">>" in name:
        return "a name has no << or >> in it"
    if name.endswith(("+", "=")):
        return f'a name does not end in "{name[-1]}"'
    if _CONTROL.search(name):
        return "a name has no control characters"
    if is_path(name):
        return _path_fault(name)
    directive = _DIRECTIVE.search(name)
    if directive:
        found = directive[0].lstrip("# \t")
        return f'as a comment "{found}" would be a directive to Python or its tools'
    return ""


def is_path(name: str) -> bool:
    """Tell whether a name is meant as the path of a root, rather than a sentence."""
    return ("/" in name or "\\" in name) and bool(_PATH.match(name))


def root_path(name: str) -> str:
    """Return the normalised path, `build/...`, of a root named without fault."""
    return posixpath.normpath(name)


def same_path(path: str) -> str:
    """Return a key that is equal for paths that some file system holds for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def path_hint(name: str) -> str:
    """Return the path that was perhaps meant by a root's faulty name."""
    if not is_path(name):
        return ""
    parts = [part for part in name.replace("\\", "/").split("/") if part.strip(". ")]
    guess = "/".join([FOLDER, *parts[-1:]])
    return f"did you mean {guess}?" if not name_fault(guess) else ""


def _path_fault(name: str) -> str:
    components = root_path(name).split("/")
    if name.startswith("/") or "\\" in name or components[:1] != [FOLDER]:
        return f"a root lives under {FOLDER}/"
    if len(components) == 1 or name.endswith(("/", "/.", "/..")):
        return f"a root is a file under {FOLDER}/, and this names a folder"
    if len(components) > _DEEPEST:
        return f"a root lives at most {_DEEPEST} folders deep"
    for component in components[1:]:
        forbidden = _FORBIDDEN.search(component)
        if forbidden:
            return f'a file\'s name cannot hold "{forbidden[0]}" everywhere'
        if _DEVICE.fullmatch(component):
            return f'"{component}" is the name of a device on Windows'
        if component.endswith((".", " ")) or component.startswith(" "):
            return "a file's name neither begins with a blank nor ends in one or a dot"
        if component.casefold().startswith(".tangle"):
            return f"{MANIFEST} and names like it are the tangler's own"
        if len(component.encode("utf-8", "replace")) > _LONGEST:
            return f"a file's name has at most {_LONGEST} bytes"
    return ""
