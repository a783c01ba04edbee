"""Writing outputs: what is touched, what is refused, and what a kill leaves behind."""

from __future__ import annotations

import errno
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tangle
from literate.tool import outputs

HOME = Path(__file__).resolve().parents[2]
MANIFEST = ".tangle.json"


def document(roots: dict[str, str]) -> str:
    """Return a document with these roots, their texts by their paths in build/."""
    chunks = [f"# A title\n\n```sh\n# <<build/{p}>>=\n{roots[p]}```\n" for p in roots]
    return "\n".join(chunks)


def write(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8"))


def tree(folder: Path) -> dict[str, str]:
    """Return the files below a folder that are no temporary ones."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().decode("utf-8")
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".tangle-")
    }


def programs(folder: Path) -> dict[str, str]:
    """Return the outputs in a folder: all files but the tangler's own."""
    files = tree(folder).items()
    return {path: text for path, text in files if not path.startswith(".tangle")}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> int:
    return tangle.main(list(arguments))


def written(here: Path, roots: dict[str, str], *arguments: str) -> int:
    write(here / "a.md", document(roots))
    return run("a.md", *arguments)


# What is touched


def test_outputs_and_manifest(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert written(here, {"a": "1\n", "b/c": "2\n"}) == 0
    build = here / "build"
    assert programs(build) == {"a": "1\n", "b/c": "2\n"}
    record = json.loads((build / MANIFEST).read_bytes())
    assert list(record) == ["../a.md"] and list(record["../a.md"]) == ["a", "b/c"]
    said = capsys.readouterr().out.replace(os.sep, "/").splitlines()
    assert said == ["wrote build/a", "wrote build/b/c"]


def test_a_second_run_touches_nothing(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    roots = {"a": "1\n", "b/c": "2\n"}
    written(here, roots)
    for path in (here / "build").rglob("*"):
        os.utime(path, (1, 1))
    os.utime(here / "build", (1, 1))
    capsys.readouterr()
    assert written(here, roots) == 0
    assert capsys.readouterr().out == "build is up to date\n"
    touched = [here / "build", *(here / "build").rglob("*")]
    assert all(path.stat().st_mtime == 1 for path in touched)


def test_only_what_changed_is_written(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(here, {"a": "1\n", "b": "2\n"})
    os.utime(here / "build" / "a", (1, 1))
    capsys.readouterr()
    assert written(here, {"a": "1\n", "b": "3\n"}) == 0
    assert capsys.readouterr().out.split() == ["wrote", os.path.join("build", "b")]
    assert (here / "build" / "a").stat().st_mtime == 1
    assert programs(here / "build") == {"a": "1\n", "b": "3\n"}


def test_orphans_go_and_the_folders_they_leave_empty(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(here, {"a": "1\n", "b/c/d": "2\n", "b/e": "3\n", "f/g": "4\n"})
    write(here / "build" / "f" / "mine", "kept")
    assert written(here, {"b/e": "3\n"}) == 0
    assert programs(here / "build") == {"b/e": "3\n", "f/mine": "kept"}
    assert not (here / "build" / "b" / "c").exists()
    assert "removed" in capsys.readouterr().out
    assert written(here, {}) == 0
    assert tree(here / "build")[MANIFEST] == "{}\n"
    assert (here / "build").is_dir()


def test_a_file_becomes_a_folder_and_a_folder_a_file(here: Path) -> None:
    for roots in ({"a": "1\n", "b/c": "2\n"}, {"a/d/e": "3\n", "b": "4\n"}) * 2:
        assert written(here, roots) == 0
        assert programs(here / "build") == roots


def test_an_output_removed_by_hand_is_written_again(here: Path) -> None:
    written(here, {"a": "1\n"})
    (here / "build" / "a").unlink()
    assert written(here, {"a": "1\n"}) == 0
    (here / "build" / "a").unlink()
    assert written(here, {"a": "2\n"}) == 0
    assert programs(here / "build") == {"a": "2\n"}


def test_a_name_in_other_letters(here: Path) -> None:
    written(here, {"A": "1\n"})
    assert written(here, {"a": "1\n"}) == 0
    assert [name.lower() for name in programs(here / "build")] == ["a"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_the_mode_of_a_file_is_kept(here: Path) -> None:
    written(here, {"a": "1\n"})
    (here / "build" / "a").chmod(0o751)
    written(here, {"a": "2\n"})
    assert (here / "build" / "a").stat().st_mode & 0o777 == 0o751


def test_bytes_are_written_as_the_document_has_them(here: Path) -> None:
    text = "ä\r\n\r\nπ\n\x0b\u2028\n"
    assert written(here, {"a": text}) == 0
    assert (here / "build" / "a").read_bytes() == text.encode("utf-8")


# Edits by hand


def test_an_edit_is_refused_and_kept(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(here, {"a": "1\n2\n3\n", "b": "x\n"})
    write(here / "build" / "a", "1\ntwo\n3\n")
    capsys.readouterr()
    before = tree(here / "build")
    assert written(here, {"a": "1\n2\n3\n", "b": "y\n"}) == 1
    assert tree(here / "build") == before
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.replace(os.sep, "/") == (
        "build/a:2:1: error: not what was tangled last, an edit by hand? "
        "1 line differs\n"
        "  two\n"
        "  ^^^\n"
        "  hint: it comes from a.md:6; to carry it there: "
        "python tangle.py a.md stitch; to drop it, add --force\n"
    )
    assert written(here, {"a": "1\n2\n3\n", "b": "y\n"}, "--force") == 0
    assert programs(here / "build") == {"a": "1\n2\n3\n", "b": "y\n"}
    assert written(here, {"a": "1\n2\n3\n", "b": "y\n"}) == 0


def test_an_edit_carried_into_the_document_is_no_edit(here: Path) -> None:
    written(here, {"a": "1\n"})
    write(here / "build" / "a", "2\n")
    assert written(here, {"a": "2\n"}) == 0
    assert written(here, {"a": "3\n"}) == 0


def test_somebody_elses_file_is_not_overwritten(here: Path) -> None:
    (here / "build").mkdir()
    write(here / "build" / "a", "mine")
    assert written(here, {"a": "1\n"}) == 1
    assert tree(here / "build") == {"a": "mine"}
    assert written(here, {"a": "1\n"}, "--force") == 0


def test_an_edited_orphan_is_kept(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(here, {"a": "1\n", "b": "2\n"})
    write(here / "build" / "b", "mine")
    before = tree(here / "build")
    assert written(here, {"a": "3\n"}) == 1
    assert tree(here / "build") == before
    assert "a.md has no such root any more" in capsys.readouterr().err
    assert written(here, {"a": "3\n"}, "--force") == 0
    assert programs(here / "build") == {"a": "3\n"}


def test_an_edit_that_is_not_text(here: Path) -> None:
    written(here, {"a": "1\n"})
    (here / "build" / "a").write_bytes(b"\xff\x00")
    assert written(here, {"a": "1\n"}) == 1
    assert written(here, {"a": "1\n"}, "--check") == 1


def test_a_long_edit_is_counted(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(here, {"a": "x\n" * 20_000})
    write(here / "build" / "a", "y\n" * 20_000)
    assert written(here, {"a": "x\n" * 20_000}) == 1
    assert "20,000 lines differ" in capsys.readouterr().err
    write(here / "build" / "a", "".join(f"{n % 7}\n" for n in range(40)))
    assert written(here, {"a": "0\n" * 40}, "--force") == 0
    write(here / "build" / "a", "".join(f"{n % 7}\n" for n in range(40)))
    assert written(here, {"a": "0\n" * 40}) == 1
    assert re.search(r"\d\d lines differ", capsys.readouterr().err)


# The manifest


@pytest.mark.parametrize(
    "contents",
    [
        *(b"", b"{", b"[]", b"\xff", b"null", b"[" * 100_000),
        *(b'{"../a.md": 3}', b'{"../a.md": {"a": [1]}}'),
    ],
)
def test_a_broken_manifest_is_no_record(here: Path, contents: bytes) -> None:
    written(here, {"a": "1\n"})
    (here / "build" / MANIFEST).write_bytes(contents)
    assert written(here, {"a": "1\n"}) == 0
    assert list(json.loads((here / "build" / MANIFEST).read_bytes())) == ["../a.md"]
    (here / "build" / MANIFEST).write_bytes(contents)
    assert written(here, {"a": "2\n"}) == 1


@pytest.mark.parametrize("path", ["../mine", "b/../../mine", "/mine", "./b", "..", ""])
def test_a_manifest_cannot_have_other_files_removed(here: Path, path: str) -> None:
    written(here, {"a": "1\n"})
    write(here / "mine", "1\n")
    record = json.loads((here / "build" / MANIFEST).read_bytes())
    record["../a.md"][path] = record["../a.md"]["a"]
    (here / "build" / MANIFEST).write_text(json.dumps(record))
    assert written(here, {"a": "1\n"}) == 0
    assert (here / "mine").exists()


def test_two_documents_in_one_folder(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(here, {"a": "1\n"})
    write(here / "b.md", document({"b": "2\n"}))
    assert run("b.md") == 0
    assert written(here, {"c": "3\n"}) == 0
    assert programs(here / "build") == {"b": "2\n", "c": "3\n"}
    write(here / "b.md", document({"C": "4\n"}))
    assert run("b.md", "--force") == 1
    assert "a.md writes this file as well" in capsys.readouterr().err
    assert programs(here / "build") == {"b": "2\n", "c": "3\n"}


def test_a_renamed_document_takes_its_outputs_over(here: Path) -> None:
    written(here, {"a": "1\n", "b": "2\n"})
    (here / "a.md").rename(here / "new.md")
    write(here / "new.md", document({"a": "3\n"}))
    assert run("new.md") == 0
    assert programs(here / "build") == {"a": "3\n"}
    record = json.loads((here / "build" / MANIFEST).read_bytes())
    assert {name: list(record[name]) for name in record} == {"../new.md": ["a"]}


def test_a_moved_folder_keeps_its_record(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "old").mkdir()
    monkeypatch.chdir(here / "old")
    written(here / "old", {"a": "1\n"})
    monkeypatch.chdir(here)
    (here / "old").rename(here / "new")
    write(here / "new" / "a.md", document({"a": "2\n"}))
    assert run(os.path.join("new", "a.md")) == 0
    assert programs(here / "new" / "build") == {"a": "2\n"}


# Places


def symlink(link: Path, target: Path) -> None:
    try:
        link.symlink_to(target, target_is_directory=target.is_dir())
    except OSError:
        pytest.skip("no symbolic links here")


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_symbolic_links_are_refused(
    here: Path, force: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "elsewhere").mkdir()
    write(here / "elsewhere" / "c", "mine")
    (here / "build").mkdir()
    symlink(here / "build" / "b", here / "elsewhere")
    symlink(here / "build" / "a", here / "elsewhere" / "c")
    symlink(here / "build" / "gone", here / "nowhere")
    for path in ("a", "b/c", "b/d/e", "gone"):
        assert written(here, {path: "1\n"}, *force) == 1
        assert "symbolic link" in capsys.readouterr().err
    assert tree(here / "elsewhere") == {"c": "mine"}
    assert not (here / "nowhere").exists()


def test_build_as_a_symbolic_link(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "elsewhere").mkdir()
    symlink(here / "build", here / "elsewhere")
    assert written(here, {"a": "1\n"}) == 1
    assert "--out" in capsys.readouterr().err
    assert written(here, {"a": "1\n"}, "--out", "build") == 0
    assert programs(here / "elsewhere") == {"a": "1\n"}


def test_orphans_behind_symbolic_links_stay(here: Path) -> None:
    written(here, {"a": "1\n", "b/c": "2\n", "d": "3\n"})
    (here / "build" / "b").rename(here / "b")
    symlink(here / "build" / "b", here / "b")
    assert written(here, {"a": "1\n", "d": "3\n"}) == 0
    assert (here / "b" / "c").exists()
    (here / "build" / "d").rename(here / "d")
    symlink(here / "build" / "d", here / "d")
    assert written(here, {"a": "1\n"}) == 0
    assert (here / "d").exists() and (here / "build" / "d").is_symlink()


def test_places_that_are_taken(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "build" / "a").mkdir(parents=True)
    write(here / "build" / "a" / "mine", "mine")
    write(here / "build" / "b", "mine")
    before = tree(here / "build")
    assert written(here, {"a": "1\n", "b/c": "2\n"}, "--force") == 1
    assert tree(here / "build") == before
    said = capsys.readouterr().err.replace(os.sep, "/").splitlines()
    assert said == [
        "build/a: error: a folder is where the output should be",
        "build/b/c: error: build/b is a file and should be a folder",
    ]
    assert written(here, {"a": "1\n"}, "--out", os.path.join("build", "b")) == 1
    assert "a file is where the folder should be" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="no pipes with names")
def test_what_is_no_regular_file_stays(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "build").mkdir()
    os.mkfifo(here / "build" / "a")
    assert written(here, {"a": "1\n"}, "--force") == 1
    assert "no regular file" in capsys.readouterr().err
    assert (here / "build" / "a").is_fifo()


def test_the_document_is_not_overwritten(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert written(here, {"a.md": "1\n"}, "--out", ".", "--force") == 1
    assert "this is the document itself" in capsys.readouterr().err
    assert (here / "a.md").read_text() == document({"a.md": "1\n"})


def test_out_puts_another_folder_in_the_place_of_build(here: Path) -> None:
    assert written(here, {"a/b": "1\n"}, "--out", os.path.join("x", "y")) == 0
    assert programs(here) == {
        "a.md": document({"a/b": "1\n"}),
        "x/y/a/b": "1\n",
        "x/y/.tangle.json": tree(here / "x" / "y")[MANIFEST],
    }


# When the system refuses


@pytest.mark.parametrize("number", range(4))
def test_a_full_disk_loses_nothing(
    here: Path,
    number: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The file with this number, temporary files being counted, cannot be written."""
    written(here, {"a": "1\n", "b": "2\n", "c": "3\n"})
    before = programs(here / "build")
    opened = []

    def full(file: str, mode: str):
        opened.append(file)
        if mode == "xb" and sum(".tangle-" in name for name in opened) > number:
            write(Path(file), "half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), file)
        return open(file, mode)

    monkeypatch.setattr(outputs, "open", full, raising=False)
    capsys.readouterr()
    new = {"a": "4\n", "b": "5\n"}
    assert written(here, new) == 1
    error = capsys.readouterr().err
    assert "no space left" in error and error.count("\n") == 1
    after = programs(here / "build")
    if number < 3:
        assert after == before
    assert all(after[path] in (before[path], new.get(path)) for path in after)
    assert not list(here.rglob(".tangle-*"))
    monkeypatch.undo()
    monkeypatch.chdir(here)
    assert written(here, new) == 0
    assert programs(here / "build") == new


def test_an_edit_while_the_tangler_works_is_kept(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written(here, {"a": "1\n", "b": "2\n"})

    def save(file: str, mode: str):
        if mode == "xb":  # the plan is made, and nothing is replaced yet
            write(here / "build" / "b", "mine\n")
        return open(file, mode)

    monkeypatch.setattr(outputs, "open", save, raising=False)
    assert written(here, {"a": "3\n", "b": "4\n"}) == 1
    assert "build/b: error: changed by somebody else meanwhile" in (
        capsys.readouterr().err.replace(os.sep, "/")
    )
    assert (here / "build" / "b").read_text() == "mine\n"
    monkeypatch.undo()
    monkeypatch.chdir(here)
    assert written(here, {"a": "3\n", "b": "4\n"}) == 1
    assert "an edit by hand?" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="no locks")
def test_documents_that_are_tangled_into_one_folder_at_once(here: Path) -> None:
    """Each keeps its record: two that wrote at a time lost one."""
    names = [f"n{number}" for number in range(6)]
    for turn in ("1", "2"):
        for name in names:
            write(here / f"{name}.md", document({f"{name}.txt": f"{turn}\n"}))
        command = [sys.executable, str(HOME / "tangle.py")]
        processes = [
            subprocess.Popen([*command, f"{name}.md", "--out", "x"], cwd=here)
            for name in names
        ]
        assert [process.wait(60) for process in processes] == [0] * len(names)
        record = json.loads((here / "x" / MANIFEST).read_bytes())
        assert sorted(record) == [f"../{name}.md" for name in names]


def test_nothing_is_left_when_nothing_can_be_written(here: Path) -> None:
    write(here / "a.md", "```python\n# <<build/a>>=\n# <<No such chunk>>\n```\n")
    assert run("a.md") == 1
    assert not (here / "build").exists()


def test_a_file_that_cannot_be_replaced(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As on Windows, when another program has an output open."""
    written(here, {"a": "1\n", "b": "2\n"})
    replace = os.replace

    def held(source: str, target: str) -> None:
        if target.endswith("b"):
            raise PermissionError(
                errno.EACCES, "Access is denied", source, None, target
            )
        replace(source, target)

    monkeypatch.setattr(os, "replace", held)
    capsys.readouterr()
    assert written(here, {"a": "3\n", "b": "4\n"}) == 1
    held_file = os.path.join("build", "b")
    assert capsys.readouterr().err.startswith(f"{held_file}: error: cannot be written")
    assert programs(here / "build") == {"a": "3\n", "b": "2\n"}
    monkeypatch.setattr(os, "replace", replace)
    assert written(here, {"a": "3\n", "b": "4\n"}) == 0


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden here"
)
def test_a_read_only_folder(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(here, {"a": "1\n"})
    (here / "build").chmod(0o555)
    capsys.readouterr()
    assert written(here, {"a": "2\n"}) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert programs(here / "build") == {"a": "1\n"}
    (here / "build").chmod(0o755)


def test_litter_is_swept_when_it_is_old(here: Path) -> None:
    written(here, {"a": "1\n"})
    old, new = here / "build" / ".tangle-1", here / "build" / ".tangle-2"
    for litter in (old, new):
        litter.mkdir()
        write(litter / "0", "half")
    os.utime(old, (time.time() - 100, time.time() - 100))
    assert written(here, {"a": "2\n"}) == 0
    assert not old.exists() and new.exists()


# Kills

BEFORE = {"a": "1\n" * 3, "b/c": "2\n", "d": "3\n", "e": "4\n", "g/h": "5\n"}
AFTER = {"a": "6\n" * 5, "b/c": "7\n", "e/f": "8\n", "g": "9\n", "new/i": "10\n"}

# Runs the tangler, and dies at a given one of the moments when the disk is changed.
DEADLY = """
import os, sys
sys.path.insert(0, sys.argv[1])
left = int(sys.argv[2])
import tangle
from literate.tool import outputs

def moment():
    global left
    left -= 1
    if left == 0:
        os._exit(9)

def deadly(function):
    def call(*arguments, **named):
        moment()
        result = function(*arguments, **named)
        moment()
        return result
    return call

class Stream:
    def __init__(self, *arguments):
        self.stream = open(*arguments, buffering=0)
    def __enter__(self):
        return self
    def __exit__(self, *error):
        self.stream.close()
    def read(self):
        return self.stream.read()
    def write(self, contents):
        self.stream.write(contents[:len(contents) // 2])
        moment()
        self.stream.write(contents[len(contents) // 2:])
        moment()

for name in ("replace", "unlink", "makedirs", "rmdir", "chmod"):
    setattr(os, name, deadly(getattr(os, name)))
outputs.open = deadly(Stream)
sys.exit(tangle.main(["a.md"]))
"""


def check_after_kill(here: Path) -> None:
    """Every file is whole, old or new; and the next run finishes what was begun.

    What was left in a temporary folder is swept later.
    """
    for path, text in programs(here / "build").items():
        assert text in (BEFORE.get(path), AFTER.get(path))
    saved = here.with_name("saved")
    shutil.rmtree(saved, ignore_errors=True)
    shutil.copytree(here, saved)
    third = {"a": "11\n", "e/f": "12\n"}
    for roots in (AFTER, BEFORE, third):
        assert written(here, roots) == 0
        assert programs(here / "build") == roots
        shutil.rmtree(here / "build")
        shutil.copytree(saved / "build", here / "build")


@pytest.mark.slow
def test_a_kill_at_any_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    moment, killed = 0, True
    while killed:
        moment += 1
        shutil.rmtree(here / "build", ignore_errors=True)
        assert written(here, BEFORE) == 0
        write(here / "a.md", document(AFTER))
        command = [sys.executable, "-S", "-c", DEADLY, str(HOME), str(moment)]
        status = subprocess.run(command, capture_output=True).returncode
        killed = status == 9
        assert killed or status == 0
        check_after_kill(here)
    assert moment > 60


@pytest.mark.slow
def test_kills_at_random_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    generator = random.Random(1)
    versions = [{str(n): f"{v}\n" * 10_000 for n in range(20)} for v in range(2)]
    written(here, versions[0])
    for turn in range(20):
        write(here / "a.md", document(versions[turn % 2]))
        process = subprocess.Popen(
            [sys.executable, "-S", str(HOME / "tangle.py"), "a.md"],
            stdout=subprocess.DEVNULL,
        )
        time.sleep(generator.uniform(0.03, 0.09))
        process.kill()
        process.wait()
        for path, text in programs(here / "build").items():
            assert text in (versions[0][path], versions[1][path])
    assert written(here, versions[1]) == 0
    assert programs(here / "build") == versions[1]
