"""The checker: what it says of ports that are wrong, and of ports that misbehave."""

import ast
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from processes import hear_signals, is_running

from conformance.check import FLOAT32, FLOAT64, Case, compare, read_answer

HOME = Path(__file__).resolve().parents[2] / "conformance"
CHECK = HOME / "check.py"

# A port that knows all answers; a test puts its own lines in the place of CHANGE.
PORT = """
import json, os, pathlib, signal, subprocess, sys, time

pathlib.Path("pid").write_text(str(os.getpid()))
paths = pathlib.Path({cases!r}).glob("*.json")
cases = [json.loads(path.read_text()) for path in paths]
for number, line in enumerate(sys.stdin):
    request = json.loads(line)
    level, given = request.pop("do"), request
    answer = {{"id": request.pop("id")}}
    for case in cases:
        if case["given"] == given:
            answer.update(case["expected"][level])
    {change}
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Check a port that knows all answers, but for a change; return how that ended."""
    monkeypatch.chdir(tmp_path)

    def run(change="pass", *options, **settings):
        return start(change, *options, **settings)

    return run


def start(change, *options, run=subprocess.run, **settings):
    """Start a check of a port in the current folder."""
    path = Path("port.py")
    path.write_text(PORT.format(cases=str(HOME / "cases"), change=change))
    port = [sys.executable, "-I", "-S", str(path)]
    command = [sys.executable, "-I", "-S", str(CHECK), *options, "--", *port]
    if run is subprocess.run:
        settings = {"capture_output": True, "timeout": 60, **settings}
    return run(command, encoding="utf-8", **settings)


def first_lines(done):
    """Return what a check says of the first difference, by its labels."""
    assert done.returncode == 1, done.stdout + done.stderr
    lines = [line.strip().partition(" ") for line in done.stdout.splitlines()]
    return {label: text.strip() for label, _, text in lines}


def error(done):
    """Return the one line that says what is wrong with a port or a command."""
    assert done.returncode == 2, done.stdout + done.stderr
    (line,) = done.stderr.splitlines()
    return line.removeprefix("check.py: error: ").removeprefix(sys.executable).strip()


def is_gone(name="pid", patience=5):
    """Tell whether the process whose number is in a file ends."""
    pid, end = int(Path(name).read_text()), time.monotonic() + patience
    while is_running(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return not is_running(pid)


# What holds


def test_a_right_port(check):
    done = check()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "forward    holds in 6 cases",
        "loss       holds in 6 cases",
        "gradients  holds in 6 cases",
        "adam       holds in 4 cases",
        "draw       holds in 1 case",
        "names      holds in 4 cases",
        "seed       holds in 1 case",
    ]
    assert is_gone()


def test_what_is_not_offered_is_not_told_as_passed(check):
    done = check('answer = answer if level == "loss" else {"id": answer["id"]}')
    assert done.returncode == 0
    assert done.stdout.count("not offered") == 6 and done.stdout.count("holds") == 1


def test_names_that_are_not_offered_are_told(check):
    drop = '[answer.pop(name, 0) for name in [*answer] if name.endswith(".scores")]'
    done = check(drop, "--level", "forward")
    assert done.stdout == "forward    holds in 6 cases; not offered: scores\n"


def test_a_level_that_is_offered_in_some_cases(check):
    keep = 'answer = answer if number < 2 else {"id": answer["id"]}'
    done = check(keep, "--level", "forward")
    assert done.stdout == "forward    holds in 2 cases, not offered in 4\n"


@pytest.mark.parametrize("options", [(), ("--level", "adam")])
def test_a_port_has_to_offer_a_level_to_begin_with(check, options):
    only = 'answer = answer if level == "draw" else {"id": answer["id"]}'
    assert "offers none of the levels" in error(check(only, *options))


def test_a_level_and_a_case_of_ones_own(check):
    done = check("pass", "--level", "adam", "--level", "loss", "--case", "1-one-letter")
    assert done.stdout == "loss       holds in 1 case\nadam       holds in 1 case\n"


def test_a_port_may_do_something_at_its_end(check):
    change = "import atexit; atexit.register(pathlib.Path('done').touch)"
    assert check(change, "--level", "draw").returncode == 0
    assert Path("done").exists()


# How near is near enough


def difference(level, name, change, tolerance=FLOAT64):
    """Return in what an answer differs that is right but for a change."""
    case = Case(json.loads((HOME / "cases" / f"{name}.json").read_text()))
    answer = {name: [*numbers] for name, numbers in case.expected[level].items()}
    change(answer)
    return compare(level, case, answer, tolerance)


@pytest.mark.parametrize(
    ("tolerance", "factor", "holds"),
    [
        (FLOAT64, 1 + 1e-13, True),
        (FLOAT64, 1 + 1e-11, False),
        (FLOAT32, 1 + 1e-4, True),
        (FLOAT32, 1 + 1e-3, False),
    ],
)
@pytest.mark.parametrize(
    ("level", "name"),
    [("forward", "logits"), ("loss", "loss"), ("gradients", "gradients")],
)
def test_the_tolerance(level, name, tolerance, factor, holds):
    def scale(answer):
        answer[name] = [factor * number for number in answer[name]]

    assert (difference(level, "2-two-heads", scale, tolerance) is None) == holds


def test_a_port_with_32_bits_says_so(check):
    scale = (
        'answer.update({name: [1.0001 * x for x in answer[name]] for name in ["loss"]})'
    )
    assert check(scale, "--level", "loss").returncode == 1
    assert check(scale, "--level", "loss", "--float32").returncode == 0


# The first number that differs


@pytest.mark.parametrize(
    ("case", "level", "name", "index", "shown", "where"),
    [
        ("1-one-letter", "forward", "embedded", 3, "embedded[1][1]", "reads 'a'"),
        ("2-two-heads", "forward", "layer0.scores", 0, "layer0.scores[0][0][0]", "BOS"),
        (
            *("2-two-heads", "forward", "layer0.scores", 10),
            "layer0.scores[2][1][1]",
            "position 2, which reads 'm'; head 1 looks at position 1",
        ),
        (
            *("2-two-heads", "forward", "probs", 7),
            "probs[1][2]",
            "position 1, which reads 'e'; token 'e'",
        ),
        (
            *("3-too-long", "loss", "surprises", 3, "surprises[3]"),
            "position 3, which reads 'n' and is followed by 'n'",
        ),
        ("3-too-long", "loss", "loss", 0, "loss", "the only number"),
        (
            *("2-two-heads", "gradients", "gradients", 5, "wte[1][1]"),
            "row 1, of the token 'd'; column 1",
        ),
        (
            *("2-two-heads", "gradients", "gradients", 27, "wpe[1][3]"),
            "row 1, of the position 1; column 3",
        ),
        (
            *("4-two-layers", "gradients", "gradients", -1, "layer1.mlp_fc2[3][15]"),
            "row 3; column 15",
        ),
        ("2-two-heads", "adam", "step2.v", 0, "step2.v of wte[0][0]", "row 0"),
        ("2-two-heads", "adam", "step3.loss", 0, "step3.loss", "the only number"),
        ("7-draws", "draw", "probs", 6, "probs[1][2]", "number 0.25; token 'c'"),
        ("7-draws", "draw", "drawn", 1, "drawn[1]", "draw 1, with the uniform"),
        ("2-two-heads", "names", "drawn", 4, "drawn[4]", "number 4, from 0"),
        ("8-seed", "seed", "tokens", 2, "tokens[2]", "number 2, from 0"),
        ("8-seed", "seed", "weights", 8, "weights of wte[1][0]", "the token 'b'"),
        ("8-seed", "seed", "losses", 4, "losses[4]", "number 4, from 0"),
    ],
)
def test_the_first_difference(case, level, name, index, shown, where):
    true = []

    def add_one(answer):
        true.append(answer[name][index])
        answer[name][index] += 1

    found = difference(level, case, add_one)
    assert found.name == shown and where in found.where and found.rule
    numbers = [float(text.split(",")[0]) for text in (found.expected, found.got)]
    assert numbers == pytest.approx([true[0], true[0] + 1], rel=1e-9)


def test_later_levels_are_not_asked(check):
    done = check('if "surprises" in answer: answer["surprises"][0] = 9')
    assert first_lines(done)["unchecked"] == "gradients, adam, draw, names, seed"
    assert "forward    holds in 6 cases\n" in done.stdout
    assert "loss       differs in the case 1-one-letter" in done.stdout


def test_what_holds_before_a_gradient():
    def add_one(answer):
        answer["gradients"][-1] += 1

    assert difference("gradients", "4-two-layers", add_one).held == "lm_head"


@pytest.mark.parametrize(
    ("level", "change", "seen"),
    [
        (
            "forward",
            lambda answer: answer.update(normed=answer["embedded"]),
            "these are the numbers of embedded",
        ),
        (
            "gradients",
            lambda answer: answer.update(
                gradients=[x / 2 for x in answer["gradients"]]
            ),
            "all 6 numbers are 0.5 times what they should be",
        ),
        (
            "gradients",
            lambda answer: answer.update(gradients=[0.0] * 66),
            "all 6 numbers are 0",
        ),
        (
            "loss",
            lambda answer: answer.update(surprises=[-math.log(0.726073511531794), 0]),
            "this is the surprise at 'b'",
        ),
        ("loss", lambda answer: answer.update(loss=[1.0]), ""),
    ],
)
def test_what_can_be_seen(level, change, seen):
    assert difference(level, "1-one-letter", change).seen == seen


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_number(number):
    def put(answer):
        answer["layer0.query"][1] = number

    found = difference("forward", "1-one-letter", put)
    assert (found.name, found.got) == ("layer0.query[0][1]", repr(number))


@pytest.mark.parametrize(
    ("written", "number"),
    [("nan", math.nan), ("-nan", math.nan), ("inf", math.inf), ("-inf", -math.inf)],
)
def test_what_c_writes(written, number):
    answer = read_answer(f'{{"id": 1, "loss": [{written}, 2]}}\n'.encode(), 1)
    assert repr(answer) == repr({"loss": [number, 2.0]})


def test_what_other_languages_write():
    line = b'{"id": 1, "loss": [null, NaN, Infinity, 1e400, 3]}'
    assert repr(read_answer(line, 1)["loss"]) == "[nan, nan, inf, inf, 3.0]"


@pytest.mark.parametrize("count", [7, 5, 0])
def test_a_list_of_another_length(count):
    def put(answer):
        answer["logits"] = ([*answer["logits"], 0.0])[:count]

    found = difference("forward", "1-one-letter", put)
    assert (found.name, found.expected) == ("logits", "6 numbers")
    assert found.got == f"{count} numbers"


@pytest.mark.parametrize(
    ("change", "got"),
    [
        (lambda tokens: tokens.append(0), "0, 'a'"),
        (lambda tokens: tokens.pop(), "no more tokens"),
        (lambda tokens: tokens.append(77.0), "77, no token"),
    ],
)
def test_too_many_and_too_few_tokens(change, got):
    found = difference("names", "1-one-letter", lambda answer: change(answer["drawn"]))
    assert found.got == got


def test_numbers_are_shown_with_the_digits_that_they_need():
    def nudge(answer):
        answer["loss"][0] += 1e-11

    found = difference("loss", "1-one-letter", nudge)
    assert (found.expected, found.got) == ("1.6975031188904417", "1.6975031189004417")


def test_draws_are_as_many_as_uniform_numbers():
    found = difference("draw", "7-draws", lambda answer: answer["drawn"].append(0))
    assert found.got == "9 numbers"


# Ports that cannot be spoken with


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ('print("hello", flush=True)', "answers with what is no JSON: 'hello'"),
        ("print(flush=True)", "answers with what is no JSON: ''"),
        ('print("[" * 100000, flush=True)', "answers with what is no JSON: '[[["),
        ('os.write(1, b"\\xff\\n")', "answers with what is no JSON"),
        ('print("[1, 2]")', "answers with no object that has an \"id\": '[1, 2]'"),
        ('del answer["id"]', 'answers with no object that has an "id"'),
        ('answer["id"] = 7', "answers another request than number 1"),
        ('answer["loss"] = 2.5', 'answers with a "loss" that is no flat list'),
        ('answer["loss"] = ["2.5"]', 'answers with a "loss" that is no flat list'),
        ('answer["loss"] = [True]', 'answers with a "loss" that is no flat list'),
        ('answer["loss"] = [[2.5]]', 'answers with a "loss" that is no flat list'),
        ('answer["los"] = [1]', 'the unknown name "los"; did you mean "loss"?'),
        (
            'answer["xyz"] = [1]',
            'answers with the unknown name "xyz" (asked for loss of the case 1',
        ),
        ("sys.exit(3)", "ends with exit status 3"),
        ("sys.exit()", "ends with exit status 0"),
        ('raise ValueError("no such matrix")', "'ValueError: no such matrix'"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "is ended by signal 9"),
        ("os.close(1); time.sleep(60)", "closes its standard output"),
    ],
)
def test_a_port_that_misbehaves(check, change, message):
    done = check(change, "--level", "loss")
    assert message in error(done)
    assert is_gone()


def test_a_port_that_hangs(check):
    done = check("time.sleep(60)", "--seconds", "2")
    asked = "(asked for forward of the case 1-one-letter)"
    assert error(done) == f"gives no answer within 2 s {asked}"
    assert is_gone()


def test_two_lines_for_a_request(check):
    done = check("print(json.dumps(answer), flush=True)", "--level", "loss")
    assert "answers another request than number 2" in error(done)


def test_a_port_that_ends_early(check):
    done = check("if number == 2: sys.exit(1)", "--level", "loss")
    asked = "(asked for loss of the case 3-too-long)"
    assert error(done) == f"ends with exit status 1 {asked}"


def test_a_port_that_never_reads(check):
    Path("port.py").write_text("import time; time.sleep(60)")
    command = [CHECK, "--seconds", "1", "--case", "4-two-layers", "--level", "loss"]
    done = subprocess.run(
        [sys.executable, *command, "--", sys.executable, "port.py"],
        capture_output=True,
        encoding="utf-8",
        timeout=30,
    )
    assert "gives no answer within 1 s" in error(done)


@pytest.mark.skipif(os.name == "nt", reason="limits memory as POSIX does")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ('while True: os.write(1, b"x" * 65536)', "more than 10,000,000 bytes"),
        (
            'while True: os.write(1, b"x\\n" * 9999)',
            "answers with what is no JSON: 'x'",
        ),
        ('while True: os.write(2, b"x" * 65536)', "gives no answer within 3 s"),
    ],
)
def test_too_much_output(check, change, message):
    import resource

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (400_000_000, 400_000_000))

    done = check(change, "--level", "loss", "--seconds", "3", preexec_fn=limit)
    assert message in error(done)
    assert is_gone()


def test_what_a_port_says_on_standard_error_is_its_own(check):
    done = check('print("step done", file=sys.stderr)', "--level", "loss")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(os.name == "nt", reason="there are no process groups")
def test_what_a_port_has_started_is_ended_too(check):
    change = 'child = subprocess.Popen(["sleep", "60"]); '
    change += 'pathlib.Path("child").write_text(str(child.pid)); time.sleep(60)'
    done = check(change, "--seconds", "1")
    assert "gives no answer" in error(done)
    assert is_gone() and is_gone("child")


@pytest.mark.skipif(os.name == "nt", reason="there are no such signals")
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 2)]
)
def test_a_check_that_is_stopped_leaves_no_port(check, number, status):
    def popen(command, **settings):
        return subprocess.Popen(command, preexec_fn=hear_signals, **settings)

    quiet = dict.fromkeys(("stdout", "stderr"), subprocess.PIPE)
    with check("time.sleep(60)", run=popen, **quiet) as process:
        end = time.monotonic() + 20
        while not Path("pid").exists() and time.monotonic() < end:
            time.sleep(0.02)
        time.sleep(0.2)
        process.send_signal(number)
        _, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (status, "")
    assert is_gone()


# The command line


def of_command(*words):
    """Return how a check with these words ends."""
    command = [sys.executable, CHECK, *words]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=30)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["--level", "all", "--", "x"], "invalid choice: 'all'"),
        (["--case", "9", "--", "x"], "there is no case '9'; there are 1-one-letter"),
        (["--seconds", "0", "--", "x"], "argument --seconds"),
        (["--seconds", "nan", "--", "x"], "argument --seconds"),
        (["--case", "8-seed", "--level", "loss", "--", "x"], "has this level"),
        (["--float", "--", "x"], "unrecognized arguments: --float"),
        (["--", "./no-such-port"], "./no-such-port cannot be started: No such file"),
        (["--", str(HOME)], "cannot be started: Permission denied"),
    ],
)
def test_a_wrong_command_line(words, message):
    assert message in error(of_command(*words))


def test_help_says_what_can_be_done():
    done = of_command("--help")
    assert done.returncode == 0 and "--float32" in done.stdout


def test_the_checker_is_one_file_of_the_standard_library():
    tree = ast.parse(CHECK.read_text())
    names = {
        n.name for x in ast.walk(tree) if isinstance(x, ast.Import) for n in x.names
    }
    names |= {x.module for x in ast.walk(tree) if isinstance(x, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names
