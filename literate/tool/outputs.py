"""Outputs on the disk: what has to change is planned and checked, then written whole.

The manifest, `.tangle.json` in the folder of outputs, holds for each document the
hashes of what was written for it. So an edit by hand is noticed, and a file whose root
is gone is known for ours. Before the first file is replaced the manifest accepts both
the old and the new contents; a kill at any moment then never looks like an edit.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from difflib import SequenceMatcher, unified_diff

from literate.core import names
from literate.core.blocks import split_lines
from literate.core.diagnostics import Problem
from literate.core.programs import Output
from literate.tool.forms import Form

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_TEMPORARY = ".tangle-"  # begins the name of every temporary folder
_STALE = 60.0  # seconds after which a temporary folder was left by a killed run

Record = dict[str, list[str]]  # an output's path in the folder -> accepted hashes


class OutputError(Exception):
    """Files cannot be written: one message each; what they held is not lost."""

    def __init__(self, messages: list[str]) -> None:
        self.messages = messages
        super().__init__(messages)

    def __str__(self) -> str:
        return "\n".join(self.messages)

    def as_json(self) -> str:
        """Return the messages for tools: a JSON object on a line for each."""
        return "\n".join(json.dumps({"message": text}) for text in self.messages)


@dataclass
class Change:
    """A file to be written, or to be removed if `new` is None.

    `path` is relative to the folder of outputs, with slashes; `output` makes the file;
    `old` is what it holds, None if it is missing; `edited` tells that this is not what
    was written last.
    """

    path: str
    output: Output | Form | None
    old: bytes | None
    new: bytes | None
    edited: bool


class Plan:
    """What has to change in a folder for it to hold exactly a document's outputs."""

    def __init__(
        self, outputs: list[Output | Form], folder: str, document: str
    ) -> None:
        """Look at the disk and write nothing.

        `folder` is where outputs go and `document` the file they come from. Raises
        OutputError if an output cannot stand where it should.
        """
        self.folder = folder
        self.document = document
        if os.path.lexists(folder) and not os.path.isdir(folder):
            message = f"{folder}: error: a file is where the folder should be"
            raise OutputError([message])
        self._read_manifest()
        wanted = {output.path.partition("/")[2]: output for output in outputs}
        self._new = {p: output.text.encode() for p, output in wanted.items()}
        self._record = {path: [_hash(new)] for path, new in self._new.items()}
        self._orphans = sorted(self._accepted.keys() - wanted.keys())
        self._check_places()
        self.changes = [*self._removals(), *self._writings(wanted)]

    def refuse_edits(self, known: Collection[bytes] = ()) -> None:
        """Raise OutputError with every file that was edited by hand.

        Edits are left out whose contents are `known`, because the document has them.
        """
        edits = [
            self.edit_message(change)
            for change in self.changes
            if change.edited and change.old not in known
        ]
        if edits:
            raise OutputError(edits)

    def edit_message(self, change: Change) -> str:
        """Say where a file was edited by hand, and how the edit can be kept."""
        file = self.file(change.path)
        if not isinstance(change.output, Output):
            why, end = f"it is made from {self.document}", "make it again"
            if change.output is None:
                why, end = f"{self.document} has no such root any more", "remove it"
            hint = f"to keep it, move it elsewhere; to {end}, add --force"
            return f"{file}: error: edited by hand, and {why}\n  hint: {hint}"
        old, new = _lines(change.old), split_lines(change.output.text)
        places = differing(old, new)
        count = sum(
            max(end - start, last - first) for start, end, first, last in places
        )
        start, _, first, _ = places[0]
        comes = f"it comes from {self.document}"
        if new:
            comes += f":{change.output.origin(min(first + 1, len(new))).line}"
        message = "not what was tangled last, an edit by hand?"
        counted = "1 line differs" if count == 1 else f"{count:,} lines differ"
        source = old[start].rstrip("\r\n") if start < len(old) else ""
        hint = (
            f"{comes}; to carry it there: python tangle.py {self.document} stitch; "
            "to drop it, add --force"
        )
        place = Problem(
            file, start + 1, 1, f"{message} {counted}", source, len(source), hint
        )
        return place.render()

    def was_changed(self, change: Change) -> bool:
        """Tell whether the document says something else than what was written last."""
        recorded = self._accepted.get(change.path, [])
        return change.new is None or _hash(change.new) not in recorded

    def differences(self) -> Iterator[str]:
        """Yield the lines of a diff from the disk to what the document says."""
        for change in self.changes:
            file = self.file(change.path).replace(os.sep, "/")
            if change.old is None:
                yield f"{file}: missing\n"
            elif change.new is None:
                yield f"{file}: no root of {self.document} any more\n"
            elif change.edited:
                yield f"{file}: edited by hand\n"
            old, new = _lines(change.old), _lines(change.new)
            for line in unified_diff(old, new, file, f"{self.document} says"):
                yield line if line.endswith("\n") else f"{line}\n"

    def apply(self) -> list[str]:
        """Make the changes; return a line for each file written or removed.

        Raises OutputError if the system refuses, or if a file is no longer what it was
        when the plan was made; every file is then whole, old or new.
        """
        if not self.changes and self._accepted == self._record:
            return []
        done: list[str] = []
        try:
            os.makedirs(self.folder, exist_ok=True)
            with _staging(self.folder) as stage:
                staged = [self._stage(change, stage) for change in self.changes]
                if self.changes:
                    self._write_manifest(_joined(self._accepted, self._record), stage)
                for change, ready in zip(self.changes, staged):
                    done.append(self._make(change, ready))
                self._write_manifest(self._record, stage)
        except OSError as error:
            raise OutputError([_system_message(error, self.folder)]) from None
        return done

    def file(self, path: str) -> str:
        """Return where an output is on the disk."""
        return os.path.join(self.folder, *path.split("/"))

    # The manifest

    def _read_manifest(self) -> None:
        """Find what is accepted: what was written, for this document or one now gone.

        A manifest is a file like any other: what is not of its form is no record, and
        it may not name what is elsewhere.
        """
        self._accepted: Record = {}
        self._others: dict[str, Record] = {}  # of other documents
        self._key = _relative(self.document, self.folder)
        try:
            manifest = json.loads(_read(self.file(names.MANIFEST)) or b"{}")
            records = {
                document: {p: [*record[p]] for p in record if _is_inside(p)}
                for document, record in manifest.items()
            }
        except (AttributeError, OSError, RecursionError, TypeError, ValueError):
            return
        for document, record in records.items():
            is_gone = not os.path.exists(os.path.join(self.folder, document))
            if document == self._key or is_gone:
                self._accepted = _joined(self._accepted, record)
            else:
                self._others[document] = record

    def _write_manifest(self, record: Record, stage: str) -> None:
        manifest = {**self._others, **({self._key: record} if record else {})}
        text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False)
        temporary = os.path.join(stage, "manifest")
        _write(temporary, f"{text}\n".encode())
        os.replace(temporary, self.file(names.MANIFEST))

    # Planning

    def _check_places(self) -> None:
        """Raise OutputError if outputs cannot stand where they should."""
        found = ((path, self._obstacle(path)) for path in self._new)
        refused = [
            f"{self.file(p)}: error: {obstacle}" for p, obstacle in found if obstacle
        ]
        if refused:
            raise OutputError(refused)

    def _obstacle(self, path: str) -> str:
        """Return what is in an output's way, "" if nothing is."""
        file = self.file(path)
        for document, record in self._others.items():
            if names.same_path(path) in map(names.same_path, record):
                other = os.path.normpath(os.path.join(self.folder, document))
                return f"{other} writes this file as well"
        parts = path.split("/")
        for depth in range(1, len(parts)):
            folder = "/".join(parts[:depth])
            if os.path.isfile(self.file(folder)) and folder not in self._orphans:
                return f"{self.file(folder)} is a file and should be a folder"
        if self._leads_elsewhere(path):
            return "a symbolic link leads elsewhere"
        if os.path.realpath(file) == os.path.realpath(self.document):
            return "this is the document itself"
        if os.path.isdir(file) and not self._is_vacated(path):
            return "a folder is where the output should be"
        if os.path.exists(file) and not os.path.isdir(file) | os.path.isfile(file):
            return "what is there is no regular file"
        return ""

    def _leads_elsewhere(self, path: str) -> bool:
        """Tell whether a symbolic link is in an output's place, or above it."""
        plain = os.path.join(os.path.realpath(self.folder), *path.split("/"))
        real = os.path.realpath(self.file(path))
        return os.path.normcase(real) != os.path.normcase(plain)

    def _is_vacated(self, path: str) -> bool:
        """Tell whether a folder holds nothing but orphans, which will be removed."""
        for folder, _, files in os.walk(self.file(path)):
            inside = os.path.relpath(folder, self.folder).replace(os.sep, "/")
            if any(f"{inside}/{file}" not in self._orphans for file in files):
                return False
        return True

    def _removals(self) -> Iterator[Change]:
        wanted = {names.same_path(path): path for path in self._new}
        for path in self._orphans:
            file = self.file(path)
            if self._leads_elsewhere(path) or not os.path.isfile(file):
                continue
            new = wanted.get(names.same_path(path))  # the same, in other letters?
            written = self.file(new) if new else ""
            if os.path.exists(written) and os.path.samefile(file, written):
                continue
            old = self._read_output(path)
            yield Change(path, None, old, None, self._is_edited(path, old))

    def _writings(self, wanted: dict[str, Output | Form]) -> Iterator[Change]:
        for path, output in wanted.items():
            old, new = self._read_output(path), self._new[path]
            if old != new:
                edited = old is not None and self._is_edited(path, old)
                yield Change(path, output, old, new, edited)

    def _is_edited(self, path: str, contents: bytes) -> bool:
        return _hash(contents) not in self._accepted.get(path, [])

    def _read_output(self, path: str) -> bytes | None:
        try:
            return _read(self.file(path))
        except OSError as error:
            message = f"{self.file(path)}: error: {_reason(error)}"
            raise OutputError([message]) from None

    # Writing

    def _stage(self, change: Change, stage: str) -> str | None:
        """Write new contents to a temporary file; return that, None for a removal."""
        if change.new is None:
            return None
        temporary = os.path.join(stage, str(len(os.listdir(stage))))
        _write(temporary, change.new)
        if change.old is not None:
            mode = stat.S_IMODE(os.stat(self.file(change.path)).st_mode)
            os.chmod(temporary, mode)
        return temporary

    def _make(self, change: Change, staged: str | None) -> str:
        """Write or remove a file that is still what it was; say what was done."""
        file = self.file(change.path)
        if _read(file) != change.old:
            raise OutputError([f"{file}: error: {_MEANWHILE}"])
        if staged is None:
            os.unlink(file)
            with suppress(OSError):  # the folder is not empty
                os.removedirs(os.path.dirname(file))
            return f"removed {file}"
        os.makedirs(os.path.dirname(file), exist_ok=True)
        if os.path.isdir(file):
            for folder, _, _ in os.walk(file, topdown=False):
                os.rmdir(folder)
        os.replace(staged, file)
        return f"wrote {file}"


_MEANWHILE = "changed by somebody else meanwhile; it was left alone"


def replace_file(path: str, old: bytes, new: bytes) -> None:
    """Put `new` in the place of a file that holds `old`, whole or not at all.

    Raises OutputError, and leaves the file as it is, if it may not be written, if it
    holds something else by now, or if the system refuses.
    """
    file = os.path.realpath(path)
    try:
        mode = stat.S_IMODE(os.stat(file).st_mode)
        if not mode & stat.S_IWRITE:
            raise OutputError([f"{path}: error: read-only; nothing was changed"])
        with _staging(os.path.dirname(file)) as stage:
            temporary = os.path.join(stage, "new")
            _write(temporary, new)
            os.chmod(temporary, mode)
            if _read(file) != old:
                raise OutputError([f"{path}: error: {_MEANWHILE}"])
            os.replace(temporary, file)
    except OSError as error:
        raise OutputError([_system_message(error, path)]) from None


def write_into(folder: str, outputs: list[Output]) -> None:
    """Write programs into a folder of nobody else's, for them to be run there."""
    for output in outputs:
        file = os.path.join(folder, *output.path.split("/"))
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "wb") as stream:
            stream.write(output.text.encode())


@contextmanager
def alone(folder: str) -> Iterator[None]:
    """Keep other tanglers away from a folder of outputs, where the system can.

    Two that plan at the same time would take each other's files for edits by hand. The
    folder is made if there is none, and goes again if nothing was written. Raises
    OutputError if it cannot be made.
    """
    is_new = not os.path.lexists(folder)
    try:
        if is_new:
            os.makedirs(folder, exist_ok=True)
        lock = _lock(folder) if os.path.isdir(folder) else None
    except OSError as error:
        raise OutputError([_system_message(error, folder)]) from None
    try:
        yield
    finally:
        if lock is not None:
            os.close(lock)
        if is_new:
            with suppress(OSError):  # it is not empty
                os.rmdir(folder)


def _lock(folder: str) -> int | None:
    """Wait until the lock of a folder is ours; it ends when what is returned closes."""
    if fcntl is None:
        return None
    lock = os.open(folder, os.O_RDONLY)
    with suppress(OSError):  # a disk that knows no locks
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def differing(old: list[str], new: list[str]) -> list[tuple[int, int, int, int]]:
    """Return the places, as old and new ranges of lines, where two texts differ."""
    opcodes = SequenceMatcher(None, old, new).get_opcodes()
    return [tuple(place) for tag, *place in opcodes if tag != "equal"]


@contextmanager
def _staging(folder: str) -> Iterator[str]:
    """Give a temporary folder inside of a folder; sweep what killed runs left there."""
    # Importing these takes longer than finding that there is nothing to be written.
    import shutil
    import tempfile

    with os.scandir(folder) as entries:
        old = [entry for entry in entries if entry.name.startswith(_TEMPORARY)]
    for entry in old:
        if time.time() - entry.stat(follow_symlinks=False).st_mtime > _STALE:
            shutil.rmtree(entry.path, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_TEMPORARY, dir=folder) as stage:
        yield stage


def _read(file: str) -> bytes | None:
    """Return what a file holds, None if there is no file."""
    if not os.path.isfile(file):
        return None
    with open(file, "rb") as stream:
        return stream.read()


def _write(file: str, contents: bytes) -> None:
    with open(file, "xb") as stream:
        stream.write(contents)


def _hash(contents: bytes) -> str:
    return hashlib.sha256(contents).hexdigest()[:32]


def _lines(contents: bytes | None) -> list[str]:
    return split_lines((contents or b"").decode("utf-8", "replace"))


def _joined(one: Record, other: Record) -> Record:
    """Return a record that accepts what either accepts."""
    paths = {**one, **other}
    return {p: list(dict.fromkeys([*one.get(p, []), *other.get(p, [])])) for p in paths}


def _is_inside(path: str) -> bool:
    """Tell whether a path of the manifest names a file that an output could have."""
    root = f"{names.FOLDER}/{path}"
    return not names.name_fault(root) and names.root_path(root) == root


def _relative(document: str, folder: str) -> str:
    """Return a document's path from the folder, with slashes, or its absolute path."""
    try:
        path = os.path.relpath(document, folder)
    except ValueError:  # another drive
        path = os.path.abspath(document)
    return path.replace(os.sep, "/")


def _system_message(error: OSError, path: str) -> str:
    """Say what the system refuses."""
    file = error.filename2 or error.filename or path
    if isinstance(error, PermissionError) and os.name == "nt":
        return f"{file}: error: cannot be written; is it open in another program?"
    return f"{file}: error: cannot be written: {_reason(error)}"


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
