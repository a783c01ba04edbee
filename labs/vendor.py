"""What the labs run on, pinned: `python -m labs.vendor` fetches a local copy.

The pages load these packages from a public server, or from the site itself where a
local copy was there when it was built. In either case the integrity of each file is
checked, and what was checked is what runs.
"""

from __future__ import annotations

import base64
import hashlib
import io
import sys
import tarfile
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

FOLDER = Path(__file__).parent.parent / ".cache" / "vendor"


class Package(NamedTuple):
    """A package of the npm registry: `files` are those used, with their integrity.

    `sizes` are their lengths in bytes, so that a page can say how far it is.
    """

    name: str
    version: str
    integrity: str
    files: dict[str, str]
    sizes: dict[str, int]

    @property
    def archive(self) -> str:
        """The address of the package in the registry."""
        base = self.name.rpartition("/")[2]
        registry = "https://registry.npmjs.org"
        return f"{registry}/{self.name}/-/{base}-{self.version}.tgz"

    @property
    def public(self) -> str:
        """The address of the package's folder on the server that pages load from."""
        return f"https://cdn.jsdelivr.net/npm/{self.name}@{self.version}/"

    @property
    def folder(self) -> str:
        """The name of the folder of a local copy."""
        return f"{self.name.rpartition('/')[2]}-{self.version}"


PACKAGES = {
    # CPython in WebAssembly (MPL-2.0)
    "python": Package(
        "pyodide",
        "314.0.7",
        "sha512-0YvXxEhfEdpLfb/XkM2BFAeMROq0iMUX2bzzH9pOttyM"
        "cWkwq+HbE5uyuGD82LN7y2q+SNvi/6V5JEsOlD2R1A==",
        {
            "pyodide.mjs": "sha384-Lp79fMwxa4n2BLtugpUAoQMl"
            "bxIdg8iCUiP1r3h7nJLkQjwlXT1JzZTeHVL+f4Dg",
            "pyodide.asm.mjs": "sha384-/2281iaC0Iimw0B3Kagy1DBf"
            "ZcJG3W4KYW+EmOqhsdY3fR9BJ88FE2Zt6y0KQKpa",
            "pyodide.asm.wasm": "sha384-y++qrQ72KPA1fTjLIuGMP+jp"
            "pgGxjbLCgfdb0zMrnNnQVhxRUXTOTF6rTxNzllSu",
            "python_stdlib.zip": "sha384-xW3A5jmenkrPXbsgrIaB1FCJ"
            "h9OuLT7FRMagsJMgtlhVc19k/mSy3+7nMaF/d767",
            "pyodide-lock.json": "sha384-o8SQQvpVlZnOl04+3dFTJipK"
            "xul9GbViVusA379wlOrfHSgxbzt0yPiqCTxOiYES",
        },
        {
            "pyodide.mjs": 17_931,
            "pyodide.asm.mjs": 1_250_344,
            "pyodide.asm.wasm": 9_598_218,
            "python_stdlib.zip": 2_545_637,
            "pyodide-lock.json": 119_077,
        },
    ),
    # The layout of graphs (MIT)
    "graphs": Package(
        "@dagrejs/dagre",
        "3.1.3",
        "sha512-X4aUTwOReZvthaZWOVHqlJ52/ZdhZFEM4+Lh/uR4XooU"
        "SLE6p71bcy7MPGzYnNUcNh+nj+i/qJQpCMIdQnSmrg==",
        {
            "dist/dagre.esm.js": "sha384-3zE7TG4RgLpd49mO85cK40Pc"
            "E941gGf0haRhjR9VraCvn48V93iKHkjy57Zng3o/",
        },
        {"dist/dagre.esm.js": 48_929},
    ),
}


def local_files(package: Package) -> dict[str, Path]:
    """Return the files of a local copy, {} unless all are there."""
    files = {name: FOLDER / package.folder / name for name in package.files}
    return files if all(path.is_file() for path in files.values()) else {}


def fetch(package: Package) -> None:
    """Put a local copy of a package into the cache.

    Raises OSError if it cannot be had, ValueError if it is not the pinned one.
    """
    with urlopen(package.archive, timeout=60) as answer:
        content = answer.read()
    check(package.archive, content, package.integrity)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for name, integrity in package.files.items():
            file = archive.extractfile(f"package/{name}").read()
            check(name, file, integrity)
            path = FOLDER / package.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_name(path.name + ".part").write_bytes(file)
            path.with_name(path.name + ".part").replace(path)


def check(name: str, content: bytes, integrity: str) -> None:
    """Raise ValueError unless content has the integrity, as in HTML: kind-digest."""
    kind = integrity.partition("-")[0]
    digest = base64.b64encode(hashlib.new(kind, content).digest()).decode()
    if f"{kind}-{digest}" != integrity:
        raise ValueError(f"{name} is not the pinned file: {kind}-{digest}")


def main() -> int:
    """Fetch what is not there yet; return the exit status."""
    for package in PACKAGES.values():
        place = FOLDER / package.folder
        if local_files(package):
            print(f"{place} is there")
            continue
        try:
            fetch(package)
        except (OSError, ValueError) as error:
            print(f"cannot fetch {package.archive}: {error}", file=sys.stderr)
            return 1
        print(f"fetched {place}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
