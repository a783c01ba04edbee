"""Run the sessions that a document shows, and compare what they print."""

from __future__ import annotations

import argparse
from contextlib import suppress

from literate.core.diagnostics import DocumentError, did_you_mean
from literate.core.document import Document, parse
from literate.core.interpreter import Checker
from literate.core.sessions import Session, find_sessions
from literate.tool.command_line import Parser, UsageError, read, shown, write
from literate.tool.results import TIMEOUT, Result, results


def main(path: str, arguments: list[str]) -> int:
    """Verify a document; return the exit status, 0 if every example is kept.

    Raises UsageError, DocumentError with every example that is not, and OutputError.
    """
    options = _parser().parse_args(arguments)
    text = read(path)
    document = parse(text, shown(path))
    sessions, problems = find_sessions(document)
    if options.chapter:
        sessions = _in_chapter(sessions, " ".join(options.chapter))
    found = results(document, sessions, options.timeout)
    if options.update:
        new = updated(document, found)
        count = sum(result.printed is not None for result in found)
        if count:
            write(path, text, new)
        print(f"{document.name}: {_counted(count, 'output')} updated")
    problems += [result.problem for result in found if result.problem]
    if problems:
        raise DocumentError(problems)
    if not options.update:
        examples = _counted(len(found), "example")
        count = _counted(len(sessions), "session")
        print(f"{document.name}: {examples} in {count} print what is shown")
    return 0


def _parser() -> Parser:
    parser = Parser("verify", __doc__)
    add = parser.add_argument
    add(
        "chapter",
        nargs="*",
        metavar="CHAPTER",
        help="run only the chapters whose title has these words",
    )
    add(
        "--update",
        action="store_true",
        help="put what is printed into the document, in place of what is shown",
    )
    add(
        "--timeout",
        metavar="SECONDS",
        type=_seconds,
        default=TIMEOUT,
        help="how long one session may take (default: %(default)s)",
    )
    parser.add_format()
    return parser


def updated(document: Document, found: list[Result]) -> str:
    """Return the document's text, what was printed in the place of what was shown.

    A result whose output is put there loses its `problem`. An output that would be read
    as something else stays out, and the problem of its result says so.
    """
    lines = list(document.lines)
    for result in reversed(found):  # from the end, so that the indices stay right
        if result.printed is None:
            continue
        typed = lines[result.example.lineno]
        margin = " " * result.example.indent
        ending = typed[len(typed.rstrip("\r\n")) :]
        new = [margin + line + ending for line in result.lines()]
        if _is_read_back(document, result, new):
            shown = result.session.shown(result.example)
            lines[shown.start : shown.stop] = new
            result.problem = None
        else:
            message = "prints what cannot be shown here: it would not be read as output"
            result.problem = document.problem(result.example.lineno, 0, 1, message)
            result.printed = None
    return "".join(lines)


def _is_read_back(document: Document, result: Result, new: list[str]) -> bool:
    """Tell whether lines are read as output: not as a fence, a prompt, a header."""
    session, lines = result.session, document.lines
    shown = session.shown(result.example)
    before = lines[session.line - 1 : shown.start]
    after = lines[shown.stop : session.line + len(session.lines) + 1]
    block = parse("".join([*before, *new, *after]), document.name)
    sessions, problems = find_sessions(block)
    if block.problems or problems or len(sessions) != 1:
        return False
    examples = sessions[0].examples
    if [e.source for e in examples] != [e.source for e in session.examples]:
        return False
    want = examples[session.examples.index(result.example)].want
    return Checker().check_output(want, result.printed, 0)


def _in_chapter(sessions: list[Session], words: str) -> list[Session]:
    """Return the sessions of the chapters that have words in their title."""
    titles = {s.chapter.text for s in sessions if s.chapter}
    wanted = [title for title in titles if words.casefold() in title.casefold()]
    if not wanted:
        hint = did_you_mean(words, titles) or "see --list for the chapters"
        raise UsageError(f"no chapter with sessions has {words} in its title", hint)
    return [s for s in sessions if s.chapter and s.chapter.text in wanted]


def _seconds(text: str) -> float:
    with suppress(ValueError):
        if 0 < float(text) < float("inf"):
            return float(text)
    raise argparse.ArgumentTypeError(f"it is a number of seconds, not {text}")


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
