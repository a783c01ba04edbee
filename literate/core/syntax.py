"""What a header and a reference look like, and what only nearly looks like one.

A header is the first line of a fenced block, `# <<Name>>=`; a reference is a whole
line of code, `# <<Name>>`. A near miss is a fault, so that no slip becomes a comment.
"""

from __future__ import annotations

import re

from literate.core.diagnostics import Fault, did_you_mean

_HASH = """
    bash dockerfile ini make makefile perl py python r ruby sh shell toml yaml yml zsh
"""
_SLASHES = """
    c c++ cpp csharp go java javascript js kotlin rust swift ts typescript
"""
PYTHON = ("py", "python")
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

# A line that is or was meant as a header: a comment that begins with << or <, or ends
# with > or >>, and then with = or what may be a slip for it; without a leader, hardly
# anything else.
_HEADER_LIKE = re.compile(
    r"\s*(?:#+|//+|--+)\s*"
    r"(?:<<(?P<name>.*)>>(?P<rest>[ \t]*[-+:*]?[ \t]*=)(?P<tail>.*)"
    r"|(?P<slip><<?(?!<).*=|[^<>]*>>?[ \t]*[-+:*]?=)[ \t]*(?:\(.*)?$)"
    r"|\s*<<(?P<bare>[^<>]*)>>\+?=[ \t]*(?:\(.*)?$"
)
# A line that is nothing but a name in << >>, or a header, with some language's leader
# or none; with a leader one bracket may be missing.
_LONE = re.compile(
    r"(\s*(?:#+|//+|--+)\s*)(\\*)"
    r"((?:<<[^<>]*>>?|<[^<>]*>>|<<.*>>[ \t]*[-+:*]?[ \t]*=.*)[ \t]*)$"
    r"|(\s*)(\\*)(<<[^<>]*>>(?:\+?=[ \t]*(?:\(.*)?)?[ \t]*)$"
)
# What stands before a header in a list or a block quote.
_CONTAINERS = re.compile(r"(?:[ \t>]|(?:[-+*]|[0-9]{1,9}[.)])[ \t]+)*")
_DEFINES = re.compile(r"[ \t]*(?:async[ \t]+def|def|class)[ \t]|[ \t]*@")


def names_in(source: str) -> list[str]:
    """Return whatever stands in << >> in a line, a bracket missing or not."""
    return re.findall(r"<<?(.*?)>>?", source)


def variant_in(source: str) -> str | None:
    """Return the variant that a faulty header names, None if it names none."""
    match = re.search(r"\(variant ([a-z0-9-]+)\)", source)
    return match[1] if match else None


def header_like(source: str) -> re.Match[str] | None:
    """Match a fenced block's first line if it is a header or was meant as one."""
    return _HEADER_LIKE.match(source) if "<" in source or ">" in source else None


def is_stray_header(source: str) -> bool:
    """Tell whether a line where no header may stand is one all the same."""
    like = header_like(source)
    return like is not None and like["slip"] is None


def is_header_in_prose(source: str) -> bool:
    """Tell whether a line outside of fenced blocks was meant as a header."""
    return is_stray_header(source[_CONTAINERS.match(source).end() :])


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
    hint = did_you_mean(info, LEADERS) or f"known are {', '.join(LEADERS)}"
    message = f'no chunk can be in "{info}": its comments are not known'
    return Fault(0, len(info), message, hint)


def header_fault(source: str, like: re.Match[str], language: str) -> Fault:
    """Return the fault of a line, matched by `header_like`, that is not quite a header.

    Whatever the slip is, the hint shows the header that was perhaps meant.
    """
    leader = LEADERS[language]
    slip = (like["slip"] or "").strip("<>= \t-+:*")
    name = (like["name"] or like["bare"] or slip or "Some name").strip()
    more = "+" if "+" in (like["rest"] or like["slip"] or "") else ""
    variant = " (variant some-name)" if "(" in (like["tail"] or "") else ""
    right = f"{leader} <<{name}>>{more}={variant}"
    hint = f"write {right} at the margin, with one space, and nothing behind it"
    return Fault(0, len(source.rstrip()), f"not quite a header in {language}", hint)


def unended_header(source: str, leader: str) -> Fault:
    """Return the fault of a first line that is a header but for the = at its end."""
    name, start = names_in(source)[0].strip(), source.index("<<")
    message = "a header ends in = or +=, and nothing can be put here"
    hint = f"write {leader} <<{name}>>=; where no chunk is meant, write \\<<"
    return Fault(start, len(source.rstrip()) - start, message, hint)


def reference_fault(source: str, leader: str, language: str) -> Fault | None:
    """Return the fault of a line that is not quite a reference.

    None if no reference was meant.
    """
    comments = re.finditer(_comment(leader), source)
    meant = [match[3] for match in comments if not match[2]]
    lone = _LONE.match(source)
    if not meant and (not lone or lone[2] or lone[5]):
        return None
    start, text = len(source) - len(source.lstrip()), source.strip()
    name = names_in((*meant, text)[0])[0].strip()
    hint = f"write {leader} <<{name}>> alone on the line, with one space"
    hint += "; where no reference is meant, write \\<<"
    return Fault(start, len(text), f"not quite a reference in {language}", hint)


def without_backslashes(line: str, leader: str) -> str:
    """Return a line of code with one backslash less in \\<<...>> after a leader."""
    if "\\<" not in line:
        return line
    source = line.rstrip("\r\n")
    shorter = re.sub(_comment(leader), _shorten, source)
    if shorter == source:
        shorter = _LONE.sub(_shorten_lone, source)
    return shorter + line[len(source) :]


def with_backslashes(line: str, leader: str) -> str:
    """Return a line of code in which no << >> is a reference: the other way round."""
    if "<" not in line:
        return line
    longer = re.sub(_comment(leader), r"\1\\\2\3", line)
    source = line.rstrip("\r\n")
    if longer == line:
        longer = _LONE.sub(r"\1\4\\\2\5\3\6", source) + line[len(source) :]
    return longer


def has_own_name(line: str) -> bool:
    """Tell whether a line of Python begins a function or a class, which it names."""
    return _DEFINES.match(line) is not None


def _comment(leader: str) -> str:
    """Return the pattern of what could be a reference, with backslashes before <<."""
    return rf"({leader}\s*)(\\*)(<<.*?>>)"


def _shorten(match: re.Match[str]) -> str:
    return match[1] + match[2][1:] + match[3]


def _shorten_lone(match: re.Match[str]) -> str:
    before, backslashes, name = match.groups()[:3] if match[3] else match.groups()[3:]
    return before + backslashes[1:] + name
