"""What a site brings for the labs: the program, its trained model, and the driver.

All of it is one JSON file that the worker unpacks, so that starting a lab costs one
request beside those for Python itself.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from labs import vendor

ROOT = Path(__file__).parent.parent
MODELS = ROOT / ".cache" / "models"
LABS = ROOT / "labs"
RECORD = LABS / "record.py"
BUILDERS = [LABS / "bundle.py", RECORD, LABS / "vendor.py"]  # not needed in the page
PACKED = [LABS, ROOT / "exercises", ROOT / "literate" / "core"]
SAVED = "model.json"
TRAINING = ["--samples", "0", "--save", SAVED]


def bundle(book: str, outputs: dict[str, str], model: str | None) -> str:
    """Return the bundle as JSON: `files`, and the `packages` to be loaded beside it.

    Its `program` is a fingerprint of the files, to which a reader's model belongs.

    `outputs` are the programs and data of the book, by path; `model` is the saved
    model, None if it is not made yet.
    """
    files = {path.removeprefix("build/"): text for path, text in outputs.items()}
    files["microgpt.md"] = book
    if model is not None:
        files["model.json"] = model
    for path in python_files():
        name = path.relative_to(ROOT).as_posix()
        files[name] = path.read_text(encoding="utf-8")
    packages = {}
    for name, package in vendor.PACKAGES.items():
        is_local = bool(vendor.local_files(package))
        base = f"../vendor/{package.folder}/" if is_local else package.public
        package_files = {"files": package.files, "sizes": package.sizes}
        packages[name] = {"base": base, **package_files}
    program = hashlib.sha256(json.dumps(files).encode()).hexdigest()
    packed = {"program": program, "files": files, "packages": packages}
    return json.dumps(packed, ensure_ascii=False)


def python_files() -> list[Path]:
    """Return the modules that the worker needs beside the program."""
    found = [path for folder in PACKED for path in sorted(folder.rglob("*.py"))]
    return [ROOT / "literate" / "__init__.py", *(p for p in found if p not in BUILDERS)]


def scripts() -> dict[str, Path]:
    """Return the labs' scripts, by their paths on the site."""
    return {p.relative_to(ROOT).as_posix(): p for p in sorted(LABS.rglob("*.js"))}


def style() -> str:
    """Return the style of all labs, what they share first."""
    every = sorted(LABS.glob("*/*.css"), key=lambda path: path.parent.name != "shared")
    return "\n".join(path.read_text(encoding="utf-8") for path in every)


def vendored() -> dict[str, Path]:
    """Return the files of local copies, by their paths beside the bundle."""
    return {
        f"vendor/{package.folder}/{name}": path
        for package in vendor.PACKAGES.values()
        for name, path in vendor.local_files(package).items()
    }


def trained(outputs: dict[str, str], make: bool = True) -> str | None:
    """Return the model that the program saves after its thousand steps, as JSON.

    It is made once for each version of program and names, by the program's own command
    line, and kept in `.cache/models/` when it is whole. Unless `make`, None is returned
    if it is not there. Raises RuntimeError if the program fails.
    """
    command = ["microgpt.py", *TRAINING]
    return _kept("the labs' model", _program(outputs), command, make)


def recorded(outputs: dict[str, str], make: bool = True) -> str | None:
    """Return what `record.py` sees of a training, as JSON; else as `trained`."""
    files = {**_program(outputs), "record.py": RECORD.read_text(encoding="utf-8")}
    return _kept("the cover's model", files, ["record.py", SAVED], make)


def _program(outputs: dict[str, str]) -> dict[str, str]:
    return {name: outputs[f"build/{name}"] for name in ("microgpt.py", "names.txt")}


def _kept(
    what: str, files: dict[str, str], command: list[str], make: bool
) -> str | None:
    """Return what a command saves in a folder with these files; it is run only once."""
    version = hashlib.sha256("\0".join([*files.values(), *command[1:]]).encode())
    kept = MODELS / f"{version.hexdigest()[:16]}.json"
    if make and not kept.exists():
        _train(what, files, command, kept)
    return kept.read_text(encoding="utf-8") if kept.exists() else None


def _train(what: str, files: dict[str, str], command: list[str], kept: Path) -> None:
    """Run a command in a folder of its own, and keep what it ends with."""
    MODELS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=MODELS) as folder:
        place = Path(folder)
        for name, text in files.items():
            (place / name).write_text(text, encoding="utf-8", newline="")
        done = subprocess.run(
            [sys.executable, *command],
            cwd=place,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        if done.returncode:  # of one that was interrupted too, which still saves
            raise RuntimeError(f"{what} could not be trained:\n{done.stderr}")
        (place / SAVED).replace(kept)
