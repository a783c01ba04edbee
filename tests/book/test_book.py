"""The book keeps its promises: its sessions, its names, its links."""

import math
import re
import subprocess
import sys
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from experiments.run import read
from literate.core.blocks import Fence
from literate.core.diagnostics import DocumentError
from literate.core.document import parse
from literate.core.sessions import find_sessions
from literate.tool.results import results

BOOK = Path(__file__).resolve().parents[2] / "microgpt.md"
DOCUMENT = parse(BOOK.read_text(encoding="utf-8"), BOOK.name)

# Sessions

SESSIONS, FAULTS = find_sessions(DOCUMENT)


CHAPTERS = {session.chapter.text: [] for session in SESSIONS}
for session in SESSIONS:
    CHAPTERS[session.chapter.text].append(session)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_sessions_of_a_chapter(chapter):
    found = results(DOCUMENT, CHAPTERS[chapter])
    broken = [result.problem for result in found if result.problem]
    if broken:
        pytest.fail(str(DocumentError(broken)), pytrace=False)


def test_the_sessions_were_found():
    assert FAULTS == []
    starts = ("```pycon", "```console")
    assert len(SESSIONS) == sum(line.startswith(starts) for line in DOCUMENT.lines)
    assert len(SESSIONS) > 10


# The run that is shown


@pytest.fixture(scope="module")
def default_run(program):
    done = subprocess.run(
        [sys.executable, program.folder / "microgpt.py"],
        cwd=program.folder,
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    return done.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["microgpt.md", "README.md"])
def test_the_shown_output_is_that_of_the_default_run(default_run, name):
    text = BOOK.with_name(name).read_text(encoding="utf-8")
    shown = text.partition("```text\nnum docs")[2].partition("\n```")[0]
    lines = [line for line in f"num docs{shown}".split("\n") if line != "..."]
    assert len(lines) > 8
    assert [line for line in lines if line not in default_run] == []


@pytest.mark.slow
def test_none_of_the_samples_is_in_the_list(default_run, names):
    samples = [line.split(": ")[1] for line in default_run if "sample " in line]
    assert len(samples) == 20 and not {*samples} & {*names.split()}


# The names


@pytest.fixture(scope="module")
def names(program):
    return (program.folder / "names.txt").read_bytes().decode("ascii")


def test_there_are_enough_names(names):
    assert len(names.split("\n")) > 1500


def test_each_line_is_a_name_of_small_letters(names):
    assert names.endswith("\n")
    strange = [n for n in names[:-1].split("\n") if not re.fullmatch("[a-z]+", n)]
    assert strange == []


def test_each_name_is_there_once(names):
    twice = [name for name, count in Counter(names.split()).items() if count > 1]
    assert twice == []


def test_the_names_are_sorted(names):
    assert names.split() == sorted(names.split())


def test_every_letter_occurs(names):
    assert set("".join(names.split())) == set("abcdefghijklmnopqrstuvwxyz")


def test_the_text_says_how_many_names_there_are(names):
    count = f"{len(names.split()):,}"
    says = re.findall(r"\b(\d,\d{3})(?= given names)", BOOK.read_text("utf-8"))
    assert says and set(says) == {count}


# The places in Greece


@pytest.fixture(scope="module")
def places(program):
    text = (program.folder / "places.txt").read_bytes().decode("utf-8")
    return text.removesuffix("\n").split("\n")


def test_each_place_is_there_once_and_in_order(places):
    assert places == sorted({*places}) and len(places) > 300
    assert [p for p in places if unicodedata.normalize("NFC", p.strip()) != p] == []


def test_what_is_said_of_the_places_is_so(places):
    chapter = BOOK.read_text("utf-8").partition("## A list of your own")[2]
    prose = " ".join(chapter.partition("# Appendices")[0].split())
    longest = max(places, key=len)
    tokens = len({*"".join(places)}) + 1
    for said in (
        f"Here are {len(places)} places",
        f'"{longest}" has {len(longest)} letters',
        f"It makes {tokens} tokens with BOS",
        f"$\\log {tokens}$ = {math.log(tokens):.2f}",
        f"There are {tokens - 27} more rows",
    ):
        assert said in prose


@pytest.mark.slow
def test_the_run_on_the_places_is_as_recorded(program):
    found = read()["own"]["places"]["300"]
    options = ["--input", program.folder / "places.txt", "--steps", 300]
    done = program.run(*options, "--block-size", 24, "--held-out", 60)
    assert done.stderr == f"held-out loss: {found['held out']:.4f}\n"
    said = [line.partition(": ")[2] for line in done.stdout.splitlines()[-20:]]
    assert said == found["said"]


# Links


def slug(heading):
    """The anchor that GitHub gives to a heading, repetitions aside."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)  # links: their text
    text = re.sub(r"[^\w\- ]", "", text.strip().lower())
    return text.replace(" ", "-")


def slugs():
    seen, result = Counter(), set()
    for heading in DOCUMENT.headings:
        name = slug(heading.text)
        result.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return result


def prose():
    """Lines outside of fenced blocks, with their numbers."""
    fenced = {
        index
        for block in DOCUMENT.blocks
        if isinstance(block, Fence)
        for index in range(block.start, block.end)
    }
    for index, line in enumerate(DOCUMENT.lines):
        if index not in fenced:
            yield index + 1, line


LINKS = [
    (number, anchor)
    for number, line in prose()
    for anchor in re.findall(r"\]\(#([^)\s]*)|href=\"#([^\"]*)\"", line)
]


@pytest.mark.parametrize(
    "number, anchor",
    [(number, a or b) for number, (a, b) in LINKS],
    ids=lambda part: str(part),
)
def test_an_internal_link_leads_to_a_heading(number, anchor):
    assert anchor in slugs(), f"{BOOK.name}:{number}"
