"""What the tests share: the lanes, the tangled program, the published names."""

import hashlib
import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
from browser import (
    build_lock,
    chromium,
    open_lab,
    open_page,
    reader,
    site,
    with_python,
)
from hypothesis import settings

import tangle as command_line
from labs import LabError

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data"
PUBLISHED_NAMES = (
    "https://raw.githubusercontent.com/karpathy/makemore/988aa59/names.txt"
)
PUBLISHED_NAMES_HASH = (
    "0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d"
)

# The fixtures for all
__all__ = ["chromium", "open_lab", "open_page", "reader", "site", "with_python"]

# The program's streams are to be as they are for users.
for name in ("PYTHONIOENCODING", "PYTHONUNBUFFERED", "PYTHONUTF8"):
    os.environ.pop(name, None)

# What is started in the background ignores Ctrl-C, and so do its children.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Everybody gets the same examples; `make fuzz` searches for new ones. A slow machine is
# no fault of the program.
settings.register_profile("same", derandomize=True, database=None, deadline=None)
settings.register_profile("fuzz", max_examples=1000, deadline=None)
settings.load_profile("same")


def pytest_collection_modifyitems(items):
    """Put what needs the built site, or a browser, into a lane of its own."""
    for item in items:
        if {"chromium", "site"} & {*item.fixturenames}:
            item.add_marker("browser")


class Program:
    """The program as microgpt.md has it now: a `path` to run, a `module` to call."""

    def __init__(self, folder):
        self.folder = folder
        self.path = folder / "microgpt.py"
        self.module = self.load()

    def load(self):
        """Return the program as a fresh module."""
        spec = importlib.util.spec_from_file_location("microgpt", self.path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def command(self, *arguments, python=sys.executable):
        return [str(word) for word in (python, self.path, *arguments)]

    def run(self, *arguments, python=sys.executable, timeout=120, **settings):
        """Run the command line to its end; what it prints is in the result."""
        return subprocess.run(
            self.command(*arguments, python=python),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=timeout,
            **settings,
        )


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    """The program, tangled for these tests: an old build/ is never used."""
    folder = tmp_path_factory.mktemp("build")
    command = [sys.executable, "tangle.py", "--out", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return Program(folder)


@pytest.fixture(scope="session")
def microgpt(program):
    """The program as a module, also for whoever imports it by its name."""
    sys.modules["microgpt"] = program.module
    yield program.module
    del sys.modules["microgpt"]


@pytest.fixture(scope="session")
def labs(program, microgpt, tmp_path_factory):
    """The labs' half in Python, in a folder like that of the worker."""
    from labs import bundle
    from labs.shared import driver, models

    models.HOME = home = tmp_path_factory.mktemp("home")
    texts = {}
    for path in (*program.folder.glob("*.txt"), *program.folder.rglob("*.py")):
        name = path.relative_to(program.folder).as_posix()
        texts[f"build/{name}"] = path.read_bytes().decode()
    book = (ROOT / "microgpt.md").read_bytes().decode()
    with build_lock(tmp_path_factory):
        model = bundle.trained(texts)
    packed = json.loads(bundle.bundle(book, texts, model))
    for name, text in packed["files"].items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, encoding="utf-8", newline="")
    sys.path.append(str(home))  # where sessions find the other programs

    def call(name, **arguments):
        """Call a lab's function as a page does; return its value or raise LabError."""
        answer = json.loads(driver.call(name, json.dumps(arguments)))
        if "error" in answer:
            raise LabError(answer["error"])
        return answer["value"]

    return call


@pytest.fixture
def deep(labs, microgpt):
    """Let the reader's own model be one of two layers, and of other sizes."""
    from labs.shared import models

    sizes = {"n_embd": 12, "n_head": 3, "n_layer": 2, "block_size": 8}
    tokenizer = microgpt.Tokenizer("abcdefghijklmnopqrstuvwxyz")
    before = [*models._yours]
    models.make_yours(microgpt.Model(tokenizer, **sizes).randomize(random.Random(7)))
    yield models._yours[0]
    models._yours[:] = before


@pytest.fixture
def here(request, tmp_path, monkeypatch):
    """A folder, the current one, with the test file's DOCUMENT as a.md, tangled."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.md").write_bytes(request.module.DOCUMENT.encode())
    assert command_line.main(["a.md"]) == 0
    return tmp_path


@pytest.fixture
def fresh(program):
    """The program as a module whose tape no other test has used."""
    return program.load()


@pytest.fixture(scope="session")
def published_names():
    """The list that the published numbers come from; it is not in the repository.

    It is looked for beside this repository, and else fetched once from where it was
    published. Without a network, what needs it is skipped.
    """
    here, kept = DATA / "names.txt", ROOT / ".cache" / "published-names.txt"
    if here.exists():
        return here
    if not kept.exists():
        try:
            with urlopen(PUBLISHED_NAMES, timeout=30) as answer:
                names = answer.read()
        except OSError as error:
            pytest.skip(f"the published names are not here, nor there: {error}")
        assert hashlib.sha256(names).hexdigest() == PUBLISHED_NAMES_HASH
        kept.parent.mkdir(exist_ok=True)
        kept.write_bytes(names)
    return kept
