"""What a header and a reference look like, and what only nearly looks like one.

A header is the first line of a fenced block, `# <<Name>>=`; a reference is a whole
line of code, `# <<Name>>`. A near miss is a fault, so that no slip becomes a comment.
"""

from __future__ import annotations

import re
from collections import namedtuple

from literate.core.diagnostics import nearest

_HASH = """
    bash dockerfile ini make makefile perl py python r ruby sh shell toml yaml yml zsh
"""
_SLASHES = """
    c c++ cpp csharp go java javascript js kotlin rust swift ts typescript
"""
DATA = ("text", "txt")  # in these languages nothing is a reference
# A language's comment leader; it begins the header and the references of a chunk.
LEADERS = {
    **dict.fromkeys(_HASH.split(), "#"),
    **dict.fromkeys(DATA, "#"),
    **dict.fromkeys(_SLASHES.split(), "//"),
    **dict.fromkeys(("haskell", "lua", "sql"), "--"),
}

# leader, name, "+" or "", variant or None
HEADER = re.compile(r"(#|//|--) <<(.*)>>(\+?)=(?: \(variant ([^()]*)\))?[ \t]*$")
# indentation, leader, name, line ending
REFERENCE = re.compile(r"([ \t]*)(#|//|--) <<([^\r\n]*)>>[ \t]*([\r\n]*)$")

# The patterns below are compiled by `re` when they are first used.
_NAME = r"<<(.*?)>>"
_VARIANT = r"\(variant ([a-z0-9-]+)\)"
# What was meant as a header: with a leader whatever follows, without one hardly any.
_HEADER_LIKE = (
    r"(?P<indent>[ \t]*)(?P<leader>#+|//+|--+)(?P<blank>[ \t]*)"
    r"<<(?P<name>.*)>>[ \t]*\+?[ \t]*=(?P<tail>.*)"
    r"|[ \t]*<<(?P<bare>[^<>]*)>>\+?=[ \t]*(?:\(.*)?$"
)
# A line that is nothing but a name in << >>, with some language's leader or none.
_LONE = r"([ \t]*(?:(?:#+|//+|--+)[ \t]*)?)(\\*)(<<[^<>]*>>[ \t]*)$"
# What stands before a header in a list or a block quote.
_CONTAINERS = r"(?:[ \t>]|(?:[-+*]|[0-9]{1,9}[.)])[ \t]+)*"


class Fault(namedtuple("Fault", "start length message hint", defaults=[""])):
    """What is wrong in a line: from which column (from 0), how long, what to do."""

    __slots__ = ()


def names_in(source: str) -> list[str]:
    """Return whatever stands between << and >> in a line."""
    return re.findall(_NAME, source)


def variant_in(source: str) -> str | None:
    """Return the variant that a faulty header names, None if it names none."""
    match = re.search(_VARIANT, source)
    return match[1] if match else None


def header_like(source: str) -> re.Match[str] | None:
    """Match a line that is a header or was meant as one."""
    return re.match(_HEADER_LIKE, source)


def is_header_in_prose(source: str) -> bool:
    """Tell whether a line outside of top-level fences was meant as a header."""
    return header_like(source[re.match(_CONTAINERS, source).end() :]) is not None


def stray_header(source: str, where: str) -> Fault:
    """Return the fault of a header where none may be; `where` is said to the reader."""
    start = source.index("<<")
    return Fault(
        start,
        len(source.rstrip()) - start,
        f"a chunk's header {where}",
        "a header is the first line of a fenced block that is inside of nothing; "
        "where none is meant, write \\<<",
    )


def language_fault(info: str, mark: str) -> Fault:
    """Return the fault of an info string that no chunk's fence can have."""
    if not info:
        message = "the fenced block of a chunk names its language"
        return Fault(0, 1, message, f"write {mark}python, or {mark}text for data")
    if len(info.split()) > 1:
        message = "the fenced block of a chunk has a bare language and nothing else"
        return Fault(0, len(info), message, f"write {mark}{info.split()[0]}")
    near = nearest(info, LEADERS)
    hint = f'did you mean "{near}"?' if near else f"known are {', '.join(LEADERS)}"
    message = f'no chunk can be in "{info}": its comments are not known'
    return Fault(0, len(info), message, hint)


def header_fault(source: str, like: re.Match[str], language: str) -> Fault:
    """Return in which way a line, matched by `header_like`, is not quite a header."""
    leader = LEADERS[language]
    right = f"{leader} <<{(like['name'] or like['bare'] or '').strip()}>>="
    end = len(source.rstrip())
    if like["leader"] != leader:
        wrong = like["leader"] or "<<"
        start, end = source.index(wrong), source.index(wrong) + len(wrong)
        message = f'a header in {language} begins with "{leader} "'
    elif like["indent"]:
        start, end = 0, len(like["indent"])
        message = "a header is not indented"
    elif like["blank"] != " ":
        start, end = 0, source.index("<<")
        message = f'between "{leader}" and << there is one space'
    elif like["tail"].strip():
        start = end - len(like["tail"].strip())
        message = "text after the name"
        if "(" in like["tail"]:
            right += " (variant some-name)"
    else:
        start = source.rindex(">>") + 2
        message = "blanks after the name"
    return Fault(start, end - start, message, f"write {right}")


def reference_fault(source: str, leader: str, language: str) -> Fault | None:
    """Return in which way a line is not quite a reference; None if none was meant."""
    for match in re.finditer(_comment(leader), source):
        if not match[2]:
            return _comment_fault(source, match, leader)
    lone = re.match(_LONE, source)
    if not lone or lone[2]:
        return None
    start, text = len(source) - len(source.lstrip()), source.strip()
    message = f'a reference in {language} begins with "{leader} "'
    return Fault(start, len(text), message, _reference_hint(leader, text))


def without_backslashes(line: str, leader: str) -> str:
    """Return a line of code with one backslash less in \\<<...>> after a leader."""
    if "\\<<" not in line:
        return line
    source = line.rstrip("\r\n")
    shorter = re.sub(_comment(leader), _shorten, source)
    if shorter == source:
        shorter = re.sub(_LONE, _shorten, source)
    return shorter + line[len(source) :]


def _comment(leader: str) -> str:
    """Return the pattern of what could be a reference, with backslashes before <<."""
    return rf"({leader}[ \t]*)(\\*)(<<.*?>>)"


def _shorten(match: re.Match[str]) -> str:
    return match[1] + match[2][1:] + match[3]


def _comment_fault(source: str, match: re.Match[str], leader: str) -> Fault:
    before, after = source[: match.start()].strip(), source[match.end() :].strip()
    start, end = match.start(), len(source.rstrip())
    if before and before.strip(leader[0]):
        message = "a reference stands alone on its line"
    elif after:
        message = "text after the reference"
        start = end - len(after)
    else:
        start = len(source) - len(source.lstrip())
        message = f'a reference has "{leader}", one space and the name in << >>'
    return Fault(start, end - start, message, _reference_hint(leader, match[3]))


def _reference_hint(leader: str, text: str) -> str:
    name = names_in(text)[0].strip()
    return f"write {leader} <<{name}>>; where no reference is meant, write \\<<"
