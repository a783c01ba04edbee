"""Ctrl-C: at once, never in the middle of an update; and the progress display."""

import contextlib
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
HEADER = "--- inference (new, hallucinated names) ---"


@contextlib.contextmanager
def running(program, folder, *arguments, **streams):
    """Start the program so that SIGINT reaches it as it does on a terminal."""
    (folder / "input.txt").write_text(NAMES)
    # A process that was started in the background ignores SIGINT, and hands that on.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
        process = subprocess.Popen(
            program.command(*arguments), cwd=folder, encoding="utf-8", **streams
        )
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
    assert "Traceback" not in errors and "interrupted" in errors
    assert json.loads((tmp_path / "model.json").read_text())["version"] == 1
    assert sorted(os.listdir(tmp_path)) == ["input.txt", "model.json"]


def test_an_interrupt_of_a_long_step_does_not_wait_for_its_end(program, tmp_path):
    """A step of this size takes about 20 seconds."""
    sizes = ["--n-embd", 128, "--n-head", 1, "--n-layer", 4, "--block-size", 256]
    (tmp_path / "long.txt").write_text("ab" * 200)
    options = ["--input", "long.txt", *sizes, "--samples", 0]
    with running(program, tmp_path, *options) as process:
        wait_for(process.stdout, "num params: ")
        time.sleep(1)
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
        took = time.monotonic() - start
    assert process.returncode == 130
    assert "step" not in output and "Traceback" not in errors
    assert took < 5


def test_an_interrupt_of_sampling_is_quiet(program, tmp_path):
    options = ["--steps", 0, "--samples", 10**6]
    with running(program, tmp_path, *options) as process:
        wait_for(process.stdout, "sample 10: ")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert (errors, process.returncode) == ("", 130)


def test_two_interrupts(program, tmp_path):
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

    def wrapped(*arguments):
        if next(count, None) == call:
            signal.raise_signal(signal.SIGINT)
        return function(*arguments)

    return wrapped


def test_an_interrupt_of_an_update_waits_for_its_end(
    microgpt, model, monkeypatch, delivered
):
    tokenizer = microgpt.Tokenizer("aemv")
    other = microgpt.Model(tokenizer, n_embd=4).randomize(random.Random(1))
    list(microgpt.train(other, ["emma"], 1))
    before = numbers(model)
    monkeypatch.setattr(math, "sqrt", interrupting(math.sqrt, call=10))
    with pytest.raises(KeyboardInterrupt):
        list(microgpt.train(model, ["emma"], 1))
    assert before != numbers(model) == numbers(other)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("call", [1, 20, 60])
def test_an_interrupt_of_the_forward_pass_changes_nothing(
    microgpt, model, monkeypatch, delivered, call
):
    before = numbers(model)
    monkeypatch.setattr(microgpt, "linear", interrupting(microgpt.linear, call))
    with pytest.raises(KeyboardInterrupt):
        list(microgpt.train(model, ["emma"], 1))
    assert numbers(model) == before


def test_interrupts_that_are_ignored_stay_ignored(
    microgpt, model, monkeypatch, delivered
):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    monkeypatch.setattr(math, "sqrt", interrupting(math.sqrt, call=10))
    assert len(list(microgpt.train(model, ["emma"], 3))) == 3
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


def test_an_interrupt_of_the_last_check_still_saves(
    microgpt, monkeypatch, delivered, tmp_path
):
    """Between the last step and saving no interrupt may lose the training."""
    place = tmp_path / "model.json"
    check = interrupting(microgpt.check_finite, call=2)
    monkeypatch.setattr(microgpt, "check_finite", check)
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
    assert json.loads(place.read_text())["version"] == 1


def test_an_interrupt_of_a_training_that_diverges_saves_nothing(
    microgpt, monkeypatch, delivered, tmp_path, capsys
):
    """The model has numbers that are none, but their loss was not yet seen."""
    place = tmp_path / "model.json"
    place.write_text("precious")

    def update(adam, learning_rate):
        for p in adam.params:
            p.data = math.nan
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(microgpt.Adam, "update", update)
    options = [*small_options(tmp_path), "--steps", "5", "--save", str(place)]
    assert microgpt.main(options) in (2, 130)
    assert place.read_text() == "precious"


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
    published = program.run(*options, cwd=tmp_path).stdout
    assert after == published[published.index(f"\n{HEADER}") :]
    assert status == 0


@linux
def test_on_a_terminal_without_steps_there_is_no_progress(program, tmp_path):
    text, _ = on_a_terminal(program, tmp_path, "--steps", 0, "--samples", 2)
    assert text == program.run("--steps", 0, "--samples", 2, cwd=tmp_path).stdout


@linux
def test_output_to_a_file_has_the_lines_although_errors_go_to_a_terminal(
    program, tmp_path
):
    with open(tmp_path / "output.txt", "w+") as file:
        options = ["--steps", 5, "--samples", 2]
        text, _ = on_a_terminal(program, tmp_path, *options, stdout=file)
    assert text == ""
    published = program.run(*options, cwd=tmp_path).stdout
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
    assert re.search(r"left *(\^C)?\nTraining was interrupted\.\n", text)
    assert "sample  2: " in text
