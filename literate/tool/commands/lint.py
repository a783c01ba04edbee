"""Run ruff over the programs that a document holds; its findings show the document.

The programs are checked as the document says them now, whatever build/ holds, with the
settings that hold where the document is.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

from literate.core.blocks import split_lines
from literate.core.diagnostics import Problem
from literate.core.programs import Output, tangle
from literate.tool.command_line import Parser, UsageError, read_document
from literate.tool.outputs import differing


def main(path: str, arguments: list[str]) -> int:
    """Print what ruff finds in a document's programs; return 0 if that is nothing.

    Raises UsageError if ruff is not installed or refuses, and DocumentError.
    """
    options = _parser().parse_args(arguments)
    outputs = [output for output in tangle(read_document(path)) if output.is_python]
    problems = [*_findings(outputs, options), *_format_findings(outputs)]
    for problem in dict.fromkeys(problems):  # programs may share a chunk
        print(problem.as_json() if options.format == "json" else problem.render())
    return 1 if problems else 0


def _parser() -> Parser:
    parser = Parser("lint", __doc__)
    parser.add_argument("--select", metavar="RULES", help="check these rules alone")
    parser.add_argument("--ignore", metavar="RULES", help="leave these rules out")
    parser.add_argument(
        "--config", metavar="FILE", help="settings, or one of them, as ruff takes it"
    )
    parser.add_format()
    return parser


def _findings(outputs: list[Output], options: argparse.Namespace) -> Iterator[Problem]:
    """Yield what `ruff check` finds."""
    command = ["check", "--output-format=json"]
    for option in ("select", "ignore", "config"):
        value = getattr(options, option)
        command += [f"--{option}={value}"] if value is not None else []
    for output in outputs:
        done = _ruff(command, output)
        if done.returncode > 1:
            raise UsageError(f"ruff: {done.stderr.strip()}")
        for finding in json.loads(done.stdout):
            yield _problem(output, finding)


def _problem(output: Output, finding: dict) -> Problem:
    """Return a finding of ruff at the document's place."""
    row, column = finding["location"]["row"], finding["location"]["column"]
    end = finding["end_location"]
    length = end["column"] - column if end["row"] == row else 1
    message = f"{finding['code'] or 'syntax'}: {finding['message']}"
    return output.problem(row, column, length, message)


def _format_findings(outputs: list[Output]) -> Iterator[Problem]:
    """Yield where `ruff format` would change a line."""
    for output in outputs:
        done = _ruff(["format"], output)
        if done.returncode:
            continue  # what does not parse is reported by the check
        new = split_lines(done.stdout)
        for start, _, new_start, new_end in differing(split_lines(output.text), new):
            message, hint = "not as ruff formats it", "it would write:"
            problem = output.problem(start + 1, 1, 1, message, hint)
            yield replace(problem, detail="".join(new[new_start:new_end]).rstrip("\n"))


def _ruff(arguments: list[str], output: Output) -> subprocess.CompletedProcess[str]:
    """Give an output to ruff, with the settings that hold where the document is."""
    folder = os.path.dirname(output.document.name)
    name = os.path.join(folder, *output.path.split("/"))
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *arguments, "--stdin-filename", name, "-"],
        input=output.text.encode(),
        capture_output=True,
    )
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    if "No module named ruff" in done.stderr:
        raise UsageError("ruff is not installed; pip install -e '.[dev]' brings it")
    return done
