"""Draw all figures into web/figures, or compare them with what is there.

With --check nothing is written, and the exit status is 1 if a figure is not what the
results and the program say.
"""

import argparse
import sys
from pathlib import Path

from experiments.figures import FIGURES, FOLDER
from experiments.run import read


def main() -> int:
    """Do what the command line asks for; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--out", type=Path, default=FOLDER)
    options = parser.parse_args()
    results, status = read(), 0
    for name, draw in FIGURES.items():
        path, text = options.out / name, draw(results)
        if options.check:
            old = path.read_text(encoding="utf-8") if path.exists() else None
            status |= int(old != text)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    if options.check:
        print("a figure is out of date" if status else "the figures are up to date")
    return status


if __name__ == "__main__":
    sys.exit(main())
