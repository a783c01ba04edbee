"""Run the experiments behind the book's tables: python -m experiments.run

What is found goes to experiments/results.json, one entry an experiment, saved as soon
as it is there. Entries that are there already are kept: a rerun does what is missing,
or what --only names. One run at a time: two would undo each other's work. Any Python
gives the same numbers, and PyPy does in half the time. Nothing in the file depends on
the machine or the hour, but for the entry "speed", which speed/ideas.py writes.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

from experiments import letters, measures, slopes, stages
from experiments.lists import OWN_TRAINING, PUBLISHED, PUBLISHED_HELD_OUT, SEED
from experiments.programs import BOOK, ROOT, fingerprint, program
from experiments.trials import LONG_TRIALS, TRIALS, run_trial

RESULTS = ROOT / "experiments" / "results.json"
DEALS = range(42, 54)  # seeds of twelve ways to deal the names
PLACES = (300, 1000, 3000)  # steps of runs on the places in Greece


class Job(NamedTuple):
    """A call and the place of its result."""

    path: tuple[str, ...]
    function: Callable
    arguments: tuple


def jobs(lists: list[str]) -> Iterator[Job]:
    """Yield all experiments with some lists, the most important first."""
    for which in lists:
        yield from counting(which)
        yield from trial_jobs(which, 1000, SEED)
        yield from looking(which)
    for seed in DEALS:
        for which in lists:
            use = (seed,)
            yield job(which, "stages", str(seed), do=stages.losses, use=use)
            for variant in ("no-attention", "no-positions", "letters-only"):
                path, use = (which, "stage 4", variant, str(seed)), (variant, seed)
                yield job(*path, do=stages.stage_4, use=use)
            yield job(which, "likeness", str(seed), do=letters.likeness, use=use)
    for seed in DEALS[1:]:
        for which in lists:
            yield from trial_jobs(which, 1000, seed)
    for seed in DEALS:
        for which in lists:
            yield from trial_jobs(which, 5000, seed)
    for which in lists:
        yield job(which, "attention later", do=measures.attention, use=(5000,))
    for names in (100, 2000) if "own" in lists else ():
        path = "own", "few names", str(names)
        yield job(*path, do=measures.few_names, use=(names, 5000))
    for steps in PLACES if "own" in lists else ():
        yield job("own", "places", str(steps), do=measures.places, use=(steps,))
        path = "own", "places without attention", str(steps)
        yield job(*path, do=measures.places, use=(steps, "no-attention"))


def job(which: str, *path: str, do: Callable, use: tuple = ()) -> Job:
    """Return the job that does something with a list."""
    return Job((which, *path), do, (which, *use))


def counting(which: str) -> Iterator[Job]:
    """Yield what needs little or no training."""
    yield job(which, "facts", do=measures.facts)
    for steps, seed in product((1000, 5000), DEALS):
        path = which, "ladder", str(steps), str(seed)
        yield job(*path, do=measures.ladder, use=(steps, seed))
    yield job(which, "counts", do=measures.counts)
    yield job(which, "merges", do=measures.merges)


def looking(which: str) -> Iterator[Job]:
    """Yield what is observed in the default run and in the model it trains."""
    yield job(which, "default run", do=measures.default_run)
    yield job(which, "checkpoints", do=measures.checkpoints)
    yield job(which, "samples", do=measures.samples)
    yield job(which, "attention", do=measures.attention)
    yield job(which, "nonsense", do=measures.nonsense)
    yield job(which, "next letters", do=measures.next_letters)
    yield job(which, "gradients", do=measures.gradients)
    if which == "own":
        yield job(which, "parameters", do=measures.parameters)
        yield job(which, "positions", do=measures.positions)
        yield job(which, "plane", do=letters.plane)
        yield job(which, "stream", do=measures.stream)
        yield from checking(which)


def checking(which: str) -> Iterator[Job]:
    """Yield what is observed in the programs whose slopes are wrong."""
    for steps in (0, 1000):
        for do in (slopes.agreement, slopes.directions):
            path = which, "slopes", do.__name__, str(steps)
            yield job(*path, do=do, use=(steps,))
    yield job(which, "slopes", "nudges", do=slopes.nudges)
    for name in slopes.PROGRAMS:
        yield job(which, "slopes", "names", name, do=slopes.made_up, use=(name,))


def trial_jobs(which: str, steps: int, seed: int) -> Iterator[Job]:
    """Yield the trials of a number of steps with a seed."""
    for name in TRIALS if steps == 1000 else LONG_TRIALS:
        path = (which, "trials", str(steps), name, str(seed))
        yield Job(path, run_trial, (name, which, steps, seed))


def lookup(results: dict, path: tuple[str, ...]):
    """Return what stands at a path, or None."""
    for key in path:
        results = results.get(key, {})
    return results or None


def store(results: dict, path: tuple[str, ...], found) -> None:
    """Put a result at its path."""
    for key in path[:-1]:
        results = results.setdefault(key, {})
    results[path[-1]] = found


def read() -> dict:
    """Return the results so far."""
    if not RESULTS.exists():
        return {}
    return json.loads(RESULTS.read_text(encoding="utf-8"))


def write(results: dict) -> None:
    """Save the results, whole or not at all; lists of numbers stay on one line."""
    text = json.dumps(results, indent=1, sort_keys=True, ensure_ascii=False)
    text = re.sub(r"\[[^][{}]*\]", lambda m: " ".join(m[0].split()), text)
    part = RESULTS.with_suffix(".part")
    part.write_text(text + "\n", encoding="utf-8")
    os.replace(part, RESULTS)


def keep(path: tuple[str, ...], found) -> None:
    """Add a result to the file."""
    results = read()
    store(results, path, found)
    write(results)


def warn(document: Path, results: dict) -> None:
    """Say so if the results there are come from another program."""
    old = results.get("settings", {}).get("program")
    if old and old != settings(document)["program"]:
        print("note: the program has changed since the results in the file were found")


def settings(document: Path) -> dict:
    """Return what the results rest on."""
    return {
        "program": fingerprint(program(document).source),
        "deals": [*DEALS],
        "held out": {
            "own": f"the last 600; trained on: the first {OWN_TRAINING}",
            "published": f"the {PUBLISHED_HELD_OUT} after those trained on",
        },
    }


def perform(work: tuple[Job, Path]) -> tuple[Job, object]:
    """Do a job with a document, in a process of the pool; return both."""
    job, document = work
    return job, job.function(*job.arguments, document=document)


def run(wanted: list[Job], document: Path, processes: int) -> None:
    """Do jobs side by side and save each result when it is there."""
    keep(("settings",), settings(document))
    with multiprocessing.Pool(processes, os.nice, (10,)) as pool:
        work = [(job, document) for job in wanted]
        for done, (job, found) in enumerate(
            pool.imap_unordered(perform, work), start=1
        ):
            keep(job.path, found)
            print(f"{done} of {len(work)}: {' / '.join(job.path)}", flush=True)


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", choices=("own", "published", "both"), default="both")
    parser.add_argument("--only", help='a part of a path, as in "trials / 1000"')
    parser.add_argument("--document", type=Path, default=BOOK)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    options = parser.parse_args()
    lists = ["own", "published"] if options.list == "both" else [options.list]
    if not PUBLISHED.exists():
        lists = [which for which in lists if which == "own"]
    wanted, results = list(jobs(lists)), read()
    if options.only:
        wanted = [job for job in wanted if options.only in " / ".join(job.path)]
    else:
        wanted = [job for job in wanted if lookup(results, job.path) is None]
    warn(options.document.resolve(), results)
    run(wanted, options.document.resolve(), options.processes)


if __name__ == "__main__":
    main()
