"""Ctrl-C: at once, never in the middle of an update; and the progress display."""

import contextlib
import itertools
import json
import math
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
NAMES = "emma\nolivia\nava\n"
PRECIOUS = '{"format": "microgpt", "precious": true}'
HEADER = "--- inference (new, hallucinated names) ---"


@contextlib.contextmanager
def running(program, folder, *arguments, **streams):
    """Start the program so that SIGINT reaches it as it does on a terminal."""
    (folder / "input.txt").write_text(NAMES)
    # A process that was started in the background ignores SIGINT, and hands that on.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
        command = program.command("--input", "input.txt", *arguments)
        process = subprocess.Popen(command, cwd=folder, encoding="utf-8", **streams)
    finally:
        signal.signal(signal.SIGINT, before)
    watchdog = threading.Timer(120, process.kill)  # so that no test waits for ever
    watchdog.start()
    try:
        yield process
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()


def wait_for(stream, beginning):
    """Read lines until one has this beginning."""
    for line in stream:
        if line.startswith(beginning):
            return
    raise AssertionError(f"no line begins with {beginning!r}")


# Ctrl-C on the command line


def test_an_interrupt_of_training_still_saves_and_samples(program, tmp_path):
    options = ["--steps", 10**6, "--samples", 3, "--save", "model.json"]
    with running(program, tmp_path, *options) as process:
        wait_for(process.stdout, "step   20 ")
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"\n{HEADER}\n" in output and "sample  3: " in output
    done = json.loads((tmp_path / "model.json").read_text())["training"]["done"]
    assert errors == f"Training ended after step {done}.\n" and done >= 20
    assert sorted(os.listdir(tmp_path)) == ["input.txt", "model.json"]


def test_two_interrupts_of_a_long_step_end_it_at_once(program, tmp_path):
    """A step of this size takes about 20 seconds. The model is saved as it was."""
    sizes = ["--n-embd", 128, "--n-head", 1, "--n-layer", 4, "--block-size", 256]
    (tmp_path / "long.txt").write_text("ab" * 200)
    options = ["--input", "long.txt", *sizes, "--samples", 0, "--save", "model.json"]
    with running(program, tmp_path, *options) as process:
        wait_for(process.stdout, "num params: ")
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        time.sleep(1)
        assert process.poll() is None  # the first one lets the step be done
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "step" not in output and "after step 0" in errors
    assert json.loads((tmp_path / "model.json").read_text())["training"]["done"] == 0


def test_an_interrupt_of_sampling_is_quiet(program, tmp_path):
    options = ["--steps", 0, "--samples", 10**6]
    with running(program, tmp_path, *options) as process:
        wait_for(process.stdout, "sample 10: ")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert (errors, process.returncode) == ("", 130)


def test_an_interrupt_of_training_and_one_of_the_samples(program, tmp_path):
    """The first ends the training, the second the samples."""
    options = ["--steps", 10**6, "--samples", 10**6, "--save", "model.json"]
    with running(program, tmp_path, *options) as process:
        for beginning in ("step    5 ", "sample  5: "):
            wait_for(process.stdout, beginning)
            process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in errors
    assert (tmp_path / "model.json").exists()


# Ctrl-C at a chosen place


@pytest.fixture
def model(microgpt):
    tokenizer = microgpt.Tokenizer("aemv")
    return microgpt.Model(tokenizer, n_embd=4).randomize(random.Random(1))


@pytest.fixture
def delivered():
    """SIGINT raises KeyboardInterrupt here, whatever the tests were started with."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def numbers(model):
    return [p.data for p in model.params()]


def interrupting(function, call):
    """function, but its so-manieth call is interrupted by Ctrl-C."""
    count = iter(range(1, call + 1))

    def wrapped(*arguments, **options):
        if next(count, None) == call:
            signal.raise_signal(signal.SIGINT)
        return function(*arguments, **options)

    return wrapped


def run_training(microgpt, model, steps=3):
    """Train as the command line does; return how many steps are done."""
    options = microgpt.parse(["--steps", str(steps)])
    zeros = [0.0] * len(model.params())
    training = {"m": zeros, "v": [*zeros], "done": 0, "steps": steps}
    training |= {"held_out": 0, "learning_rate": 0.01}
    with microgpt.Interrupts() as ctrl_c:
        work = model, training, microgpt.train
        microgpt.run_training(options, ["emma"], *work, ctrl_c)
        assert ctrl_c.count
    return training["done"]


def expected(microgpt, steps):
    """The parameters after the first steps of three."""
    tokenizer = microgpt.Tokenizer("aemv")
    model = microgpt.Model(tokenizer, n_embd=4).randomize(random.Random(1))
    list(itertools.islice(microgpt.train(model, ["emma"], 3), steps))
    return numbers(model)


@pytest.mark.parametrize("times", [1, 2, 5])
def test_interrupts_of_an_update_wait_for_its_end(
    microgpt, model, monkeypatch, delivered, times
):
    whole, count = math.sqrt, itertools.count(1)

    def sqrt(x):
        if 10 <= next(count) < 10 + times:
            signal.raise_signal(signal.SIGINT)
        return whole(x)

    monkeypatch.setattr(math, "sqrt", sqrt)
    assert run_training(microgpt, model) == 1
    assert numbers(model) == expected(microgpt, 1)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("call", [1, 20, 60])
def test_an_interrupt_of_the_forward_pass_waits_for_the_end_of_the_step(
    microgpt, model, monkeypatch, delivered, call
):
    monkeypatch.setattr(microgpt, "linear", interrupting(microgpt.linear, call))
    assert run_training(microgpt, model) == 1
    assert numbers(model) == expected(microgpt, 1)


@pytest.mark.parametrize("call", [1, 20, 60])
def test_two_interrupts_of_the_forward_pass_give_the_step_up(
    microgpt, model, monkeypatch, delivered, call
):
    whole = interrupting(interrupting(microgpt.linear, call), call)
    monkeypatch.setattr(microgpt, "linear", whole)
    before = numbers(model)
    assert run_training(microgpt, model) == 0
    assert numbers(model) == before


def test_interrupts_that_are_ignored_stay_ignored(microgpt, model, delivered):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with microgpt.Interrupts() as ctrl_c:
        signal.raise_signal(signal.SIGINT)
        assert not ctrl_c.count
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def small_options(folder):
    (folder / "names.txt").write_text(NAMES)
    return ["--input", str(folder / "names.txt"), "--n-embd", "4", "--samples", "2"]


@pytest.mark.parametrize("steps", [1, 5])
def test_an_interrupt_of_the_last_update_still_saves(
    microgpt, monkeypatch, delivered, tmp_path, capsys, steps
):
    place = tmp_path / "model.json"
    n_params = 320
    call = n_params * steps - 5
    monkeypatch.setattr(math, "sqrt", interrupting(math.sqrt, call))
    options = [*small_options(tmp_path), "--steps", str(steps), "--save", str(place)]
    assert microgpt.main(options) == 130
    assert place.exists() and "sample  2: " in capsys.readouterr().out


@pytest.mark.parametrize("times", [1, 2, 3])
def test_interrupts_between_training_and_saving_lose_nothing(
    microgpt, monkeypatch, delivered, tmp_path, times
):
    place, whole = tmp_path / "model.json", microgpt.save

    def save(*arguments):
        for _ in range(times):
            signal.raise_signal(signal.SIGINT)
        whole(*arguments)

    monkeypatch.setattr(microgpt, "save", save)
    options = [*small_options(tmp_path), "--steps", "1", "--save", str(place)]
    assert microgpt.main(options) == 130
    assert place.exists()


def test_an_interrupt_of_saving_waits_for_its_end(
    microgpt, monkeypatch, delivered, tmp_path
):
    place = tmp_path / "model.json"
    monkeypatch.setattr(microgpt.json, "dump", interrupting(json.dump, call=1))
    options = [*small_options(tmp_path), "--steps", "1", "--save", str(place)]
    assert microgpt.main(options) == 130
    assert json.loads(place.read_text())["version"] == 2


def test_an_interrupt_of_a_training_that_diverges_saves_nothing(
    microgpt, monkeypatch, delivered, tmp_path, capsys
):
    """The model has numbers that are none, but their loss was not yet seen."""
    place = tmp_path / "model.json"
    place.write_text(PRECIOUS)

    def update(adam, learning_rate):
        for p in adam.params:
            p.data = math.nan
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(microgpt.Adam, "update", update)
    options = [*small_options(tmp_path), "--steps", "5", "--save", str(place)]
    assert microgpt.main(options) in (2, 130)
    assert place.read_text() == PRECIOUS


# On a terminal


@contextlib.contextmanager
def terminal():
    """A pseudo-terminal: the end for the program, what will have been shown in the
    end, and a function that waits until some words are."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    chunks = []

    def read():
        with contextlib.suppress(OSError):  # how Linux says that all ends are closed
            while chunk := os.read(ours, 4096):
                chunks.append(chunk)

    reader = threading.Thread(target=read)
    reader.start()

    def shown():
        reader.join(timeout=60)
        return b"".join(chunks).decode("utf-8").replace("\r\n", "\n")

    def wait_until_shown(words):
        end = time.monotonic() + 60
        while words not in b"".join(chunks):
            assert time.monotonic() < end, chunks
            time.sleep(0.01)

    try:
        yield theirs, shown, wait_until_shown
    finally:
        with contextlib.suppress(OSError):
            os.close(theirs)
        reader.join(timeout=60)
        os.close(ours)


linux = pytest.mark.skipif(sys.platform != "linux", reason="terminals of Linux")


def on_a_terminal(program, folder, *arguments, stdout=None):
    """Run on a pseudo-terminal; return what it shows."""
    with terminal() as (theirs, shown, _):
        streams = {"stdout": stdout or theirs, "stderr": theirs}
        with running(program, folder, *arguments, **streams) as process:
            os.close(theirs)
            process.wait(timeout=60)
            return shown(), process.returncode


@linux
def test_on_a_terminal_progress_replaces_the_lines_of_the_steps(program, tmp_path):
    options = ["--steps", 30, "--samples", 2]
    text, status = on_a_terminal(program, tmp_path, *options)
    before, _, rest = text.partition("\r")
    progress, _, after = rest.partition("\n")
    assert before == "num docs: 3\nvocab size: 8\nnum params: 3584\n"
    last = r"step   30 /   30 \| mean loss \d\.\d{4} \| 0 s left *"
    assert re.fullmatch(last, progress.split("\r")[-1])
    published = program.run("--input", "input.txt", *options, cwd=tmp_path).stdout
    assert after == published[published.index(f"\n{HEADER}") :]
    assert status == 0


@linux
def test_on_a_terminal_without_steps_there_is_no_progress(program, tmp_path):
    text, _ = on_a_terminal(program, tmp_path, "--steps", 0, "--samples", 2)
    options = ["--input", "input.txt", "--steps", 0, "--samples", 2]
    assert text == program.run(*options, cwd=tmp_path).stdout


@linux
def test_output_to_a_file_has_the_lines_although_errors_go_to_a_terminal(
    program, tmp_path
):
    with open(tmp_path / "output.txt", "w+") as file:
        options = ["--steps", 5, "--samples", 2]
        text, _ = on_a_terminal(program, tmp_path, *options, stdout=file)
    assert text == ""
    published = program.run("--input", "input.txt", *options, cwd=tmp_path).stdout
    assert (tmp_path / "output.txt").read_text() == published


@linux
def test_an_error_after_progress_has_a_line_of_its_own(program, tmp_path):
    options = ["--learning-rate", "9e99", "--steps", 20]
    text, status = on_a_terminal(program, tmp_path, *options)
    assert status == 2
    assert "\nmicrogpt: error: the training diverged" in text


@linux
def test_ctrl_c_on_a_terminal(program, tmp_path):
    """The progress ends with a line of its own, and the samples follow."""
    with terminal() as (theirs, shown, wait_until_shown):
        options = ["--steps", 10**6, "--samples", 2]
        with running(program, tmp_path, *options, stdout=theirs, stderr=theirs) as p:
            os.close(theirs)
            wait_until_shown(b" left")
            p.send_signal(signal.SIGINT)
            p.wait(timeout=60)
            text = shown()
    assert p.returncode == 130 and "Traceback" not in text
    assert re.search(r"left *(\^C)?\nTraining ended after step \d+\.\n", text)
    assert "sample  2: " in text
