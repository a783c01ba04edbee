"""Say at which number a port of microgpt first goes wrong.

    python conformance/check.py [OPTIONS] -- COMMAND [ARGUMENT ...]

COMMAND starts the port. It reads requests from standard input and writes answers to
standard output, each a line of JSON; the chapter "In your own language" of microgpt.md
describes them. The levels are checked in the order of LEVELS, and the first number that
differs ends the check.

Exit status: 0 if all that the port offers holds, 1 if something differs, 2 if the
command line is wrong or the port cannot be spoken with.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import json
import math
import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections import deque
from dataclasses import dataclass
from itertools import repeat, zip_longest
from pathlib import Path

CASES = Path(__file__).resolve().parent / "cases"
LEVELS = ("forward", "loss", "gradients", "adam", "draw", "names", "seed")
FIRST = {"forward", "loss"}  # one of these every port offers

# A number may be off by this, times the largest of the numbers beside it. In the cases,
# fewer than 2**13 roundings lie behind a number: 3 layers, forwards and backwards, with
# 10 sums each, of 32 products. Each errs by at most 2**-53 of it in float64, and by
# 2**-24 in float32.
FLOAT64, FLOAT32 = 2**13 * 2**-53, 2**13 * 2**-24

LONGEST = 10_000_000  # bytes of an answer
PATIENCE = 60.0  # seconds for an answer

NORM = "divided by sqrt(the mean of the squares + 1e-5)"
RULES = {  # by level and name: how the numbers are made
    "forward": {
        "embedded": "the token's row of wte + the position's row of wpe",
        "normed": f"the stream, {NORM}",
        "query": "attn_wq times normed",
        "key": "attn_wk times normed",
        "value": "attn_wv times normed",
        "scores": "in each head, query . key / sqrt(n_embd / n_head), "
        "for each position up to this one",
        "weights": "the softmax of a head's scores",
        "found": "in each head, the values times their weights, added up",
        "mixed": "attn_wo times found",
        "attended": "the stream + mixed",
        "normed_again": f"attended, {NORM}",
        "hidden": "mlp_fc1 times normed_again",
        "active": "hidden, or 0 where that is below 0",
        "thought": "mlp_fc2 times active",
        "left": "attended + thought",
        "logits": "lm_head times the stream that leaves the last layer",
        "probs": "the softmax of the logits",
    },
    "loss": {
        "surprises": "-log of the probability of the token that comes next",
        "loss": "the mean of the surprises, of at most block_size positions",
    },
    "gradients": {
        "lm_head": "(probs - 1 at the token that came) / positions, times the stream",
        "mlp_fc2": "the slopes of the stream after the layer, times active",
        "mlp_fc1": "the slopes behind mlp_fc2, where hidden is above 0, and else 0; "
        "times normed_again",
        "attn_wo": "the slopes of attended (straight ahead, and through the norm, "
        "whose divisor depends on attended too), times found",
        "attn_wv": "the slopes of value, from this and every later position, "
        "times normed",
        "attn_wk": "the slopes of key, from this and every later position, "
        "times normed",
        "attn_wq": "the slopes of query, through softmax and the root, times normed",
        "wpe": "the slopes of embedded, through both norms and past them",
        "wte": "the slopes of embedded, added up where a token comes more than once",
    },
    "adam": {
        "loss": "the loss of the step's document, before the step",
        "m": "0.85 m + 0.15 slope; each step begins with slopes of 0",
        "v": "0.99 v + 0.01 slope * slope",
        "weights": "weight - rate * (m / (1 - 0.85**t)) / (sqrt(v / (1 - 0.99**t)) "
        "+ 1e-8) at step t = 1, 2, ...; rate = learning_rate * (1 - (t - 1) / steps)",
    },
    "draw": {
        "probs": "the softmax of the logits, each divided by the temperature first",
        "drawn": "the first token at which the running sum of the probabilities is "
        "greater than the uniform number times their whole sum",
    },
    "names": {
        "drawn": "from BOS on, a token and a uniform number a position, until BOS is "
        "drawn or block_size tokens are",
    },
    "seed": {
        "tokens": "the documents as they are shuffled, each with BOS at both ends",
        "weights": "Gaussians of deviation 0.08, drawn after the shuffle",
        "losses": "the loss of each step, on the shuffled documents in turn",
        "drawn": "the names after the training, by the same generator",
    },
}

Numbers = list[float]
Answer = dict[str, Numbers]


class PortError(Exception):
    """The port cannot be spoken with; the message says why."""


class UsageError(Exception):
    """The command line is wrong; the message says why."""


# How to speak with a port


class Port:
    """A port that runs, and ends with the block in which it is used."""

    def __init__(self, command: list[str], patience: float) -> None:
        """Start a command; each answer may take `patience` seconds.

        Raises PortError if it cannot be started.
        """
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        try:
            self.process = subprocess.Popen(command, start_new_session=True, **pipes)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise PortError(f"cannot be started: {reason}") from None
        self.patience, self.asked = patience, 0
        self.requests: queue.Queue[bytes | None] = queue.Queue()
        self.answers: queue.Queue[bytes] = queue.Queue(maxsize=1)
        self.said: deque[bytes] = deque(maxlen=20)
        self.listening = threading.Thread(target=self._listen, daemon=True)
        self.listening.start()
        for work in (self._write, self._read):
            threading.Thread(target=work, daemon=True).start()

    def __enter__(self) -> Port:
        return self

    def __exit__(self, *_) -> None:
        """Let the port end by itself, for a second; then end it and what it started."""
        self.requests.put(None)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(1)
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
        self.process.wait()

    def ask(self, level: str, given: dict) -> Answer:
        """Return the port's answer to a request; raises PortError if there is none."""
        self.asked += 1
        request = {"id": self.asked, "do": level, **given}
        self.requests.put(json.dumps(request).encode() + b"\n")
        try:
            line = self.answers.get(timeout=self.patience)
        except queue.Empty:
            raise PortError(f"gives no answer within {self.patience:g} s") from None
        if not line:
            raise PortError(self._ending())
        if len(line) > LONGEST:
            raise PortError(f"answers with a line of more than {LONGEST:,} bytes")
        return read_answer(line, self.asked)

    def _write(self) -> None:
        """Hand the requests on, until there is None or the port listens no more."""
        with contextlib.suppress(OSError), self.process.stdin as stream:
            for request in iter(self.requests.get, None):
                stream.write(request)
                stream.flush()

    def _read(self) -> None:
        """Hand the answers on, one at a time; b"" says that there are no more."""
        with self.process.stdout as stream:
            for line in iter(lambda: stream.readline(LONGEST + 1), b""):
                self.answers.put(line)
        self.answers.put(b"")

    def _listen(self) -> None:
        """Keep the last lines of standard error."""
        with self.process.stderr as stream:
            for line in iter(lambda: stream.readline(1000), b""):
                if line.strip():
                    self.said.append(line)

    def _ending(self) -> str:
        """Say how the port has ended, and what it said last."""
        try:
            status = self.process.wait(1)
        except subprocess.TimeoutExpired:
            return "closes its standard output without an answer"
        self.listening.join(1)
        ending = f"ends with exit status {status}"
        if status < 0:
            ending = f"is ended by signal {-status}"
        errors = [line for line in self.said if re.search(rb"(?i)error|panic", line)]
        for line in (errors or [*self.said])[-1:]:
            ending += f": {shown(line)}"
        return ending


def read_answer(line: bytes, number: int) -> Answer:
    """Return the lists of numbers in an answer to the request of this number.

    What is no number (JavaScript writes null, C nan) becomes NaN. Raises PortError if
    it is no such answer.
    """
    words = {"nan": "NaN", "-nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    try:
        text = re.sub(r"-?\b(nan|inf)\b", lambda word: words[word[0]], line.decode())
        answer = json.loads(text, parse_int=float)
    except (ValueError, RecursionError):
        raise PortError(f"answers with what is no JSON: {shown(line)}") from None
    if not isinstance(answer, dict) or "id" not in answer:
        raise PortError(f'answers with no object that has an "id": {shown(line)}')
    if answer.pop("id") != number:
        raise PortError(f"answers another request than number {number}: {shown(line)}")
    for name, numbers in answer.items():
        if not isinstance(numbers, list) or {*map(type, numbers)} - {float, type(None)}:
            raise PortError(f'answers with a "{name}" that is no flat list of numbers')
        answer[name] = [math.nan if n is None else n for n in numbers]
    return answer


def shown(line: bytes) -> str:
    """Return the beginning of what a port has written, to be shown in a line."""
    text = line.strip().decode(errors="replace")
    return ascii(text if len(text) <= 200 else f"{text[:200]}...")


# What differs


class Case:
    """What is given to a port, and what it is expected to answer at each level."""

    def __init__(self, content: dict) -> None:
        self.about: str = content["about"]
        self.given: dict = content["given"]
        self.expected: dict[str, Answer] = content["expected"]
        self.letters = [*map(repr, self.given["chars"]), "BOS"]  # by token

    @property
    def positions(self) -> int:
        """The number of positions at which the first document is read."""
        return min(self.given["block_size"], self.given["lengths"][0] - 1)

    def matrices(self) -> dict[str, tuple[int, int]]:
        """Return {name: (rows, columns)} of the model, in the order of `weights`."""
        n, v = self.given["n_embd"], self.given["vocab_size"]
        shapes = {
            "wte": (v, n),
            "wpe": (self.given["block_size"], n),
            "lm_head": (v, n),
        }
        for i in range(self.given["n_layer"]):
            for name in ("attn_wq", "attn_wk", "attn_wv", "attn_wo"):
                shapes[f"layer{i}.{name}"] = n, n
            shapes[f"layer{i}.mlp_fc1"] = 4 * n, n
            shapes[f"layer{i}.mlp_fc2"] = n, 4 * n
        return shapes


@dataclass
class Part:
    """A matrix in a list of numbers, or the whole list, and where in the list it lies.

    `matrix` is the name of the matrix, "" if it is none.
    """

    name: str
    numbers: slice
    matrix: str = ""


@dataclass
class Difference:
    """The first number that differs.

    `where` says its place in words, `rule` how it is made, `seen` what can be seen in
    the numbers around it, and `held` what the answer had right before it.
    """

    name: str
    where: str
    expected: str
    got: str
    rule: str
    seen: str = ""
    held: str = ""


def compare(
    level: str, case: Case, answer: Answer, tolerance: float
) -> Difference | None:
    """Return the first number in which an answer differs, None if there is none."""
    held: list[str] = []
    for name, true in case.expected[level].items():
        if name not in answer:
            continue
        got, rule = answer[name], RULES[level].get(name.rpartition(".")[2], "")
        if len(true) != len(got) and level not in ("names", "seed"):
            counts = f"{len(true)} numbers", f"{len(got)} numbers"
            return Difference(name, "the whole list", *counts, rule)
        bound = tolerance * max(map(abs, true))
        for part in parts(level, name, case):
            pairs = [*zip_longest(true[part.numbers], got[part.numbers])]
            wrong = [i for i, pair in enumerate(pairs) if not same(*pair, bound)]
            if wrong:
                index, where = place(level, part, wrong[0], len(pairs), case)
                return Difference(
                    part.name + index,
                    where,
                    *written(name, pairs[wrong[0]], case),
                    rule or RULES[level][part.matrix.rpartition(".")[2]],
                    clue(level, part, wrong[0], pairs, bound, case),
                    ", ".join(held),
                )
            held.append(part.name)
    return None


def same(true: float | None, got: float | None, bound: float) -> bool:
    """Tell whether two numbers are the same within a bound; None is a missing one."""
    return None not in (true, got) and abs(true - got) <= bound


def parts(level: str, name: str, case: Case) -> list[Part]:
    """Return the parts of a list, in the order in which they are made."""
    kind = name.rpartition(".")[2]
    if level == "forward" or kind not in ("gradients", "m", "v", "weights"):
        return [Part(name, slice(None))]
    found, start = [], 0
    for matrix, (rows, columns) in case.matrices().items():
        label = matrix if kind == "gradients" else f"{name} of {matrix}"
        found.append(Part(label, slice(start, start + rows * columns), matrix))
        start += rows * columns
    if kind == "gradients":  # backwards: lm_head, the last layer, the first, wpe, wte
        wte, wpe, lm_head, *layers = found
        return [lm_head, *reversed(layers), wpe, wte]
    return found


def place(level: str, part: Part, i: int, count: int, case: Case) -> tuple[str, str]:
    """Return the place of number `i`, of `count`, as an index and in words."""
    if part.matrix:
        return place_in_matrix(part.matrix, i, case)
    if level == "forward":
        if part.name.endswith((".scores", ".weights")):
            return place_in_heads(i, case)
        position, column = divmod(i, count // case.positions)
        is_token = part.name in ("logits", "probs")
        which = f"token {case.letters[column]}" if is_token else f"number {column}"
        return f"[{position}][{column}]", f"{reading(position, case)}; {which}"
    if level == "draw":
        row, column = divmod(i, count // len(case.given["uniforms"]))
        words = f"draw {row}, with the uniform number {case.given['uniforms'][row]}"
        if part.name == "drawn":
            return f"[{row}]", words
        return f"[{row}][{column}]", f"{words}; token {case.letters[column]}"
    if part.name == "surprises":
        target = case.letters[case.given["tokens"][i + 1]]
        return f"[{i}]", f"{reading(i, case)} and is followed by {target}"
    return ("", "the only number") if count == 1 else (f"[{i}]", f"number {i}, from 0")


def place_in_matrix(matrix: str, i: int, case: Case) -> tuple[str, str]:
    """Return the place of a number of one of the model's matrices."""
    row, column = divmod(i, case.matrices()[matrix][1])
    words = f"row {row}"
    if matrix in ("wte", "lm_head"):
        words += f", of the token {case.letters[row]}"
    elif matrix == "wpe":
        words += f", of the position {row}"
    return f"[{row}][{column}]", f"{words}; column {column}"


def place_in_heads(i: int, case: Case) -> tuple[str, str]:
    """Return the place of a score: a position looks, with a head, at a position."""
    position = 0
    while i >= case.given["n_head"] * (position + 1):
        i -= case.given["n_head"] * (position + 1)
        position += 1
    head, seen = divmod(i, position + 1)
    words = f"{reading(position, case)}; head {head} looks at position {seen}"
    return f"[{position}][{head}][{seen}]", words


def reading(position: int, case: Case) -> str:
    """Say which position of the first document it is, and what is read there."""
    token = case.given["tokens"][position]
    return f"position {position}, which reads {case.letters[token]}"


def written(name: str, pair: tuple, case: Case) -> list[str]:
    """Return the two numbers as they are shown, with as many digits as they need."""
    if name in ("drawn", "tokens"):
        letters = dict(enumerate(case.letters))
        return [
            "no more tokens" if n is None else f"{n:g}, {letters.get(n, 'no token')}"
            for n in pair
        ]
    short = [f"{number:.10g}" for number in pair]
    return short if short[0] != short[1] else [*map(repr, pair)]


def clue(
    level: str, part: Part, wrong: int, pairs: list[tuple], bound: float, case: Case
) -> str:
    """Return what can be seen in the numbers of a part, "" if it is nothing."""
    got = [number for _, number in pairs]
    if part.name in ("drawn", "tokens"):
        return ""
    if part.name == "surprises":
        return clue_in_surprise(wrong, got[wrong], bound, case)
    for name, numbers in case.expected[level].items():
        for other in parts(level, name, case):
            its_own = numbers[other.numbers]
            if len(its_own) == len(got) > 1 and all(
                map(same, its_own, got, repeat(bound))
            ):
                return f"these are the numbers of {other.name}"
    if not any(got):
        return f"all {len(got)} numbers are 0"
    largest, instead = max(pairs, key=lambda pair: abs(pair[0]))
    factor = instead / largest if largest else math.nan
    if len(got) > 1 and all(same(factor * a, b, bound) for a, b in pairs):
        return f"all {len(got)} numbers are {factor:.6g} times what they should be"
    return ""


def clue_in_surprise(position: int, got: float, bound: float, case: Case) -> str:
    """Return at which other token one would be as surprised, "" if at none."""
    width, probs = len(case.letters), case.expected["forward"]["probs"]
    for letter, p in zip(case.letters, probs[position * width :]):
        if same(-math.log(p), got, bound):
            return f"this is the surprise at {letter}"
    return ""


# The check


def check(
    port: Port, cases: dict[str, Case], levels: list[str], tolerance: float
) -> int:
    """Check the levels one by one; print what holds, and return the exit status."""
    offered = set()
    for level in levels:
        own = {name: case for name, case in cases.items() if level in case.expected}
        answers = {}
        for name, case in own.items():
            answer = answer_of(port, level, name, case)
            difference = compare(level, case, answer, tolerance)
            if difference:
                print(f"{level:10} differs in the case {name}: {case.about}")
                tell(difference, levels[levels.index(level) + 1 :])
                return 1
            if answer:
                answers[name] = answer
        if answers:
            offered.add(level)
        print(f"{level:10} {summary(level, own, answers)}", flush=True)
    if not (FIRST.intersection(levels) or {*levels}) & offered:
        raise PortError("offers none of the levels with which a check begins")
    return 0


def answer_of(port: Port, level: str, name: str, case: Case) -> Answer:
    """Return a port's answer; raises PortError that says what the port was asked."""
    try:
        answer = port.ask(level, case.given)
        refuse_unknown_names(answer, case.expected[level])
    except PortError as error:
        raise PortError(f"{error} (asked for {level} of the case {name})") from None
    return answer


def refuse_unknown_names(answer: Answer, expected: Answer) -> None:
    """Raise PortError if an answer has a name that nobody has asked for."""
    for name in answer:
        if name not in expected:
            near = difflib.get_close_matches(name, expected, 1)
            hint = f'; did you mean "{near[0]}"?' if near else ""
            raise PortError(f'answers with the unknown name "{name}"{hint}')


def summary(level: str, cases: dict[str, Case], answers: dict[str, Answer]) -> str:
    """Say in how many cases a level holds, and what was not offered."""
    if not answers:
        return "not offered"
    text = f"holds in {len(answers)} case{'s' * (len(answers) > 1)}"
    if len(answers) < len(cases):
        text += f", not offered in {len(cases) - len(answers)}"
    missing = {
        name.rpartition(".")[2]: None
        for case, answer in answers.items()
        for name in cases[case].expected[level]
        if name not in answer
    }
    return text + (f"; not offered: {', '.join(missing)}" if missing else "")


def tell(difference: Difference, later: list[str]) -> None:
    """Print a difference, and the levels that are not reached for it."""
    lines = {
        "first": difference.name,
        "where": difference.where,
        "expected": difference.expected,
        "got": difference.got,
        "rule": difference.rule,
        "seen": difference.seen,
        "held": difference.held,
        "unchecked": ", ".join(later),
    }
    for label, text in lines.items():
        if text:
            print(f"  {label:10} {text}")


# The command line


class Parser(argparse.ArgumentParser):
    """A parser whose errors are single lines."""

    def error(self, message: str) -> None:
        raise UsageError(f"{message} (--help shows the options)")


def seconds(text: str) -> float:
    """Return a positive number of seconds; raises ValueError if it is none."""
    if not 0 < float(text) < 1e6:
        raise ValueError
    return float(text)


def parse(arguments: list[str]) -> argparse.Namespace:
    """Return the options; raises UsageError."""
    parser = Parser(
        prog="check.py",
        usage="%(prog)s [options] -- COMMAND [ARGUMENT ...]",
        description="Say at which number a port of microgpt first goes wrong.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--level", action="append", choices=LEVELS, help="check this level alone")
    add("--case", action="append", metavar="NAME", help="check this case alone")
    add("--float32", action="store_true", help="the port has 32 bits a number")
    add("--seconds", type=seconds, default=PATIENCE, help="limit for an answer (60)")
    add("command", nargs="+", metavar="COMMAND", help="what starts the port")
    return parser.parse_args(arguments)


def chosen_cases(names: list[str] | None) -> dict[str, Case]:
    """Return the cases of these names, all if it is None; raises UsageError."""
    paths = {path.stem: path for path in sorted(CASES.glob("*.json"))}
    for name in names or []:
        if name not in paths:
            raise UsageError(f"there is no case {name!r}; there are {', '.join(paths)}")
    return {
        name: Case(json.loads(path.read_text(encoding="ascii")))
        for name, path in paths.items()
        if names is None or name in names
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    for name in ("SIGTERM", "SIGHUP"):  # so that the port is ended too
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: sys.exit(2))
    try:
        options = parse(sys.argv[1:] if arguments is None else arguments)
        cases = chosen_cases(options.case)
        levels = [
            level
            for level in LEVELS
            if level in (options.level or LEVELS)
            and any(level in case.expected for case in cases.values())
        ]
        if not levels:
            raise UsageError("none of these cases has this level")
        tolerance = FLOAT32 if options.float32 else FLOAT64
        with Port(options.command, options.seconds) as port:
            return check(port, cases, levels, tolerance)
    except UsageError as error:
        print(f"check.py: error: {error}", file=sys.stderr)
    except PortError as error:
        print(f"check.py: error: {options.command[0]} {error}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 2


if __name__ == "__main__":
    sys.exit(main())
