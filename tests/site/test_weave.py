"""Weaving as a pure function: what the pages show is what the tangler writes."""

import ast
import re
import subprocess
import symtable
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("math_core", reason="the site's tools are not installed")

from html_tree import read_html
from markdown import Markdown

from literate.core import syntax
from literate.core.diagnostics import DocumentError
from literate.core.document import parse
from literate.core.programs import tangle
from literate.weaving.diagrams import DiagramError, draw
from literate.weaving.html import MARK, StashExtension
from literate.weaving.identifiers import find_definitions
from literate.weaving.pages import Surroundings, weave

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "microgpt.md"
AROUND = Surroundings(
    draw=lambda source: "<svg></svg>",
    figures=[f"web/figures/{p.name}" for p in ROOT.glob("web/figures/*.svg")],
    labs=[path.parent.name for path in ROOT.glob("labs/*/lab.js")],
    exercises=dict.fromkeys(
        re.findall(r' data-exercise="([^"]*)"', BOOK.read_text("utf-8")), ""
    ),
)


def woven(text, **settings):
    document = parse(text, "book.md")
    settings.setdefault("draw", lambda source: f"<svg>{len(source)}</svg>")
    return weave(document, tangle(document), Surroundings(**settings))


def finished(page):
    """Return the HTML that the weaver itself made for a page, as a tree."""
    return read_html("".join(page.text.split(MARK)[1::2]))


def page(site, path):
    return next(page for page in site.pages if page.path == path)


def figures(site):
    """Return the chunks on the chapters' pages by address."""
    found = {}
    for each in site.pages:
        if each.path in ("book.md",):
            continue
        for figure in finished(each).all("figure", "chunk"):
            found[f"{each.path}#{figure.get('id')}"] = (each.path, figure)
    return found


def absolute(path, link):
    href = link.get("href")
    return path + href if href.startswith("#") else href


def assembled(site, start):
    """Put a program together as a reader would: by what is seen and linked."""
    shown = figures(site)
    lines = []

    def follow(address, indent):
        while address:
            path, figure = shown[address]
            for part in figure.first("div", "code").children:
                if "ref" in part.classes:
                    deeper = indent + part.first("span", "indent").text
                    name = part.first("span", "ref-name").text[1:-1]
                    lines.append(f"{deeper}REF {name}")
                    link = next(c for c in part.children if "to-chunk" in c.classes)
                    follow(absolute(path, link), deeper)
                else:
                    text = part.text.removesuffix("\n")
                    for line in text.split("\n"):
                        lines.append(line if not line.strip() else indent + line)
            following = figure.first("a", "next")
            address = following and absolute(path, following)

    follow(start, "")
    return lines


def program_lines(document, output):
    """Return a program's lines; those that were references say so."""
    texts = re.split(r"\r\n|\r|\n", output.text)
    lines = []
    for span in output.spans:
        if span.is_reference:
            reference = syntax.REFERENCE.match(document.lines[span.source])
            lines.append(f"{span.indent}{reference[1]}REF {reference[3]}")
        else:
            lines += texts[span.line : span.line + span.count]
    return lines


def check_reassembly(text):
    document = parse(text, "book.md")
    outputs = tangle(document)
    check_pages(document, outputs, weave(document, outputs, AROUND))


def check_pages(document, outputs, site):
    shown = figures(site)
    for output in outputs:
        piece = document.chunks[output.path].pieces[0]
        if piece.language in ("text", "txt"):
            continue
        [start] = [
            address
            for address, (_, figure) in shown.items()
            if figure.first("a", "chunk-name").text == f"⟨{output.path}⟩ ="
        ]
        blank = [re.sub(r"^\s+$", "", line) for line in assembled(site, start)]
        wanted = [
            re.sub(r"^\s+$", "", line) for line in program_lines(document, output)
        ]
        assert blank == wanted


# The book


@pytest.fixture(scope="module")
def book():
    document = parse(BOOK.read_text(encoding="utf-8"), "microgpt.md")
    outputs = tangle(document)
    site = weave(document, outputs, AROUND)
    return document, outputs, site


@pytest.fixture(scope="module")
def program_of_book(book):
    return next(output for output in book[1] if output.path == "build/microgpt.py")


def test_the_pages_hold_the_program(book):
    check_pages(*book)


def _is_of_program(mark):
    """Tell whether a line's number is that of build/microgpt.py, not of a stage."""
    return re.fullmatch(r"L\d+", mark.get("id") or "")


def test_a_line_has_one_place_on_the_site(book):
    _, _, site = book
    marks = [mark for _, f in figures(site).values() for mark in f.all("span", "n")]
    places = [mark.get("id") for mark in marks if mark.get("id")]
    assert len(places) == len({*places}) > 1000


def test_the_listing_links_each_line_to_its_chunk_and_back(book, program_of_book):
    _, _, site = book
    shown = figures(site)
    lines = {}
    for path, figure in shown.values():
        for mark in figure.all("span", "n"):
            if mark.get("id"):
                lines[f"{path}#{mark.get('id')}"] = mark.get("data-n")
    listing = finished(page(site, "listing.md"))
    numbers = [link for link in listing.all("a", "n") if _is_of_program(link)]
    assert len(numbers) == program_of_book.text.count("\n")
    for number, link in enumerate(numbers, 1):
        assert link.get("id") == f"L{number}"
        target = link.get("href")
        is_shared = "#L" not in target  # then it is shown as a line of a stage
        assert is_shared or lines[target] == str(number)
        assert target in lines
    assert len({link.get("href") for link in numbers}) == len(numbers)
    for _, figure in shown.values():
        for link in figure.all("a", "lines"):
            assert re.fullmatch(r"listing[\w-]*\.md#([\w-]+-)?L\d+", link.get("href"))
    text = "".join(part.text for part in listing.all("pre"))
    assert text == program_of_book.text


def test_captions_say_the_lines_of_the_file(book, program_of_book):
    _, _, site = book
    lines = program_of_book.text.split("\n")
    checked = 0
    for _, figure in figures(site).values():
        captions = [
            link
            for link in figure.all("a", "lines")
            if re.search(r"#L\d+$", link.get("href"))
        ]
        marks = [mark for mark in figure.all("span", "n") if _is_of_program(mark)]
        if not captions or not marks:
            continue
        numbers = [int(n) for n in re.findall(r"\d+", captions[0].text)]
        assert numbers[0] == int(marks[0].get("data-n"))
        assert numbers[-1] >= int(marks[-1].get("data-n"))
        shown = figure.first("div", "code").first("pre")
        if shown and "ref" not in shown.classes:
            first = shown.text.split("\n")[0]
            number = int(shown.first("span", "n").get("data-n"))
            assert lines[number - 1].strip() == first.strip()
            checked += 1
    assert checked > 50


def test_captions_say_the_lines_of_the_document(book):
    document, _, site = book
    for chunk in document.chunks.values():
        for piece in chunk.all_pieces():
            if piece.lines:
                first, last = piece.line + 1, piece.line + len(piece.lines)
                assert document.lines[first - 1] == piece.lines[0]
                said = (
                    f"line {first}"
                    if first == last
                    else f"lines {first}\N{EN DASH}{last}"
                )
                assert f"{said} of microgpt.md" in page(site, "book.md").text


def test_the_copy_button_has_the_code_alone(book, program_of_book):
    document, outputs, site = book
    program = "\n".join(output.text for output in outputs)
    for _, figure in figures(site).values():
        button = figure.first("button", "copy")
        if not button or figure.first("a", "lines") is None:
            continue
        for line in button.get("data-clipboard-text").splitlines():
            chunk = document.chunks.get(line.strip().removeprefix("# "))
            assert line.strip() in program or chunk.has_own_name(None)
            assert "⟨" not in line


def test_identifiers_against_ast(program_of_book):
    """Each definition and use is where ast says that a name of this kind stands."""
    source = program_of_book.text
    definitions = {
        (d.name, d.place[0]): d for d in find_definitions(source) if not d.is_local
    }
    tree = ast.parse(source)
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            assert (node.name, node.lineno) in definitions
        if isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, ast.FunctionDef):
                    name = f"{node.name}.{method.name}"
                    assert (name, method.lineno) in definitions
    names = {
        (node.lineno, node.col_offset, node.id)
        for node in ast.walk(tree)
        if isinstance(node, ast.Name)
    }
    for definition in find_definitions(source):
        if "." in definition.name or definition.kind == "parameter":
            continue
        for line, column in definition.uses:
            assert (line, column, definition.name) in names


def test_no_local_name_is_taken_for_a_global(program_of_book):
    check_globals(program_of_book.text)


def check_globals(source):
    """Compare with symtable: what we link to the module's top is global there."""
    tree = ast.parse(source)
    scopes = [*_functions(tree, symtable.symtable(source, "x.py", "exec"))]
    for definition in find_definitions(source):
        if definition.is_local or "." in definition.name:
            continue
        for line, _ in definition.uses:
            inside = [
                table
                for node, table in scopes
                if node.lineno <= line <= node.end_lineno
            ]
            for table in inside[-1:]:
                if definition.name in table.get_identifiers():
                    symbol = table.lookup(definition.name)
                    starts = table.get_lineno() == line
                    assert symbol.is_global() or starts, (definition.name, line)


def _functions(tree, table):
    """Yield each function's node and its table, outer ones first."""
    nodes = {
        (node.name, node.lineno): node
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    waiting = [table]
    while waiting:
        current = waiting.pop(0)
        waiting += current.get_children()
        for (name, line), node in nodes.items():
            decorated = [d.lineno for d in node.decorator_list]
            if current.get_name() == name and current.get_lineno() in (
                line,
                *decorated,
            ):
                yield node, current


# Identifiers, one at a time. `@` stands before a definition, `>` before each use that
# must lead there; every other mention of the name must lead nowhere or elsewhere.

CASES = {
    "global function": "def @f(): pass\n>f()\n",
    "recursion": "def @f(n): return >f(n - 1)\n",
    "parameter hides global": "f = 1\ndef g(@f):\n    return >f\n",
    "global beside a local": "def @f(): pass\ndef g():\n    f = 1\n    f\n>f\n",
    "comprehension variable": "x = 1\ny = [>x for @x in y]\n",
    "global beside a comprehension": "@x = 1\n[x for x in ()]\n>x\n",
    "first iterable belongs outside": "@x = []\n[x for x in >x]\n",
    "closure": "def f():\n    @x = 1\n    def g():\n        return >x\n",
    "global statement": "@x = 1\ndef f():\n    global x\n    return >x\n",
    "nonlocal statement": (
        "def f():\n    @x = 1\n    def g():\n        nonlocal x\n        >x += 1\n"
        "    return >x\n"
    ),
    "class body is no scope for methods": (
        "@x = 1\nclass A:\n    x = 2\n    def f(self):\n        return >x\n"
    ),
    "default is evaluated outside": "@x = 1\ndef f(x=>x):\n    return x\n",
    "lambda": "x = 1\nf = lambda @x: >x\n",
    "walrus leaves a comprehension": "def f():\n    [(@x := 1) for _ in ()]\n    >x\n",
    "import": "import @math\n>math.pi\n",
    "import as": "from a import b as @c\n>c\n",
    "dotted import": "import @os.path\n>os.path\n",
    "method through self": (
        "class A:\n    def @f(self): pass\n    def g(self): self.>f()\n"
    ),
    "attribute of self": (
        "class A:\n    def __init__(self):\n        self.@x = 1\n"
        "    def g(self): return self.>x\n"
    ),
    "attribute of another object": (
        "class A:\n    def @f(self): pass\n    def g(self, other): other.f()\n"
    ),
    "static method has no self": (
        "class A:\n    def @f(self): pass\n"
        "    @staticmethod\n    def g(self): self.f()\n"
    ),
    "inherited": (
        "class A:\n    def @f(self): pass\nclass B(A):\n    def g(self): self.f()\n"
    ),
    "overridden": (
        "class A:\n    def @f(self): pass\n    def g(self): self.f()\n"
        "class B(A):\n    def f(self): pass\n"
    ),
    "base from elsewhere": (
        "import b\nclass A(b.B):\n    def g(self): self.f()\ndef @f(): pass\n"
    ),
    "object of a class": "class A:\n    def @f(self): pass\na = A()\na.>f()\n",
    "object that may change": (
        "class A:\n    def @f(self): pass\na = A()\na = other()\na.f()\n"
    ),
    "attribute of a class": "class A:\n    @x = 1\nA.>x\n",
    "defined twice": "def f(): pass\ndef f(): pass\nf()\n@x = 1\n",
    "deleted": "f = 1\ndel f\nf\n@x = 1\n",
    "keyword is no name": "def @f(n): pass\n>f(f=1)\n",
    "string is no name": "def @f(): pass\n'f'\n# f\n>f\n",
    "f-string": "@x = 1\nf'x {>x} x'\n",
    "f-string in two parts": "@x = 1\n('x' f'x'\n f'{x}')\n",
    "not ASCII before": "@x = 1\n('ä', >x)\n",
    "exception's name": "@e = 1\ntry: pass\nexcept E as e: e\n",
    "pattern": "@x = 1\ndef f(y):\n    match y:\n        case [x]: x\n",
    "augmented": "@x = 1\n>x += 1\n",
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.replace(" ", "-"))
def test_identifier(case):
    source, place, uses = "", None, []
    marked = CASES[case].replace("@staticmethod", "\0staticmethod")
    for character in marked:
        line, column = source.count("\n") + 1, len(source) - source.rfind("\n") - 1
        if character == "@":
            place = (line, column)
        elif character == ">":
            uses.append((line, column))
        else:
            source += "@" if character == "\0" else character
    found = {definition.place: definition for definition in find_definitions(source)}
    if case == "exception's name":
        assert place not in found
    elif case == "f-string in two parts":  # whose places old Pythons tell wrong
        assert set(found[place].uses) <= {(3, 4)}
    else:
        assert sorted(found[place].uses) == uses
    check_globals(source)


def test_a_star_import_makes_everything_unsure():
    assert find_definitions("from a import *\nf = 1\nf\n") == []


# Small documents

DOCUMENT = """\
# A book: small

Words before. See [the end](#the-end).

# Part one

About this part.

## First chapter

A <dfn>gizmo</dfn> is a thing. It has $x_1 < 2$ and `$5`.[^why]

[^why]: Because of *reasons*, $y$.

```python
# <<build/a.py>>=
# <<Say hello>>
x = 1
```

```python
# <<Say hello>>=
print("<b> & ⟨x⟩")
```

## The end

A gizmo again, and a gizmo. [A file](LICENSE) and [a site](https://example.org/).

```python
# <<Say hello>>+=
print(2)
```

```math
\\frac{1}{2}
```

```mermaid
flowchart TD
    A --> B
```

### A section

```python
# <<Say hello>>+=

print(3)
```

<details>
<summary>More</summary>

```text
# <<build/data.txt>>=
one
```

</details>

## Glossary

| term | meaning |
| --- | --- |
| gizmo | what does *something* |
"""


def test_pages_and_navigation():
    site = woven(DOCUMENT)
    assert site.name == "A book"
    assert site.navigation == [
        {"Cover": "index.md"},
        {
            "Part one": [
                {"Part one": "part-one/index.md"},
                {"First chapter": "first-chapter.md"},
                {"The end": "the-end.md"},
                {"Glossary": "glossary.md"},
            ]
        },
        {
            "Look it up": [
                {"The full listing": "listing.md"},
                {"Index of identifiers": "identifiers.md"},
                {"Index of chunks": "chunks.md"},
                {"The book on one page": "book.md"},
            ]
        },
    ]
    assert page(site, "the-end.md").line == DOCUMENT.split("\n").index("## The end") + 1
    assert site.files["downloads/a.py"].startswith("# Say hello\nprint(")
    assert site.files["downloads/data.txt"] == "one\n"


def test_the_opening_of_a_part_is_a_page_of_its_own():
    text = DOCUMENT.replace("About this part.", "Up to [the end](#the-end).")
    opening = page(woven(text), "part-one/index.md")
    assert opening.line == text.split("\n").index("# Part one") + 1
    assert "# Part one { #part-one " in opening.text
    assert "[the end](../the-end.md#the-end)" in opening.text
    first = page(woven(text), "first-chapter.md")
    assert first.line == text.split("\n").index("## First chapter") + 1
    assert "Up to" not in first.text
    assert '<a href="part-one/index.md">Part one</a>' in first.text
    cover = page(woven(text), "index.md").text
    assert '<b><a href="part-one/index.md">Part one</a></b>' in cover
    assert "3 chapters" in cover


def test_chapters_and_figures_are_counted_for_print():
    drawing = "```mermaid\nflowchart TD\n```\n\n"
    text = DOCUMENT.replace("About this part.", f"About.\n\n{drawing}{drawing}")
    site = woven(text)
    opening, first = page(site, "part-one/index.md"), page(site, "first-chapter.md")
    assert '# Part one { #part-one style="counter-reset: figure 0" }' in opening.text
    heading = '{ #first-chapter .chapter style="counter-reset: chapter 1 figure 2" }'
    assert f"\n# First chapter {heading}\n" in first.text
    whole = page(site, "book.md")
    assert f"\n## First chapter {heading}\n" in whole.text
    sheets = [sheet.get("style") for sheet in finished(whole).all("div", "sheet")]
    assert sheets[:2] == ["counter-reset: figure 0", "counter-reset: figure 2"]


def test_a_part_without_an_opening_begins_with_its_first_chapter():
    text = DOCUMENT.replace("About this part.\n\n", "")
    site = woven(text)
    [part] = [each for each in site.navigation if "Part one" in each]
    assert part["Part one"][0] == {"First chapter": "first-chapter.md"}
    first = page(site, "first-chapter.md")
    assert first.line == text.split("\n").index("# Part one") + 1
    assert re.search(r"^Part one · 1 min\n\{: \.part #part-one \}$", first.text, re.M)
    assert "<b>Part one</b>" in page(site, "index.md").text


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("About $-\\log p$ and `# <<Say it>>=`.", "About -log p and # <<Say it>>=."),
        ("| a |\n| - |\n| 1 |\n\nA <b>word</b>.", "A word."),
        ("| a |\n| - |\n| 1 |", "First, from “A book”."),
        ('- One. Two.\n\nA `*`, then "this".', "A *, then “this”."),
        ("It is $\\frac{1}{2}$ of it. Half.", "Half."),
        ("All of it, in short:\n\n- One.", "All of it, in short."),
        (f"A short one. {'Long ' * 40}one.", "A short one." + " Long" * 28 + " …"),
        (f"{'A long one ' * 8}ends. {'Long ' * 20}.", "A long one " * 8 + "ends."),
    ],
)
def test_a_page_is_described_by_sentences_without_marks(words, shown):
    site = woven(f"# A book\n\n## First\n\n{words}\n")
    assert page(site, "first.md").description == shown


def test_links_lead_to_the_right_page():
    site = woven(DOCUMENT, repository=lambda path: f"https://host/{path}")
    assert "[the end](the-end.md#the-end)" in page(site, "index.md").text
    assert "[the end](#the-end)" in page(site, "book.md").text
    assert "[A file](https://host/LICENSE)" in page(site, "the-end.md").text
    assert " A file and [a site]" not in page(site, "the-end.md").text
    assert "A file and [a site]" in page(woven(DOCUMENT), "the-end.md").text


def test_a_chunk_in_three_pieces_links_them_in_order():
    shown = figures(woven(DOCUMENT))
    addresses = [address for address in shown if "chunk-say-hello" in address]
    assert len(addresses) == 3
    for at, address in enumerate(addresses):
        path, figure = shown[address]
        after, before = figure.first("a", "next"), figure.first("a", "prev")
        assert (after and absolute(path, after)) == (addresses[at + 1 :] or [None])[0]
        assert (before and absolute(path, before)) == ([None, *addresses])[at]


def test_a_caption_names_a_chapter_without_marks():
    text = DOCUMENT.replace("## The end", "## The `end`")
    shown = figures(woven(text)).values()
    captions = [figure.first("figcaption").text for _, figure in shown]
    assert any("continued in The end" in caption for caption in captions)


def test_a_term_is_linked_once_where_another_chapter_uses_it():
    site = woven(DOCUMENT)
    assert page(site, "the-end.md").text.count('class="term"') == 1
    assert 'title="what does something"' in page(site, "the-end.md").text
    assert 'class="term"' not in page(site, "first-chapter.md").text


def test_the_glossary_is_the_index_of_terms():
    site = woven(DOCUMENT)
    glossary = page(site, "glossary.md")
    [entry] = [e for e in finished(glossary).all("a") if e.get("id")]
    assert entry.get("href") == "first-chapter.md#term-gizmo"
    assert "what does *something*" in glossary.text
    [uses] = finished(glossary).all("span", "uses")
    assert uses.text == "defined in First chapter, used in The end"  # and not in itself
    assert glossary.meta == {}
    assert page(site, "first-chapter.md").meta == {"tags": ["gizmo"]}


def test_a_term_has_a_row_in_the_glossary():
    text = DOCUMENT.replace("<dfn>gizmo</dfn>", "<dfn>gizmu</dfn>")
    with pytest.raises(DocumentError) as raised:
        woven(text)
    [problem] = raised.value.problems
    assert text.split("\n")[problem.line - 1].startswith("A <dfn>gizmu")
    assert "this term is in no glossary" in str(problem)
    assert "gizmo" in problem.hint


def test_a_plural_is_the_same_term():
    text = DOCUMENT.replace("A <dfn>gizmo</dfn> is a thing", "<dfn>Gizmos</dfn> are")
    text = text.replace("A gizmo again", "Two gizmos again")
    site = woven(text)
    assert page(site, "the-end.md").text.count('class="term"') == 1
    assert 'id="term-gizmo"' in page(site, "first-chapter.md").text


def test_a_term_with_an_everyday_sense_is_linked_only_where_it_is_marked():
    text = DOCUMENT.replace("| gizmo |", "| gizmo (of the shop) |")
    site = woven(text)
    assert 'class="term"' not in page(site, "the-end.md").text
    assert "used in" not in page(site, "glossary.md").text
    text = text.replace("and a gizmo", "and two [gizmos](#glossary), [see](#glossary)")
    site = woven(text)
    [term] = finished(page(site, "the-end.md")).all("a", "term")
    assert (term.text, term.get("title")) == ("gizmos", "what does something")
    assert "[see](glossary.md#glossary)" in page(site, "the-end.md").text
    assert "The end</a></span>" in page(site, "glossary.md").text


def test_notes_stand_where_they_are_called():
    text = page(woven(DOCUMENT), "first-chapter.md").text
    assert "[^why]" not in text
    assert re.search(r'class="sidenote".*Because of \*reasons\*', text, re.DOTALL)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("One[^n], as we say: so. Two.", "One1, as we say: so.[N] Two."),
        ("One.[^n] Two.", "One.1[N] Two."),
        ("One[^n]\n\nTwo.", "One1[N]\n"),
        ("One[^n] and `two. three`", "One1 and `two. three`[N]"),
    ],
)
def test_a_note_does_not_cut_a_sentence(written, shown):
    site = woven(f"# A\n\n## B\n\n{written}\n\n[^n]: N\n")
    text = page(site, "b.md").text.replace(MARK, "")
    text = re.sub(r'<span class="sidenote".*?</span> (.*?)</span>', r"[\1]", text)
    assert shown in re.sub("<[^>]*>", "", text)


def test_mathematics_is_mathml_and_code_is_not():
    text = page(woven(DOCUMENT), "first-chapter.md").text
    assert "<math>" in text and "&lt;" in text and "`$5`" in text


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ('He said "if", and it\'s "so".', "He said “if”, and it’s “so”."),
        ('*"All"* ("one") "*two*"', "*“All”* (“one”) “*two*”"),
        (
            "the parameters' slopes, \"he's 'it'\"",
            "the parameters’ slopes, “he’s ‘it’”",
        ),
        ('a "`\'x\'`" and `"y"`', "a “`'x'`” and `\"y\"`"),
        ('"[that\'s it](LICENSE)" \\"', '“that’s it” \\"'),
        ("<b title=\"it's\">it's</b>", '<b title="it\'s">it’s</b>'),
    ],
)
def test_quotes_are_typographic_in_prose_alone(words, shown):
    text = page(woven(f"# A book\n\n## First\n\n{words}\n"), "first.md").text
    assert shown in text.replace(MARK, "")


def test_quotes_in_sessions_and_formulas_are_straight():
    session = "```pycon\n>>> 'a'\n'a'\n```\n\n$f'$ isn't\n\n```math\ng'\n```\n"
    shown = page(woven(f"# A book\n\n## First\n\n{session}"), "first.md")
    assert shown.text.count("’") == 1 and "isn’t" in shown.text
    assert ">>> 'a'\n'a'\n" in finished(shown).text


def test_python_markdown_keeps_what_is_finished():
    site = woven(DOCUMENT)
    for each in site.pages:
        body = each.text.split("---\n", 2)[2]
        extensions = [StashExtension(), "tables", "attr_list"]
        markup = Markdown(extensions=extensions).convert(body)
        assert MARK not in markup
        assert "<p><figure" not in markup
        for part in body.split(MARK)[1::2]:
            assert part in markup


def mistake(text, **settings):
    with pytest.raises(DocumentError) as caught:
        woven(text, **settings)
    [problem] = caught.value.problems
    return problem


def test_mistakes_are_reported_at_their_lines():
    problem = mistake("# A\n\nwords\nand $x \\nonsense y$ here\n")
    assert (problem.line, problem.column) == (4, 6)
    assert "nonsense" in problem.message and "\x1b" not in problem.message
    problem = mistake("# A\n\n```math\n\\nonsense\n```\n")
    assert problem.line == 3
    problem = mistake("# A\n\nwords[^nope]\n\n[^note]: x\n")
    assert (problem.line, problem.column) == (3, 6)

    def refuse(source):
        raise DiagramError("no\nmore")

    problem = mistake("# A\n\n\n```mermaid\nx\n```\n", draw=refuse)
    assert (problem.line, problem.message) == (4, "diagram: no")


# Two programs that share a chunk, each with a function of its own that has one name.
PROGRAMS = """\
# A book

## A stage

```python
# <<build/stage.py>>=
# <<Add two numbers>>
# <<Say what the stage says>>
say(add(1, 2))
```

```python
# <<Say what the stage says>>=
def say(it):
    print(it)
```

## What they share

```python
# <<Add two numbers>>=
def add(a, b):
    say("adding")
    return a + b
```

## The program

```python
# <<build/book.py>>=
# <<Say it>>
# <<Add two numbers>>
say(add(3, 4))
```

```python
# <<Say it>>=
say = print
```
"""


@pytest.mark.parametrize("path", ["build/stage.py", "build/./stage.py"])
def test_a_chunk_of_several_programs_says_so_and_leads_to_the_right_one(path):
    text = PROGRAMS.replace("build/stage.py", path)
    site = woven(text)
    shown = figures(site)
    _, shared = shown["what-they-share.md#chunk-add-two-numbers"]
    caption = shared.first("figcaption").text.replace("\N{EN DASH}", "-")
    assert "lines 3-5 of book.py" in caption
    assert "lines 1-3 of stage.py" in caption
    # On a page that is about neither, the book's own program numbers and links it.
    assert [mark.get("id") for mark in shared.all("span", "n")] == ["L3", "L4", "L5"]
    assert shared.first("a", "use").get("href") == "the-program.md#L2"
    # On a stage's page, also opened in place, the stage does.
    _, stage = shown["a-stage.md#chunk-buildstagepy"]
    links = [(link.text, link.get("href")) for link in stage.all("a", "use")]
    assert links == [
        ("say", "#buildstagepy-L4"),
        ("say", "#buildstagepy-L4"),
        ("add", "what-they-share.md#L3"),
    ]
    marks = [mark.get("id") for mark in stage.all("span", "n") if mark.get("id")]
    assert marks == ["buildstagepy-L6"]
    # What is tried in the page is the book's own program.
    tried = [address for address, (_, f) in shown.items() if f.get("data-line")]
    assert tried == [
        "what-they-share.md#chunk-add-two-numbers",
        "the-program.md#chunk-buildbookpy",
        "the-program.md#chunk-say-it",
    ]


def test_a_variant_of_a_shared_chunk_leads_into_the_books_own_program():
    variant = "```python\n# <<Add two numbers>>= (variant loud)\nsay(1)\n```\n"
    shown = figures(woven(f"{PROGRAMS}\n{variant}"))
    [loud] = [figure for _, figure in shown.values() if "variant" in figure.classes]
    assert loud.first("a", "use").get("href") == "#L2"


def test_the_pages_hold_each_of_several_programs():
    check_reassembly(PROGRAMS)


def test_each_program_has_a_listing_and_the_indexes_have_everything_once():
    site = woven(PROGRAMS)
    text = page(site, "listing.md").text
    assert (
        "build/book.py" in text and "build/stage.py" not in text.split("Downloads")[0]
    )
    stage = finished(page(site, "listing-buildstagepy.md"))
    places = [link.get("href") for link in stage.all("a", "n")]
    assert places == [
        *(f"what-they-share.md#L{number}" for number in (3, 4, 5)),
        *(f"a-stage.md#buildstagepy-L{number}" for number in (4, 5, 6)),
    ]
    assert all(run.text for run in stage.all("pre"))
    index = finished(page(site, "identifiers.md"))
    entries = [(e.text, e.get("href")) for e in index.all("a", "entry")]
    assert entries == [
        ("add", "what-they-share.md#L3"),
        ("say", "a-stage.md#buildstagepy-L4"),
        ("say", "the-program.md#L2"),
    ]
    for each in site.pages:
        ids = [e.get("id") for e in finished(each).walk() if e.get("id")]
        assert len(ids) == len({*ids}), each.path


SILENT = {
    "$$ on one line": ("Words $$x + 1$$ here.", "$$x + 1$$", "```math"),
    "$$ on lines of their own": ("$$\nx + 1\n$$", "$$", "```math"),
    "picture": (
        "![it](web/figures/no.svg)",
        "web/figures/no.svg",
        "web/figures/on.svg",
    ),
    "misplaced picture": ("![it](figures/on.svg)", "figures/on.svg", "web/figures"),
    "picture in HTML": ('<p>\n<img src="web/on.svg">\n</p>', "web/on.svg", "web/"),
    "picture in a line": ('A <img src="on.svg" alt="x">.', "on.svg", "web/figures"),
    "anchor": ("See [the end](#teh-end).", "#teh-end", '"#the-end"'),
    "anchor in HTML": ('<p><a href="#teh-end">x</a></p>', "#teh-end", '"#the-end"'),
    "lab": (
        '<div class="lab" data-lab="trainign" data-title="T"></div>',
        'data-lab="trainign"',
        '"training"',
    ),
    "exercise": (
        '<div class="lab" data-lab="exercise" data-title="T" data-exercise="losss">',
        'data-exercise="losss"',
        '"loss"',
    ),
    "lab without a title": (
        '<div class="lab" data-lab="training"></div>',
        '<div class="lab" data-lab="training">',
        "data-title",
    ),
    "stage": (
        '<div class="lab" data-lab="stage" data-title="T" data-stage="stage2_b"></div>',
        'data-stage="stage2_b"',
        '"stage1_a"',
    ),
    "stage without a name": (
        '<div class="lab" data-lab="stage" data-title="T" data-exercise="loss"></div>',
        'data-lab="stage"',
        "stage1_a",
    ),
    "exercise without a name": (
        '<div class="lab" data-lab="exercise" data-title="T"></div>',
        'data-lab="exercise"',
        "loss",
    ),
}


@pytest.mark.parametrize("case", SILENT, ids=lambda case: case.replace(" ", "-"))
def test_what_would_lead_nowhere_is_a_mistake(case):
    text, words, hint = SILENT[case]
    stage = "```python\n# <<build/stages/stage1_a.py>>=\npass\n```\n"
    problem = mistake(
        f"# A\n\nWords.\n\n{text}\n\n## The end\n\n{stage}",
        figures=["web/figures/on.svg"],
        labs=["training", "exercise", "stage"],
        exercises={"loss": ""},
    )
    line = 5 + text.split("\n").index(next(x for x in text.split("\n") if words in x))
    assert problem.line == line
    assert problem.source[problem.column - 1 :].startswith(words)
    assert problem.length == len(words)
    assert hint in problem.hint


def test_mistakes_are_reported_together_and_once():
    with pytest.raises(DocumentError) as caught:
        woven("# A\n\n[x](#y)\n\nA $\\nonsense$ note[^y].\n\n```math\n\\no\n```\n")
    places = [(problem.line, problem.column) for problem in caught.value.problems]
    assert places == [(3, 5), (5, 4), (5, 19), (7, 1)]


def test_what_leads_somewhere_is_no_mistake():
    text = (
        "# A\n\n[x](#the-end) `$$` \\$\\$ ![y](web/figures/on.svg)\n\n"
        '<p>\n<img src="web/figures/on.svg"> <a href="https://example.org/#x">x</a>\n'
        "</p>\n\n```text\n$$ [x](#y)\n```\n\n## The end\n"
        '\n<div class="lab" data-lab="training" data-title="T">\n</div>\n'
    )
    site = woven(text, figures=["web/figures/on.svg"], labs=["training"])
    assert 'src="figures/on.svg"' in page(site, "index.md").text
    assert "Start the lab" in page(site, "the-end.md").text


def test_a_variant_is_shown_and_linked_and_not_numbered():
    text = DOCUMENT + (
        "\n```python\n# <<Say hello>>= (variant loud)\nprint(x)\n# <<Shout>>\n```\n"
        "\n```python\n# <<Shout>>=\nprint('!')\n```\n"
    )
    check_reassembly(text)
    shown = figures(woven(text))
    [variant] = [f for _, f in shown.values() if "variant" in f.classes]
    assert "(variant loud)" in variant.first("a", "chunk-name").text
    assert variant.first("span", "n") is None
    assert "#chunk-say-hello-variant-loud" in "".join(
        link.get("href") for _, f in shown.values() for link in f.all("a")
    )
    assert variant.first("a", "use").text == "x"


def test_references_open_in_place_to_any_depth():
    chunks = ["```python\n# <<build/a.py>>=\n# <<C 0>>\n```"]
    for number in range(40):
        chunks.append(
            f"```python\n# <<C {number}>>=\nif {number}:\n    # <<C {number + 1}>>\n```"
        )
    chunks.append("```python\n# <<C 40>>=\npass\n```")
    text = "\n\n".join(chunks)
    site = woven(text)
    root = figures(site)["index.md#chunk-buildapy"][1]
    assert len(root.all("details")) == 8
    assert len(page(site, "index.md").text) < 400_000


def test_a_diagram_is_drawn_without_colours_or_ids_of_its_own():
    pytest.importorskip("mermaidx")
    first = draw("flowchart TD\n    A[from] -->|by| B[to]\n")
    assert "<style" not in first and "#333" not in first
    assert 'aria-label="Diagram: ' in first
    ids = set(re.findall(r'id="([^"]+)"', first))
    second = draw("flowchart TD\n    A --> C\n")
    assert ids and not ids & set(re.findall(r'id="([^"]+)"', second))
    for name in re.findall(r"url\(#([^)]+)\)", first):
        assert name in ids
    with pytest.raises(DiagramError):
        draw("flowchart TD\n    A --> [\n")


def test_the_tangler_imports_no_weaving():
    code = (
        "import sys, tangle; tangle.main(['microgpt.md', '--list']);"
        "print(*[m for m in sys.modules if 'weave' in m or 'markdown.' in m])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8"
    )
    assert done.stdout.splitlines()[-1] == ""


# Any document

_CODE = st.text("ab (){}[]<>&\"'`$*_#\\=:.|é\t", max_size=12).filter(
    lambda line: "<<" not in line and not line.lstrip().startswith("~")
)
_PROSE = st.sampled_from(
    ["Words.", "# Part", "## Chapter", "### Section", "- a list", "`code`", "$x$",
     "<div>\nraw\n</div>", "| a |\n| - |\n| b |", "> said", "1 < 2 & 3 * 4 _ 5"]
)  # fmt: skip


@st.composite
def documents(draw_from):
    """Return a document whose chunks form trees under one or two roots."""
    count = draw_from(st.integers(1, 7))
    language = draw_from(st.sampled_from(["python", "js", "sql"]))
    leader = syntax.LEADERS[language]
    names = ["build/one.py", *(f"Do part {number}" for number in range(1, count))]
    bodies = {name: [[]] for name in names}
    for name in names:
        for _ in range(draw_from(st.integers(1, 3)) - 1):
            bodies[name].append([])
        for piece in bodies[name]:
            piece += draw_from(st.lists(_CODE, max_size=4))
    for number in range(1, count):
        parent = names[draw_from(st.integers(0, number - 1))]
        piece = draw_from(st.sampled_from(bodies[parent]))
        indent = " " * draw_from(st.integers(0, 8))
        at = draw_from(st.integers(0, len(piece)))
        piece.insert(at, f"{indent}{leader} <<{names[number]}>>")
    blocks = []
    for name in draw_from(st.permutations(names)):
        for at, piece in enumerate(bodies[name]):
            sign = "+=" if at else "="
            code = "\n".join([f"{leader} <<{name}>>{sign}", *piece])
            blocks.append(f"~~~~~~{language}\n{code}\n~~~~~~")
            blocks += draw_from(st.lists(_PROSE, max_size=2))
    return "\n\n".join(blocks) + "\n"


@settings(max_examples=150, deadline=None)
@given(documents())
def test_what_is_woven_is_what_is_tangled(text):
    check_reassembly(text)
