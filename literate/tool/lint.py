"""Run ruff over the programs that a document holds; its findings show the document.

usage: python tangle.py [DOCUMENT.md] lint [OPTIONS of ruff check]

The programs are checked as the document says them now, whatever build/ holds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace

from literate.core.diagnostics import Problem
from literate.core.document import Document
from literate.core.programs import Output, tangle
from literate.tool.command_line import UsageError, parse_options, read_document


def main(path: str, arguments: list[str]) -> int:
    """Print what ruff finds in a document's programs; return 0 if that is nothing.

    Raises UsageError if ruff is not installed or refuses, and DocumentError.
    """
    wants_json = "--format=json" in arguments
    arguments = [word for word in arguments if word != "--format=json"]
    if arguments[:1] in (["-h"], ["--help"]):
        parse_options(arguments, __doc__)
    document = read_document(path)
    outputs = [output for output in tangle(document) if output.path.endswith(".py")]
    problems = _check(document, outputs, arguments) + _check_format(document, outputs)
    for problem in problems:
        print(problem.as_json() if wants_json else problem.render())
    return 1 if problems else 0


def _check(
    document: Document, outputs: list[Output], arguments: list[str]
) -> list[Problem]:
    """Return what `ruff check` finds."""
    problems = []
    for output in outputs:
        command = ["check", "--output-format=json", *arguments]
        done = _ruff(command, document, output)
        if done.returncode > 1 or not done.stdout.startswith("["):
            raise UsageError(f"ruff: {done.stderr.strip()}")
        for finding in json.loads(done.stdout):
            problems.append(_problem(document, output, finding))
    return problems


def _problem(document: Document, output: Output, finding: dict) -> Problem:
    """Return a finding of ruff at the document's place."""
    row, column = finding["location"]["row"], finding["location"]["column"]
    origin = output.origin(max(1, min(row, output.last_line)), column)
    end = finding["end_location"]
    length = end["column"] - column if end["row"] == row else 1
    message = f"{finding['code'] or 'syntax'}: {finding['message']}"
    return document.problem(origin.line - 1, origin.column - 1, max(1, length), message)


def _check_format(document: Document, outputs: list[Output]) -> list[Problem]:
    """Return where `ruff format` would change a line."""
    from literate.core.blocks import split_lines
    from literate.tool.outputs import differing

    problems = []
    for output in outputs:
        done = _ruff(["format"], document, output)
        if done.returncode:
            continue  # what does not parse is reported above
        new = split_lines(done.stdout)
        for start, _, new_start, new_end in differing(split_lines(output.text), new):
            origin = output.origin(min(start + 1, output.text.count("\n")))
            wanted = "".join(new[new_start:new_end])
            problem = document.problem(
                origin.line - 1, 0, 1, "not as ruff formats it", "it would write:"
            )
            problems.append(replace(problem, detail=wanted.rstrip("\n")))
    return problems


def _ruff(
    arguments: list[str], document: Document, output: Output
) -> subprocess.CompletedProcess[str]:
    """Give an output to ruff, with the settings that hold where the document is."""
    name = os.path.join(os.path.dirname(document.name), *output.path.split("/"))
    command = [sys.executable, "-m", "ruff", *arguments, "--stdin-filename", name, "-"]
    with tempfile.TemporaryFile() as text:
        text.write(output.text.encode())
        text.seek(0)
        done = subprocess.run(
            command, stdin=text, capture_output=True, encoding="utf-8"
        )
    if "No module named ruff" in done.stderr:
        raise UsageError("ruff is not installed; pip install -e '.[dev]' brings it")
    return done
