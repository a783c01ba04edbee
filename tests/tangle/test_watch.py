"""Watching a document: each way in which editors save, and what is said meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import hear_signals, is_running

HOME = Path(__file__).resolve().parents[2]
PATIENCE = 20.0

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


def document(body: str) -> bytes:
    return f"# A book\n\n```python\n# <<build/a.py>>=\n{body}\n```\n".encode()


class Watch:
    """A watcher as a process of its own, and what it has said."""

    def __init__(self, here: Path, *arguments: str) -> None:
        self.here = here
        self.log = open(here / "log", "wb")  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, str(HOME / "tangle.py"), "a.md", "watch", *arguments],
            cwd=here,
            stdout=self.log,
            stderr=self.log,
            preexec_fn=hear_signals,
        )

    def said(self) -> str:
        return (self.here / "log").read_text("utf-8")

    def wait_for(self, condition) -> float:
        """Wait until something is so; return how many seconds that took."""
        start = time.perf_counter()
        while not condition():
            assert time.perf_counter() - start < PATIENCE, self.said()
            assert self.process.poll() is None, self.said()
            time.sleep(0.001)
        return time.perf_counter() - start

    def wait_until_built(self, text: str) -> float:
        file = self.here / "build" / "a.py"
        return self.wait_for(lambda: file.exists() and file.read_text() == text)

    def wait_until_said(self, text: str) -> float:
        return self.wait_for(lambda: text in self.said())

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(PATIENCE)
        self.log.close()
        return status


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "a.md").write_bytes(document("x = 1"))
    return tmp_path


@pytest.fixture
def watch(here: Path) -> Iterator[Watch]:
    watch = Watch(here)
    watch.wait_until_built("x = 1\n")
    yield watch
    assert watch.stop() == 130
    assert "Traceback" not in watch.said()


def test_a_save_in_place_and_one_by_rename(here: Path, watch: Watch) -> None:
    (here / "a.md").write_bytes(document("x = 2"))
    watch.wait_until_built("x = 2\n")
    (here / "new").write_bytes(document("x = 3"))
    os.replace(here / "new", here / "a.md")
    watch.wait_until_built("x = 3\n")
    os.rename(here / "a.md", here / "a.md~")  # as Vim does, with a backup
    (here / "a.md").write_bytes(document("x = 4"))
    watch.wait_until_built("x = 4\n")
    assert "no such" not in watch.said()


def test_a_save_in_halves(here: Path, watch: Watch) -> None:
    pause, n = 1.0, 1
    while pause > 0.01:  # or this computer was too busy to save as fast as an editor
        n += 1
        contents, before = document(f"x = {n}"), watch.said()
        with open(here / "a.md", "wb") as stream:  # empty for a moment
            time.sleep(0.1)
            stream.write(contents[: len(contents) // 2])
            stream.flush()
            start = time.perf_counter()
            time.sleep(0.005)
            stream.write(contents[len(contents) // 2 :])
        pause = time.perf_counter() - start
        watch.wait_until_built(f"x = {n}\n")
    said = watch.said().removeprefix(before)
    assert "removed" not in said and "error" not in said


def test_a_document_deleted_and_put_back(here: Path, watch: Watch) -> None:
    (here / "a.md").unlink()
    watch.wait_until_said("a.md: no such document")
    (here / "a.md").write_bytes(document("x = 5"))
    watch.wait_until_built("x = 5\n")


def test_problems_come_and_go(here: Path, watch: Watch) -> None:
    both = document("x = 2\n# <<One>>\n# <<Two>>")
    (here / "a.md").write_bytes(both)
    watch.wait_until_said('a.md:7:3: error: no chunk is called "Two"')
    (here / "a.md").write_bytes(document("y = 0\nx = 2\n# <<Two>>"))
    watch.wait_until_said("\n1 problem\n")
    assert 'a.md:6: mended: no chunk is called "One"' in watch.said()
    assert "\n2 problems\n" in watch.said()
    assert 'a.md:7:3: error: no chunk is called "Two"' in watch.said()
    (here / "a.md").write_bytes(document("y = 1\nx = 2\n# <<Two>>"))
    time.sleep(0.3)
    assert watch.said().count("1 problem\n") == 1  # nothing came, nothing went
    (here / "a.md").write_bytes(document("x = 2"))
    watch.wait_until_built("x = 2\n")
    watch.wait_until_said('a.md:7: mended: no chunk is called "Two"')


def test_an_edit_by_hand_is_kept(here: Path, watch: Watch) -> None:
    (here / "build" / "a.py").write_text("mine\n")
    (here / "a.md").write_bytes(document("x = 2"))
    watch.wait_until_said("an edit by hand?")
    assert (here / "build" / "a.py").read_text() == "mine\n"


def test_a_command_after_each_success(here: Path) -> None:
    watch = Watch(here, "--then", "cat build/a.py >> seen; sleep 30")
    seen = here / "seen"
    watch.wait_for(lambda: seen.exists() and seen.read_text() == "x = 1\n")
    (here / "a.md").write_bytes(document("x = ("))
    watch.wait_until_said("not Python")
    (here / "a.md").write_bytes(document("x = 2"))
    watch.wait_for(lambda: seen.read_text() == "x = 1\nx = 2\n")
    start = time.monotonic()
    assert watch.stop() == 130
    assert time.monotonic() - start < 10


def test_verify_and_lint_after_each_success(here: Path) -> None:
    pytest.importorskip("ruff")
    wrong = document("import os") + b"\n```pycon\n>>> 1 + 1\n3\n```\n"
    (here / "a.md").write_bytes(wrong)
    watch = Watch(here, "--verify", "--lint", "--then", "echo then")
    watch.wait_until_said("then\n")
    said = watch.said()
    assert "a.md:10:1: error: " in said and "F401" in said
    assert said.index("verify: ended with") < said.index("lint: ended with")
    assert watch.stop() == 130


@pytest.mark.parametrize("number", [signal.SIGTERM, getattr(signal, "SIGHUP", None)])
def test_a_command_ends_with_the_watcher(here: Path, number: int) -> None:
    watch = Watch(here, "--then", "echo $$ > pid; sleep 100; true")
    pid = here / "pid"
    watch.wait_for(lambda: pid.exists() and pid.read_text())
    watch.process.send_signal(number)
    assert watch.process.wait(PATIENCE) == 128 + number
    watch.log.close()
    end = time.monotonic() + PATIENCE
    while is_running(int(pid.read_text())):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_command_that_fails(here: Path) -> None:
    watch = Watch(here, "--then", "exit 3")
    watch.wait_until_said("exit 3: ended with exit status 3")
    assert watch.stop() == 130


def test_two_watchers(here: Path) -> None:
    watches = [Watch(here, "--out", "build") for _ in range(2)]
    for n in range(2, 8):
        (here / "a.md").write_bytes(document(f"x = {n}"))
        for watch in watches:
            watch.wait_until_built(f"x = {n}\n")
    time.sleep(0.3)
    for watch in watches:
        assert watch.stop() == 130
        assert "error" not in watch.said()
        assert "Traceback" not in watch.said()
    names = {path.name for path in (here / "build").iterdir()}
    assert names == {".tangle.json", "a.py", "a_commented.py", "a.ipynb"}


def test_a_tangler_waits_for_another_one(here: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    command = [sys.executable, str(HOME / "tangle.py"), "a.md"]
    (here / "build").mkdir()
    lock = os.open(here / "build", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    process = subprocess.Popen(command, cwd=here, stdout=subprocess.DEVNULL)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=1)
    assert not (here / "build" / "a.py").exists()
    os.close(lock)
    assert process.wait(timeout=60) == 0
    assert (here / "build" / "a.py").exists()


def test_without_a_document(here: Path) -> None:
    (here / "a.md").unlink()
    command = [sys.executable, str(HOME / "tangle.py"), "a.md", "watch"]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "tangle.py: error: a.md: no such document to watch\n"
