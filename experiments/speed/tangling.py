"""How fast tangling is, side by side: against notangle, and against a bare Python.

A bare Python is also what a watched book is measured with, from save to retangled.

python experiments/speed/tangling.py [--pairs N]

Both sides of a pair run one right after the other, so that a machine that slows down
slows both. `notangle` is that of Debian's package noweb. No bytecode is written by a
Python that is told not to, so PYTHONDONTWRITEBYTECODE is left out of the environment.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
TANGLE = HOME / "tangle.py"
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
CHUNKS = 20_000


def main() -> None:
    """Make the documents, time both sides, print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=7)
    pairs = parser.parse_args().pairs
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        compare_with_notangle(work, pairs)
        compare_with_python(work, pairs * 3)
        compare_watching(work, pairs * 3)


def compare_with_notangle(work: Path, pairs: int) -> None:
    """Tangle 20,000 chunks with both, check that they agree, print the times.

    Into a text and, where we check in the end that Python can read it, into a program.
    """
    for root in ("build/large.txt", "build/large.py"):
        compare_root_with_notangle(root, work, pairs)


def compare_root_with_notangle(root: str, work: Path, pairs: int) -> None:
    """Tangle 20,000 chunks into a file with both."""
    name = root.partition("/")[2]
    markdown, noweb = equal_documents(root, CHUNKS)
    (work / "large.md").write_text(markdown, encoding="utf-8", newline="")
    (work / "large.nw").write_text(noweb, encoding="utf-8", newline="")
    folder = work / "out"

    def ours() -> str:
        clear(folder)
        command = [sys.executable, str(TANGLE), "large.md", "--out", "out"]
        subprocess.run(
            command, cwd=work, env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL
        )
        return (folder / name).read_text(encoding="utf-8")

    def theirs() -> str:
        command = ["notangle", f"-R{root}", "large.nw"]
        with open(work / name, "wb") as stream:
            subprocess.run(command, cwd=work, check=True, stdout=stream)
        return (work / name).read_text(encoding="utf-8")

    mine, other = without_names(ours()), theirs()
    if mine != other:
        raise SystemExit("the two sides do not write the same text")
    lines = markdown.count("\n")
    print(f"{root}: {CHUNKS:,} chunks, {lines:,} lines; but for names both agree")
    report("tangle.py", ours, "notangle", theirs, pairs)


def compare_with_python(work: Path, pairs: int) -> None:
    """Tangle the book, or one as long, and print the time against a bare Python's."""
    book = HOME / "microgpt.md"
    print(f"\n{book.name}: {book.stat().st_size:,} bytes")
    folder = work / "book"

    def again() -> None:
        command = [sys.executable, str(TANGLE), str(book), "--out", str(folder)]
        subprocess.run(command, env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL)

    def anew() -> None:
        clear(folder)
        again()

    anew()
    report("tangle.py, all to be written", anew, "python -c pass", bare, pairs)
    report("tangle.py, nothing to be written", again, "python -c pass", bare, pairs)


def compare_watching(work: Path, pairs: int) -> None:
    """Save the book under a watcher, and print the time until it is retangled."""
    book = (HOME / "microgpt.md").read_text(encoding="utf-8")
    document, output = work / "watched.md", work / "build" / "microgpt.py"
    document.write_text(book, encoding="utf-8", newline="")
    command = [sys.executable, str(TANGLE), "watched.md", "watch"]
    watcher = subprocess.Popen(command, cwd=work, stdout=subprocess.DEVNULL)
    count = itertools.count()

    def wait_for(mark: str) -> None:
        while not (output.exists() and mark in output.read_text(encoding="utf-8")):
            time.sleep(0.001)

    def save() -> None:
        mark = f"import argparse  # {next(count)}\n"
        changed = book.replace("import argparse\n", mark)
        document.write_text(changed, encoding="utf-8", newline="")
        wait_for(mark)

    wait_for("import argparse\n")
    report("from save to retangled", save, "python -c pass", bare, pairs)
    watcher.terminate()
    watcher.wait()


def bare() -> None:
    """Start a Python that does nothing."""
    subprocess.run([sys.executable, "-c", "pass"], env=ENVIRONMENT, check=True)


def report(ours: str, run_ours, theirs: str, run_theirs, pairs: int) -> None:
    """Run both sides alternately and print the medians and the median ratio."""
    times = [(timed(run_ours), timed(run_theirs)) for _ in range(pairs)]
    mine = statistics.median(pair[0] for pair in times)
    other = statistics.median(pair[1] for pair in times)
    ratio = statistics.median(pair[0] / pair[1] for pair in times)
    print(
        f"  {ours} {mine * 1000:.1f} ms, {theirs} {other * 1000:.1f} ms: "
        f"{ratio:.2f} times (median of {pairs} pairs)"
    )


def timed(run) -> float:
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def clear(folder: Path) -> None:
    """Remove a folder of outputs."""
    shutil.rmtree(folder, ignore_errors=True)


def equal_documents(root: str, chunks: int) -> tuple[str, str]:
    """Return a Markdown and a noweb document of the same chunks and the same prose."""
    generator = random.Random(1)
    parent = {n: generator.randrange(max(0, n - 50), n) for n in range(1, chunks)}
    children: dict[int, list[int]] = {n: [] for n in range(chunks)}
    for child, above in parent.items():
        children[above].append(child)
    markdown, noweb = ["# A large document\n\n"], ["A large document\n\n"]
    for number in range(chunks):
        name = f"Do the {number}th thing" if number else root
        lines = [f"value_{number}_{i} = {i} + call({i})\n" for i in range(5)]
        uses = children[number]
        for place, child in enumerate(uses):
            reference = f"# <<Do the {child}th thing>>\n"
            indented = f"if call({child}):\n    {reference}"
            lines.insert(place, reference if child % 40 else indented)
        prose = f"Paragraph {number} says what the *next* chunk does,\nand `why`.\n\n"
        markdown.append(f"{prose}```python\n# <<{name}>>=\n{''.join(lines)}```\n\n")
        plain = "".join(lines).replace("# <<", "<<")
        noweb.append(f"{prose}<<{name}>>=\n{plain}@\n\n")
    return "".join(markdown), "".join(noweb)


def without_names(text: str) -> str:
    """Return a tangled text without the comments that references became."""
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not line.lstrip().startswith("# Do the "))


if __name__ == "__main__":
    main()
