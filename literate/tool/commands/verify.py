"""Run the sessions that a document shows, and compare what they print."""

from __future__ import annotations

import threading

from literate.core.diagnostics import DocumentError
from literate.core.document import Document, parse
from literate.core.sessions import TIMEOUT, Bench, Result, Session, find_sessions
from literate.tool.command_line import Parser, read, shown
from literate.tool.outputs import replace_file


def main(path: str, arguments: list[str]) -> int:
    """Verify a document; return the exit status, 0 if every promise is kept.

    Raises UsageError, DocumentError with every promise that is broken, and OutputError.
    """
    options = _parser().parse_args(arguments)
    text = read(path)
    document = parse(text, shown(path))
    with Bench(document, options.timeout) as bench:
        results = [
            result for session in bench.sessions for result in bench.results(session)
        ]
    problems = [result.problem for result in results if result.problem]
    if options.update:
        broken = [result for result in results if result.printed is not None]
        problems = [r.problem for r in results if r.problem and r.printed is None]
        if broken:
            new = updated(document, bench.sessions, broken)
            mark = "\ufeff" if text.startswith("\ufeff") else ""
            replace_file(path, text.encode(), (mark + new).encode())
        print(f"{document.name}: {_counted(len(broken), 'output')} updated")
    problems += bench.problems
    if problems:
        raise DocumentError(problems)
    if not options.update:
        examples = _counted(len(results), "example")
        sessions = _counted(len(bench.sessions), "session")
        print(f"{document.name}: {examples} in {sessions} print what is shown")
    return 0


def _parser() -> Parser:
    parser = Parser("verify", __doc__)
    add = parser.add_argument
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


def updated(document: Document, sessions: list[Session], broken: list[Result]) -> str:
    """Return the document's text, what was printed in the place of what was shown.

    Raises DocumentError if the document could not be read again as it was, because an
    output looks like a fence, or like something typed.
    """
    lines = list(document.lines)
    for result in sorted(broken, key=lambda result: -result.promise.index):
        promise = result.promise
        first = document.lines[promise.index]
        ending = first[len(first.rstrip("\r\n")) :]
        margin = first[: len(first) - len(first.lstrip(" \t"))]
        start = promise.index + promise.typed
        lines[start : start + promise.shown] = [
            (margin + line if line else line) + ending
            for line in result.printed.split("\n")[:-1]
        ]
        again, _ = find_sessions(parse("".join(lines), document.name))
        if _typed(again) != _typed(sessions):
            message = "prints what cannot be shown here: a fence, or a prompt"
            raise DocumentError([document.problem(promise.index, 0, 1, message)])
    return "".join(lines)


def _typed(sessions: list[Session]) -> list[list[str]]:
    return [[promise.source for promise in session.promises] for session in sessions]


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < threading.TIMEOUT_MAX:
        raise ValueError
    return seconds
