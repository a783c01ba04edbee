"""Outputs on the disk: a plan is made and checked first, then written whole.

The manifest, `.tangle.json` in the folder of outputs, holds for every document the
hashes of what was written for it. So an edit by hand is noticed, and a file whose root
is gone is known for ours. Before the first file is replaced the manifest accepts both
the old and the new contents; a kill at any moment then never looks like an edit.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from literate.core import names
from literate.core.blocks import split_lines
from literate.core.programs import Output
from literate.tool.forms import Form, fingerprint

_TEMPORARY = ".tangle-"  # begins the name of every temporary file
_STALE = 60.0  # seconds after which a temporary file is litter
_SHOWN = 3  # differing places of an edited file that a message names

Record = dict[str, list[str]]  # an output's path in the folder -> accepted hashes


class OutputError(Exception):
    """The outputs cannot be written: one message a file, and nothing was lost."""

    def __init__(self, messages: list[str]) -> None:
        self.messages = messages
        super().__init__(messages)

    def __str__(self) -> str:
        return "\n".join(self.messages)

    def as_json(self) -> str:
        """Return the messages for tools: a JSON object on a line for each."""
        import json

        return "\n".join(json.dumps({"message": text}) for text in self.messages)


def replace_file(path: str, old: bytes, new: bytes) -> None:
    """Put `new` in the place of a file that holds `old`, whole or not at all.

    Raises OutputError, and leaves the file as it is, if it may not be written, if it
    holds something else by now, or if the system refuses.
    """
    file = os.path.realpath(path)
    folder = os.path.dirname(file)
    temporary = os.path.join(folder, f"{_TEMPORARY}{os.getpid()}.tmp")
    sweep(folder)
    try:
        mode = stat.S_IMODE(os.stat(file).st_mode)
        if not mode & stat.S_IWRITE:
            raise OutputError([f"{path}: error: read-only; nothing was changed"])
        with open(temporary, "wb") as stream:
            stream.write(new)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, mode)
        with open(file, "rb") as stream:
            if stream.read() != old:
                message = "somebody else changed it meanwhile; it was left alone"
                raise OutputError([f"{path}: error: {message}"])
        os.replace(temporary, file)
    except OSError as error:
        raise OutputError([_system_message(error, path)]) from None
    finally:
        with suppress(OSError):
            os.unlink(temporary)


def sweep(folder: str) -> None:
    """Remove the temporary files that a killed run left in a folder."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith(_TEMPORARY):
                continue
            if time.time() - entry.stat(follow_symlinks=False).st_mtime > _STALE:
                with suppress(OSError):
                    os.unlink(entry.path)


@contextmanager
def alone(folder: str) -> Iterator[None]:
    """Keep other tanglers of a folder's documents waiting, where the system can.

    Two that plan at the same time would take each other's files for edits by hand.
    """
    lock = None
    with suppress(ImportError, OSError):  # Windows; a disk that knows no locks
        import fcntl

        lock = os.open(folder or ".", os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if lock is not None:
            os.close(lock)


class Change:
    """A file to be written (`new` is its text, in bytes) or removed (`new` is None).

    `path` is relative to the folder, with slashes; `old` is what the disk has, None if
    nothing; `edited` tells that the old contents are not what was written last.
    """

    __slots__ = ("edited", "new", "old", "output", "path")

    def __init__(
        self,
        path: str,
        output: Output | Form | None,
        old: bytes | None,
        new: bytes | None,
        edited: bool,
    ) -> None:
        self.path = path
        self.output = output
        self.old = old
        self.new = new
        self.edited = edited


class Plan:
    """What has to change in a folder for it to hold exactly a document's outputs."""

    def __init__(
        self, outputs: list[Output | Form], folder: str, document: str
    ) -> None:
        """Look at the disk; write nothing.

        `folder` is where outputs go and `document` the file they come from. Raises
        OutputError if an output cannot stand where it should.
        """
        self.folder = folder
        self.document = document
        self.changes: list[Change] = []
        self.unproven: list[Output] = []  # not known to have been written before
        self._problems: list[str] = []
        self._check_folder()
        self._key = _relative(document, folder)
        self._manifest = _read_manifest(self._file(names.MANIFEST))
        self._recorded = self._manifest.get(self._key, {})
        self._new_record: Record = {}
        self._plan_writing(outputs)
        self._plan_removing()
        if self._problems:
            raise OutputError(self._problems)

    def edits(self) -> list[str]:
        """Return a message for each file that was edited by hand, to be kept."""
        return [self.edit_message(change) for change in self.changes if change.edited]

    def edit_message(self, change: Change) -> str:
        """Say where a file was edited by hand, and how the edit can be kept."""
        file = self._file(change.path)
        if change.output is None:
            return (
                f"{file}: error: edited by hand, and {self.document} has no such root "
                "any more\n"
                "  to keep it, move it elsewhere; to remove it, add --force"
            )
        if change.output.key:
            return (
                f"{file}: error: edited by hand, and it is made from {self.document}\n"
                "  to keep it, move it elsewhere; to make it again, add --force"
            )
        new = split_lines(change.output.text)
        places = differing(split_lines(_decode(change.old)), new)
        count = sum(
            max(end - start, new_end - new_start)
            for start, end, new_start, new_end in places
        )
        lines = "1 line differs" if count == 1 else f"{count:,} lines differ"
        shown = [f"{file}: error: not what was tangled last, an edit by hand? {lines}"]
        for start, _, new_start, _ in places[:_SHOWN] if new else []:
            line = change.output.origin(min(new_start + 1, len(new))).line
            shown.append(f"  its line {start + 1} comes from {self.document}:{line}")
        if len(places) > _SHOWN:
            shown.append(f"  and {len(places) - _SHOWN:,} places more")
        shown.append(
            f"  to carry it into {self.document}: python tangle.py {self.document} "
            "stitch; to drop it, add --force"
        )
        return "\n".join(shown)

    def is_new(self, change: Change) -> bool:
        """Tell whether the document says something else than what was written last."""
        hashes = self._recorded.get(change.path, [])
        return change.new is None or fingerprint(change.new) not in hashes

    def differences(self) -> Iterator[str]:
        """Yield the lines of a diff from the disk to what the document says."""
        for change in self.changes:
            yield from self._difference(change)

    def apply(self) -> list[str]:
        """Make the changes; return a line for each file written or removed.

        Raises OutputError if the system refuses; every file is then whole, old or new.
        """
        sweep(self.folder)
        staged: list[str] = []
        try:
            return self._apply(staged)
        except OSError as error:
            raise OutputError([_system_message(error, self.folder)]) from None
        finally:
            for temporary in staged:
                with suppress(OSError):
                    os.unlink(temporary)

    # Planning

    def _file(self, path: str) -> str:
        return os.path.join(self.folder, *path.split("/"))

    def _check_folder(self) -> None:
        if os.path.lexists(self.folder) and not os.path.isdir(self.folder):
            message = f"{self.folder}: error: a file is where the folder should be"
            raise OutputError([message])

    def _plan_writing(self, outputs: list[Output | Form]) -> None:
        claimed: dict[str, str] = {}
        left: Record = {}  # by documents that are no longer there, perhaps renamed
        for document, record in self._manifest.items():
            if not os.path.exists(self._located(document)):
                left.update(record)
            elif document != self._key:
                claimed.update((names.same_path(path), document) for path in record)
        for output in outputs:
            path = output.path.split("/", 1)[1]
            if self._is_made_already(output, path):
                continue
            new = output.text.encode()
            self._new_record[path] = [fingerprint(new)]
            if output.key:
                self._new_record[path].append(output.key)
            if names.same_path(path) in claimed:
                document = self._located(claimed[names.same_path(path)])
                message = f"{os.path.normpath(document)} writes this file as well"
                self._refuse(path, message)
            elif self._is_safe(path):
                if not output.key and self._new_record[path][
                    0
                ] not in self._recorded.get(path, []):
                    self.unproven.append(output)
                accepted = self._recorded.get(path) or left.get(path) or []
                self._compare(path, output, new, accepted)

    def _is_made_already(self, output: Output | Form, path: str) -> bool:
        """Tell whether a form is as the document that it is made from has it."""
        recorded = self._recorded.get(path, [])
        if not output.key or len(recorded) != 2 or output.key not in recorded:
            return False
        old = self._read(path) if self._is_safe(path) else None
        if old is None or fingerprint(old) not in recorded:
            return False
        self._new_record[path] = recorded
        return True

    def _compare(
        self, path: str, output: Output, new: bytes, accepted: list[str]
    ) -> None:
        """Plan the writing of one file, unless it is there already."""
        old = self._read(path)
        if old != new:
            edited = old is not None and fingerprint(old) not in accepted
            self.changes.append(Change(path, output, old, new, edited))

    def _plan_removing(self) -> None:
        kept = {names.same_path(path): path for path in self._new_record}
        removals = []
        for path, accepted in self._recorded.items():
            # A manifest is a file like any other: it may not name what is elsewhere.
            full = f"{names.FOLDER}/{path}"
            if names.name_fault(full) or names.root_path(full) != full:
                continue
            if self._is_kept(path, kept) or self._link_above(path):
                continue
            if os.path.islink(self._file(path)):
                self._refuse(path, "a symbolic link is where an old output was")
            elif os.path.isfile(self._file(path)):
                old = self._read(path)
                if old is not None:
                    edited = fingerprint(old) not in accepted
                    removals.append(Change(path, None, old, None, edited))
        self.changes = removals + self.changes

    def _is_kept(self, path: str, kept: dict[str, str]) -> bool:
        """Tell whether an old output is a new one, perhaps in other letters."""
        new = kept.get(names.same_path(path))
        if new is None or new == path:
            return new is not None
        with suppress(OSError):
            return os.path.samefile(self._file(path), self._file(new))
        return False

    def _is_safe(self, path: str) -> bool:
        """Refuse an output whose place is taken, or lies behind a symbolic link."""
        file = self._file(path)
        link = self._link_above(path)
        blocking = [
            folder
            for folder in _folders(path)
            if os.path.exists(self._file(folder))
            and not os.path.isdir(self._file(folder))
            and (folder not in self._recorded or folder in self._new_record)
        ]
        if link:
            self._refuse(path, f"{link} is a symbolic link, and leads elsewhere")
        elif os.path.islink(file):
            self._refuse(path, "a symbolic link is where the output should be")
        elif blocking:
            message = f"{self._file(blocking[0])} is a file and should be a folder"
            self._refuse(path, message)
        elif os.path.isdir(file) and not self._is_vacated(path):
            self._refuse(path, "a folder is where the output should be")
        elif os.path.abspath(file) == os.path.abspath(self.document):
            self._refuse(path, "this is the document itself")
        else:
            return True
        return False

    def _link_above(self, path: str) -> str | None:
        for folder in _folders(path):
            if os.path.islink(self._file(folder)):
                return self._file(folder)
        return None

    def _is_vacated(self, path: str) -> bool:
        """Tell whether a folder holds nothing but old outputs, to be removed."""
        for folder, _, files in os.walk(self._file(path)):
            inside = os.path.relpath(folder, self.folder).replace(os.sep, "/")
            if any(f"{inside}/{file}" not in self._recorded for file in files):
                return False
        return True

    def _read(self, path: str) -> bytes | None:
        file = self._file(path)
        try:
            if os.path.isdir(file) or not os.path.exists(file):
                return None
            if not os.path.isfile(file):
                self._refuse(path, "what is there is no regular file")
                return None
            with open(file, "rb") as stream:
                return stream.read()
        except OSError as error:
            self._refuse(path, _reason(error))
            return None

    def _refuse(self, path: str, message: str) -> None:
        problem = f"{self._file(path)}: error: {message}"
        if problem not in self._problems:
            self._problems.append(problem)

    def _located(self, document: str) -> str:
        return os.path.join(self.folder, document)

    # Messages

    def _difference(self, change: Change) -> Iterator[str]:
        from difflib import unified_diff

        file = self._file(change.path).replace(os.sep, "/")
        if change.old is None:
            yield f"{file}: missing\n"
        elif change.new is None:
            yield f"{file}: no root of {self.document} any more\n"
        elif change.edited:
            yield f"{file}: edited by hand\n"
        says = f"{self.document} says"
        old = split_lines(_decode(change.old or b""))
        new = split_lines(_decode(change.new or b""))
        for line in unified_diff(old, new, file, says):
            yield line if line.endswith("\n") else f"{line}\n"

    # Writing

    def _apply(self, staged: list[str]) -> list[str]:
        record = {
            path: sorted({*hashes, *self._recorded.get(path, [])})
            for path, hashes in self._new_record.items()
        }
        for change in self.changes:
            if change.new is None:
                record[change.path] = self._recorded[change.path]
        done = []
        if self.changes or self._manifest.get(self._key, {}) != self._new_record:
            os.makedirs(self.folder, exist_ok=True)
        ready = [
            (change, self._stage(change, staged) if change.new is not None else None)
            for change in self.changes
        ]
        if self.changes:
            self._write_manifest(record, staged)
        for change, temporary in ready:
            file = self._file(change.path)
            if temporary is None:
                os.unlink(file)
                self._remove_empty_folders(change.path)
                done.append(f"removed {file}")
            else:
                os.makedirs(os.path.dirname(file), exist_ok=True)
                if os.path.isdir(file):
                    self._remove_empty_tree(file)
                os.replace(temporary, file)
                done.append(f"wrote {file}")
        self._write_manifest(self._new_record, staged)
        return done

    def _stage(self, change: Change, staged: list[str]) -> str:
        """Write a change's new contents to a temporary file; return that."""
        temporary = self._write_temporary(change.new, staged)
        if change.old is not None:
            mode = stat.S_IMODE(os.stat(self._file(change.path)).st_mode)
            os.chmod(temporary, mode)
        return temporary

    def _write_temporary(self, contents: bytes, staged: list[str]) -> str:
        name = f"{_TEMPORARY}{os.getpid()}-{len(staged)}.tmp"
        temporary = os.path.join(self.folder, name)
        staged.append(temporary)
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        with open(temporary, "xb") as stream:
            stream.write(contents)
        return temporary

    def _write_manifest(self, record: Record, staged: list[str]) -> None:
        if self._manifest.get(self._key, {}) == record:
            return
        import json

        manifest = {**self._manifest, self._key: record}
        for document, other in self._manifest.items():
            if document != self._key:  # what a document that is gone left is ours
                manifest[document] = {p: other[p] for p in other if p not in record}
        manifest = {document: kept for document, kept in manifest.items() if kept}
        text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        temporary = self._write_temporary(text.encode(), staged)
        os.replace(temporary, self._file(names.MANIFEST))
        self._manifest = manifest

    def _remove_empty_folders(self, path: str) -> None:
        with suppress(OSError):
            for folder in reversed(_folders(path)):
                os.rmdir(self._file(folder))

    def _remove_empty_tree(self, file: str) -> None:
        for folder, _, _ in os.walk(file, topdown=False):
            os.rmdir(folder)


def _decode(contents: bytes) -> str:
    return contents.decode("utf-8", "replace")


def _folders(path: str) -> list[str]:
    """Return the folders that a path goes through, the outermost first."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]


def _relative(document: str, folder: str) -> str:
    """Return a document's path from the folder, with slashes, or its absolute path."""
    try:
        path = os.path.relpath(document, folder)
    except ValueError:  # another drive
        path = os.path.abspath(document)
    return path.replace(os.sep, "/")


def _read_manifest(file: str) -> dict[str, Record]:
    """Return the manifest; what is no manifest holds no record."""
    try:
        with open(file, "rb") as stream:
            contents = stream.read()
    except OSError:
        return {}
    import json

    try:
        manifest = json.loads(contents)
        for document, record in manifest.items():
            for path, hashes in record.items():
                if not all(isinstance(text, str) for text in (document, path, *hashes)):
                    return {}
    except (ValueError, AttributeError, TypeError, RecursionError):
        return {}
    return manifest


def differing(old: list[str], new: list[str]) -> list[tuple[int, int, int, int]]:
    """Return the places, as old and new ranges of lines, where two texts differ."""
    first, last = 0, 0
    shorter = min(len(old), len(new))
    while first < shorter and old[first] == new[first]:
        first += 1
    while last < shorter - first and old[-1 - last] == new[-1 - last]:
        last += 1
    old_end, new_end = len(old) - last, len(new) - last
    if max(old_end, new_end) - first > 5_000:  # too long to be compared in detail
        return [(first, old_end, first, new_end)]
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(
        None, old[first:old_end], new[first:new_end], autojunk=False
    )
    return [
        (first + a, first + b, first + c, first + d)
        for tag, a, b, c, d in matcher.get_opcodes()
        if tag != "equal"
    ]


def _system_message(error: OSError, folder: str) -> str:
    file = error.filename2 or error.filename or folder
    if isinstance(error, PermissionError) and os.name == "nt":
        return f"{file}: error: cannot be written; is it open in another program?"
    return f"{file}: error: cannot be written: {_reason(error)}"


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
