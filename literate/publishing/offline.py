"""The service worker of a finished site: it knows the files of this version."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

KEPT = [".css", ".html", ".js", ".json", ".svg", ".woff2", ".xml"]  # without a network
NOT_KEPT = {"lunr", "sw.js", "vendor"}  # Python is kept by its own hashes


def service_worker(site: Path, script: str) -> str:
    """Return a script behind the fingerprints of the site's files, and of their whole.

    Only files that have these are kept, so that two versions of the site never mix.
    """
    files = {
        path.relative_to(site).as_posix(): path.read_bytes()
        for path in sorted(site.rglob("*"))
        if path.suffix in KEPT and not NOT_KEPT & {*path.parts, path.name}
    }
    marks = {name: _mark(content) for name, content in files.items()}
    known = json.dumps(marks, separators=(",", ":"))
    version = json.dumps(_mark(known.encode()))
    return f"const VERSION = {version};\nconst FILES = {known};\n\n{script}"


def _mark(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()[:6]).decode()
