"""What changed from one program to the next, as the pages show it."""

import re
from pathlib import Path

import pytest

pytest.importorskip("math_core", reason="the site's tools are not installed")

from html_tree import read_html

from literate.core.document import parse
from literate.core.programs import tangle
from literate.weaving.html import MARK
from literate.weaving.pages import Surroundings, weave

ROOT = Path(__file__).resolve().parents[2]

DOCUMENT = '''\
# A book

## One

```python
# <<build/stages/stage1_small.py>>=
# <<Say it>>


# <<Count>>


def old():
    return 0
```

```python
# <<Say it>>=
def say(it):
    """Say it."""
    print(it)
```

```python
# <<Count>>=
def count(a, b):
    # Line by line.
    one = a
    two = b
    three = 3
    four = 4
    return one + two + three + four
```

## Two

```python
# <<build/stages/stage2_large.py>>=
# <<Count better>>


# <<Say it>>


class New:
    pass
```

```python
# <<Count better>>=
def count(a, b):
    one = a
    two = b
    three = 3
    four = 4
    return one * two < three
```

## Three

```python
# <<build/book.py>>=
# <<Say it>>


def count(a, b):
    # Another comment.
    one = a
    two = b
    three = 3
    four = 4
    return one * two < three
```

```python
# <<build/book.py>>+=


def comfort():
    pass
```
'''


def changes(text, name="book.md"):
    """Return the folded changes of a document's pages, by the pages' paths."""
    document = parse(text, name)
    around = Surroundings(
        draw=lambda source: "<svg></svg>",
        figures=[f"web/figures/{p.name}" for p in ROOT.glob("web/figures/*.svg")],
        labs=[path.parent.name for path in ROOT.glob("labs/*/lab.js")],
        exercises=dict.fromkeys(re.findall(r' data-exercise="([^"]*)"', text), ""),
    )
    found = {}
    for page in weave(document, tangle(document), around).pages:
        made = read_html("".join(page.text.split(MARK)[1::2]))
        for details in made.all("details", "changes"):
            found.setdefault(page.path, []).append(details)
    return found


def names(details, title):
    rows = [row for row in details.all("p") if row.text.startswith(f"{title}: ")]
    return [code.text for row in rows for code in row.all("code")]


def test_a_stage_shows_what_changed_since_the_one_before():
    found = changes(DOCUMENT)
    assert [*found] == ["two.md", "three.md", "book.md"]
    [two] = found["two.md"]
    assert two.first("summary").text == "What changed since stage 1"
    assert names(two, "New") == ["New"]
    assert names(two, "Gone") == ["old"]
    assert names(two, "Changed") == ["count"]
    assert two.first("pre").text.split("\n") == [
        "  def count(a, b):",
        "-     # Line by line.",
        "      one = a",
        "      two = b",
        "      three = 3",
        "      four = 4",
        "-     return one + two + three + four",
        "+     return one * two < three",
        "",
    ]
    assert [line.tag for line in two.first("pre").children].count("ins") == 1
    links = [link.get("href") for link in two.all("a")]
    assert links[1:] == ["one.md#buildstagesstage1_smallpy-L15", links[2]]
    assert links[0].startswith("#") and links[2].startswith("#")


def test_only_code_counts_and_only_the_roots_first_piece():
    [three] = changes(DOCUMENT)["three.md"]
    assert three.first("summary").text == "What changed since stage 2"
    assert names(three, "Gone") == ["New"]
    assert names(three, "New") == names(three, "Changed") == []
    assert three.first("pre") is None


def test_there_is_nothing_to_show_without_stages_or_changes():
    assert changes(DOCUMENT.replace("stages/", "others/")) == {}
    assert "two.md" not in changes(DOCUMENT.replace("build/stages/stage2_", "build/"))
    same = re.sub(r"class New:\n    pass\n", "", DOCUMENT)
    assert "three.md" not in changes(same)
    broken = DOCUMENT.replace("class New:\n    pass", "class New")
    assert names(changes(broken)["two.md"][0], "New") == []


def test_the_stages_of_the_book():
    text = (ROOT / "microgpt.md").read_text(encoding="utf-8")
    document = parse(text, "microgpt.md")
    texts = {output.path: output.text for output in tangle(document)}
    paths = [path for path in texts if path.startswith("build/stages/")]
    found = [d for path, all_ in changes(text, document.name).items() for d in all_]
    assert len(found) == 2 * len(paths)  # the whole book has them once more
    algorithm = texts["build/microgpt.py"].partition("\ndef loss_per_token")[0]
    every = [*(texts[path] for path in paths), algorithm]
    defined = [{*re.findall(r"^(?:def|class) (\w+)", each, re.M)} for each in every]
    for details, old, new in zip(found, defined, defined[1:]):
        assert {*names(details, "New")} == new - old
        assert {*names(details, "Gone")} == old - new
        assert {*names(details, "Changed")} < old & new
    assert names(found[-1], "Changed") == ["train"]
