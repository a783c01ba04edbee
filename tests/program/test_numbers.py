"""Same numbers: the published output, and the plain engine on other data and sizes."""

import hashlib
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from experiments import plain

ROOT = Path(__file__).resolve().parents[2]

# Runs a Python program and adds its peak memory in KiB as a last line on stderr. It
# stands between, because a process started by a large one begins with a large peak.
MEASURED = """
import resource, subprocess, sys
status = subprocess.call([sys.executable, *sys.argv[1:]])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(status)
"""

# The published run: the SHA-256 of what the original prints for the published names.
PUBLISHED_OUTPUT = "afba81c45f1b2d6e4debeba6d37e27fa94484042b8d06a0abf7af224d2f6dd3f"


@pytest.fixture(scope="module")
def full_run(program, published_names):
    """The result of a run with all settings at their defaults; on Linux measured."""
    command = program.command("--input", published_names)
    if sys.platform == "linux":
        command[1:1] = ["-c", MEASURED]
    return subprocess.run(command, capture_output=True, timeout=600)


@pytest.mark.slow
def test_the_published_output_byte_for_byte(full_run):
    assert hashlib.sha256(full_run.stdout).hexdigest() == PUBLISHED_OUTPUT
    assert full_run.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["microgpt.md", "README.md"])
def test_the_command_that_is_shown_fetches_the_list(program, name):
    """It is run as a reader runs it, wherever there is a network."""
    text = (ROOT / name).read_text(encoding="utf-8")
    [address] = {*re.findall(r"--input \\\n *(https://\S+/names\.txt)\n", text)}
    try:
        urlopen(address, timeout=30).close()
    except OSError as error:
        pytest.skip(f"there is no network here: {error}")
    done = program.run("--input", address, timeout=600)
    assert (done.stderr, done.returncode) == ("", 0)
    printed = hashlib.sha256(done.stdout.encode()).hexdigest()
    assert printed == PUBLISHED_OUTPUT


@pytest.mark.slow
def test_the_published_lines_in_the_book_are_those_of_the_run(full_run):
    text = (ROOT / "microgpt.md").read_text(encoding="utf-8")
    shown = text.partition("```text\nnum docs: 32033\n")[2].partition("\n```")[0]
    lines = [line for line in shown.split("\n") if line != "..."]
    assert len(lines) > 10
    assert not {*lines} - {*full_run.stdout.decode().split("\n")}


@pytest.mark.slow
def test_eleven_of_the_twenty_samples_are_in_the_list(full_run, published_names):
    samples = re.findall(r"^sample [ \d]\d: (.*)$", full_run.stdout.decode(), re.M)
    names = set(published_names.read_text(encoding="utf-8").split())
    assert len(samples) == 20
    assert sum(sample in names for sample in samples) == 11


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere in other units, or none")
def test_the_full_run_needs_at_most_25_mib(full_run):
    peak = int(full_run.stderr.split()[-1]) / 1024
    assert 5 < peak <= 25


# Other data and other sizes

NAMES = "emma\nolivia\nava\nisabella\nsophia\nmia\n"
UNICODE = "zoé\nstraße\n\u044f\u043d\u0430\n漢字\nn\u0303a\n🦊b\n"
SEPARATORS = "a\x0bb\nc\u2028d\ne\x85f\n\x1cg\n\xa0h\xa0\n"
CASES = {
    "default sizes": (NAMES, 2, {}),
    "unsorted, blank lines, blanks": ("\n b \n\n\tab\na c\n\n", 4, {"n_embd": 4}),
    "other seed": (NAMES, 3, {"seed": 7, "n_embd": 8}),
    "no seed to speak of": (NAMES, 3, {"seed": 0, "n_embd": 8}),
    "narrow": (NAMES, 3, {"n_embd": 4}),
    "wide": ("ab\nba\n", 2, {"n_embd": 24}),
    "one head": (NAMES, 3, {"n_embd": 6, "n_head": 1}),
    "as many heads as numbers": (NAMES, 3, {"n_embd": 6, "n_head": 6}),
    "three heads": (NAMES, 3, {"n_embd": 9, "n_head": 3}),
    "two layers": (NAMES, 3, {"n_embd": 8, "n_layer": 2}),
    "four layers": (NAMES, 2, {"n_embd": 4, "n_layer": 4}),
    "documents longer than the block": (NAMES, 6, {"n_embd": 4, "block_size": 3}),
    "a document as long as the block": ("abc\n", 2, {"n_embd": 4, "block_size": 3}),
    "a block of 1": (NAMES, 6, {"n_embd": 4, "block_size": 1}),
    "a long block": ("a" * 30 + "\nb\n", 2, {"n_embd": 4, "block_size": 24}),
    "fewer documents than steps": ("ab\nc\nabc\n", 10, {"n_embd": 4}),
    "one document": ("a", 3, {"n_embd": 4}),
    "Unicode": (UNICODE, 6, {"n_embd": 8}),
    "carriage returns": ("ab\r\ncd\r\n\r\nef\rgh\r\n", 4, {"n_embd": 4}),
    "separators inside of lines": (SEPARATORS, 5, {"n_embd": 4}),
    "digits and signs": ("a-1\nb.2\nc 3\n#4\n", 4, {"n_embd": 4}),
}
cases = pytest.mark.parametrize("text, steps, sizes", CASES.values(), ids=CASES.keys())


@cases
def test_losses_and_parameters_at_full_precision(microgpt, text, steps, sizes):
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    docs = [line.strip() for line in lines if line.strip()]
    oracle = plain.Plain(docs, **sizes)
    rest = {name: value for name, value in sizes.items() if name != "seed"}
    rng = random.Random(sizes.get("seed", 42))
    rng.shuffle(docs)
    model = microgpt.Model(microgpt.Tokenizer("".join(docs)), **rest).randomize(rng)
    losses = list(microgpt.train(model, docs, steps))
    expected = [oracle.step(step, steps) for step in range(steps)]
    assert losses == pytest.approx(expected, rel=0, abs=1e-9)
    params = [p.data for p in model.params()]
    assert params == pytest.approx([p.data for p in oracle.params], rel=0, abs=1e-9)


@cases
def test_printed_lines(microgpt, capsys, tmp_path, text, steps, sizes):
    path = tmp_path / "names.txt"
    path.write_bytes(text.encode("utf-8"))
    options = [f"--{name.replace('_', '-')}={n}" for name, n in sizes.items()]
    common = [f"--steps={steps}", "--samples=3"]
    assert microgpt.main(["--input", str(path), *common, *options]) == 0
    printed = capsys.readouterr().out
    plain.main(path, steps, 3, **sizes)
    assert printed == capsys.readouterr().out


@pytest.mark.parametrize("temperature", [0.1, 1.0, 3.0])
def test_temperature(microgpt, capsys, tmp_path, temperature):
    path = tmp_path / "names.txt"
    path.write_text(NAMES)
    options = ["--steps=0", "--n-embd=4", "--samples=5", f"--temperature={temperature}"]
    assert microgpt.main(["--input", str(path), *options]) == 0
    oracle = plain.Plain(NAMES.split(), n_embd=4)
    samples = [oracle.sample(temperature) for _ in range(5)]
    printed = capsys.readouterr().out.splitlines()[-5:]
    assert [line.partition(": ")[2] for line in printed] == samples


def test_the_learning_rate_reaches_the_update(microgpt):
    """The first step of Adam is as long as the learning rate."""
    model = microgpt.Model(microgpt.Tokenizer("ab"), n_embd=4)
    model.randomize(random.Random(1))
    before = [p.data for p in model.params()]
    list(microgpt.train(model, ["ab"], 1, learning_rate=0.125))
    moves = [abs(p.data - b) for p, b in zip(model.params(), before)]
    assert max(moves) == pytest.approx(0.125, rel=1e-3)


# Other interpreters


def interpreters():
    """Other Pythons from 3.10 to 3.14 on this machine, one of each version."""
    found = {}
    for minor in range(10, 15):
        homes = Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python")
        places = [*sorted(homes), shutil.which(f"python3.{minor}")]
        for place in filter(None, places):
            ask = [place, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
            answer = subprocess.run(ask, capture_output=True, text=True)
            if answer.stdout.strip() == f"3.{minor}":  # pyenv's shims may not run
                found[f"3.{minor}"] = place
                break
    found.pop(f"3.{sys.version_info.minor}", None)
    found["pypy"] = shutil.which("pypy3")
    return {name: place for name, place in found.items() if place}


OTHERS = interpreters() or {"none": None}


@pytest.mark.slow
@pytest.mark.parametrize("python", OTHERS.values(), ids=OTHERS.keys())
def test_another_python_prints_the_same(program, tmp_path, python):
    if python is None:
        pytest.skip("no other Python from 3.10 to 3.14 is on this machine")
    path = tmp_path / "names.txt"
    path.write_text(NAMES + UNICODE, encoding="utf-8")
    options = ["--input", path, "--steps", 30, "--samples", 10]
    here = program.run(*options)
    there = program.run(*options, python=python, env=dict(os.environ, LC_ALL="C"))
    assert (there.stdout, there.stderr) == (here.stdout, "")
    assert there.returncode == 0
