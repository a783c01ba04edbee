"""What the tangler accepts, what it refuses, and where every line comes from."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from literate.core.blocks import split_lines
from literate.core.diagnostics import DocumentError, Problem, nearest
from literate.core.document import Document, parse
from literate.core.programs import check_syntax, tangle
from literate.core.syntax import LEADERS, with_backslashes, without_backslashes
from literate.tool.listing import count_chapters, listing

HERE = Path(__file__).parent
GOLDEN = sorted(path for path in (HERE / "golden").iterdir() if path.is_dir())
ERRORS = sorted((HERE / "errors").glob("*.md"))


def read(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


def tangled(text: str, variant: str | None = None) -> dict[str, str]:
    outputs = tangle(parse(text, "document.md"), variant)
    return {output.path: output.text for output in outputs}


def refusal(text: str, name: str = "document.md") -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        check_syntax(tangle(parse(text, name)))
    return caught.value


@pytest.mark.parametrize("case", GOLDEN, ids=lambda path: path.name)
def test_golden(case: Path) -> None:
    document = parse(read(case / "document.md"), "document.md")
    assert document.problems == []
    for variant in (None, *document.variants):
        folder = case / (f"expected-{variant}" if variant else "expected")
        expected = {
            f"build/{path.relative_to(folder).as_posix()}": read(path)
            for path in folder.rglob("*")
            if path.is_file()
        }
        assert tangled(read(case / "document.md"), variant) == expected


@pytest.mark.parametrize("case", ERRORS, ids=lambda path: path.stem)
def test_refused(case: Path) -> None:
    message = f"{refusal(read(case), case.name)}\n"
    assert message == read(case.with_suffix(".txt"))


def test_every_refusal_has_its_message() -> None:
    assert {path.with_suffix(".txt") for path in ERRORS} == set(
        (HERE / "errors").glob("*.txt")
    )


# The shape of problems


def test_problems_are_sorted_and_plain_data() -> None:
    error = refusal(read(HERE / "errors" / "many.md"), "many.md")
    places = [(problem.line, problem.column) for problem in error.problems]
    assert places == sorted(places)
    as_json = [json.loads(line) for line in error.as_json().split("\n")]
    assert [Problem(**fields) for fields in as_json] == error.problems


def test_a_caret_stands_under_what_is_wrong() -> None:
    problem = Problem("a.md", 1, 3, "wrong", "\t数x\x1b", 2)
    assert problem.render().split("\n")[1:] == ["  \t数x\ufffd", "  \t  ^^"]
    combined = Problem("a.md", 1, 3, "wrong", "e\u0301x", 1)
    assert combined.render().split("\n")[2] == "   ^"


def test_nearest_name() -> None:
    assert nearest("say IT", ["Say it", "Do it all"]) == "Say it"
    assert nearest("Wash the dog", ["Say it"]) is None


def test_parsing_never_raises() -> None:
    document = parse(read(HERE / "errors" / "many.md"), "many.md")
    assert document.problems and "Say it" in document.chunks
    with pytest.raises(ValueError, match="no variant loud"):
        tangle(document, "loud")


@pytest.mark.parametrize("language", LEADERS)
def test_languages(language: str) -> None:
    leader = LEADERS[language]
    text = f"```{language}\n{leader} <<build/a>>=\nx\n```\n"
    assert tangled(text) == {"build/a": "x\n"}
    assert tangled(text.replace(language, language.upper(), 1)) == {"build/a": "x\n"}


@pytest.mark.parametrize(
    "name",
    [
        "Divide a by b, then c",
        "Divide a / b",
        "Don't stop: go on",
        "Use type hints",
        "Explain noqa",
        "Set x=1",
        "Escape \\n in a string",
        "Is it a < b or a > b?",
        "Encode: the text",
        "100% done (at last)",
        "#hashtag",
        "build",
    ],
)
def test_names_that_are_sentences(name: str) -> None:
    text = f"```py\n# <<build/a>>=\n# <<{name}>>\n```\n\n```py\n# <<{name}>>=\n```\n"
    assert tangled(text) == {"build/a": f"# {name}\n"}


def test_syntax_errors_are_at_the_documents_line() -> None:
    text = "```python\n# <<build/a.py>>=\nif x:\n    # <<Go on>>\n```\n\n"
    text += "```python\n# <<Go on>>=\ny = (\n```\n"
    [problem] = refusal(text).problems
    assert (problem.line, problem.source, problem.column) == (9, "y = (", 5)
    assert problem.hint.endswith("put there by the reference at line 4")
    for broken in ("\x00", "'", "return 1", "x = " + "(" * 300 + ")" * 300, "\ty\n  z"):
        error = refusal(f"```python\n# <<build/a.py>>=\n{broken}\n```\n")
        assert error.problems[0].line >= 3


def test_only_python_is_compiled() -> None:
    assert tangled("```python\n# <<build/a.txt>>=\nx = = 1\n```\n")


# Depth


def nested(depth: int) -> str:
    parts = ["```python\n# <<build/a.py>>=\n# <<Step 0>>\n```\n\n"]
    for step in range(depth):
        parts.append(f"```python\n# <<Step {step}>>=\n# <<Step {step + 1}>>\n```\n\n")
    return "".join([*parts, f"```python\n# <<Step {depth}>>=\nx = 1\n```\n"])


def test_ten_thousand_chunks_inside_each_other() -> None:
    [output] = tangle(parse(nested(10_000), "deep.md"))
    assert output.text == "".join(f"# Step {n}\n" for n in range(10_001)) + "x = 1\n"
    assert output.origin(10_002).line == 50_008


def test_a_cycle_of_ten_thousand_chunks() -> None:
    text = nested(10_000).replace("x = 1\n", "# <<Step 0>>\n")
    [problem] = refusal(text).problems
    assert "Step 0 → Step 1 → Step 2 → Step 3 → (9,994 more)" in problem.message
    assert problem.message.endswith("→ Step 10000 → Step 0")


# Random documents

# A line that closes its own fence is left to the golden documents.
CODE = st.text(
    st.characters(blacklist_categories=("Cs",), blacklist_characters="\r\n<`~"),
    max_size=12,
)
PROSE = st.sampled_from(
    [
        "",
        "A sentence.",
        "> A quote",
        "- an item",
        "1. one",
        "---",
        "## Title",
        "`# <<X>>=`",
    ]
)


@st.composite
def literate_documents(draw) -> tuple[str, dict[str, list]]:
    """Draw a document and, apart from it, what its chunks hold.

    A chunk is a list of lines of code and of pairs, an indentation and a child's name.
    """
    endings = draw(st.sampled_from([["\n"], ["\r\n"], ["\r"], ["\n", "\r\n"]]))
    count = draw(st.integers(1, 7))
    chunks: dict[str, list] = {}
    ordered = ["build/a.txt", *(f"Do № {n} — 数" for n in range(1, count))]
    for name in ordered:
        lines = draw(st.lists(CODE, max_size=5))
        chunks[name] = [line + draw(st.sampled_from(endings)) for line in lines]
    for n in range(1, count):
        lines = chunks[ordered[draw(st.integers(0, n - 1))]]
        indent = draw(st.sampled_from(["", "  ", "\t", " \t "]))
        reference = (indent, ordered[n], draw(st.sampled_from(endings)))
        lines.insert(draw(st.integers(0, len(lines))), reference)
    text = []
    for name in draw(st.permutations(ordered)):
        cut = draw(st.integers(0, len(chunks[name])))
        pieces = [chunks[name]]
        if draw(st.booleans()):
            pieces = [chunks[name][:cut], chunks[name][cut:]]
        for number, piece in enumerate(pieces):
            blank = endings[0] * 2
            text.append(f"{draw(PROSE)}{blank}Then:{blank}")
            text.append(fenced(draw, name, "+" * bool(number), piece, endings[0]))
    document = "".join(text)
    if draw(st.booleans()):
        document = document.rstrip("\r\n")
    return draw(st.sampled_from(["", "\ufeff"])) + document, chunks


def fenced(draw, name: str, more: str, piece: list, ending: str) -> str:
    mark = draw(st.sampled_from(["```", "~~~", "`````"]))
    lines = [f"{mark}python{ending}", f"# <<{name}>>{more}={ending}"]
    for line in piece:
        if isinstance(line, tuple):
            line = f"{line[0]}# <<{line[1]}>>{line[2]}"
        lines.append(line)
    lines.append(f"{mark}{ending}")
    return "".join(lines)


def expanded(chunks: dict[str, list], name: str, indent: str = "") -> str:
    """Return what a chunk stands for: the reference implementation."""
    text = ""
    for line in chunks[name]:
        if isinstance(line, tuple):
            deeper, child, ending = line
            texts = [str(line) for line in chunks[child] if str(line).strip()]
            if not (texts and texts[0].lstrip().startswith("@")):
                text += f"{indent}{deeper}# {child}{ending}"
            text += expanded(chunks, child, indent + deeper)
        else:
            text += line if not line.strip() else indent + line
    return text


@settings(max_examples=400, deadline=None)
@given(literate_documents())
def test_random_documents(drawn: tuple[str, dict[str, list]]) -> None:
    text, chunks = drawn
    [output] = tangle(parse(text, "document.md"))
    assert output.text == expanded(chunks, "build/a.txt")
    assert tangle(parse(text, "document.md"))[0].text == output.text
    check_map(parse(text, "document.md"))


def check_map(document: Document) -> None:
    """Check that the map is a bijection, and that texts agree at both its ends."""
    for output in tangle(document):
        lines = split_lines(output.text)
        sources = set()
        for number, line in enumerate(lines, start=1):
            place = output.origin(number)
            source = document.lines[place.line - 1]
            sources.add(place.line)
            assert output.line_of(place.line) == number
            shown = source.replace("<<", "").replace(">>", "").strip()
            assert line.strip() == shown or line.strip() == source.strip()
            assert place.piece.line < place.line
            assert place.line <= place.piece.line + len(place.piece.lines)
            if line.strip() and line.strip() in source:
                at = len(line) - len(line.lstrip())
                column = output.origin(number, at + 1).column
                assert source[column - 1 :].strip() == line.strip()
        assert len(sources) == len(lines)
        silent = {span.source + 1 for span in output.spans if not span.count}
        others = set(range(1, len(document.lines) + 1)) - sources - silent
        assert all(output.line_of(source) is None for source in others)
        for wrong in (0, -1, len(lines) + 1):
            with pytest.raises(IndexError):
                output.origin(wrong)


@pytest.mark.parametrize("case", GOLDEN, ids=lambda path: path.name)
def test_the_map_of_golden_documents_is_one_to_one(case: Path) -> None:
    document = parse(read(case / "document.md"), "document.md")
    for output in tangle(document):
        lines = split_lines(output.text)
        sources = [output.origin(number).line for number in range(1, len(lines) + 1)]
        assert len(set(sources)) == len(sources)
        assert [output.line_of(source) for source in sources] == list(
            range(1, len(lines) + 1)
        )


def test_columns_go_through_the_indentation() -> None:
    text = "```py\n# <<build/a.py>>=\nif x:\n    # <<Go>>\n```\n\n"
    text += "```py\n# <<Go>>=\none = 1\n```\n"
    [output] = tangle(parse(text, "a.md"))
    assert output.text.split("\n")[2] == "    one = 1"
    assert output.origin(3, 5)[:2] == (9, 1)
    assert output.origin(3, 11)[:2] == (9, 7)
    assert output.origin(2, 5)[:2] == (4, 5)


# Chunks that several roots share, and chunks that name themselves

SHARED = """```python
# <<build/a.py>>=
x = 1
# <<Go on>>


# <<Define f>>
```

```python
# <<build/b.py>>=
class B:
    # <<Define f>>

    # <<Go on>>
```

```python
# <<Go on>>=
y = 2
```

```python
# <<Define f>>=

def f():
    # <<Return>>
```

```python
# <<Return>>=
return 3
```

```python
# <<Return>>= (variant four)
return 4
```

```text
# <<build/names.txt>>=
anna
```
"""
A = "x = 1\n# Go on\ny = 2\n\n\n\ndef f():\n    # Return\n    return 3\n"


def test_roots_share_chunks() -> None:
    built = tangled(SHARED)
    assert list(built) == ["build/a.py", "build/b.py", "build/names.txt"]
    assert built["build/a.py"] == A
    assert built["build/b.py"] == (
        "class B:\n\n    def f():\n        # Return\n        return 3\n\n"
        "    # Go on\n    y = 2\n"
    )
    check_map(parse(SHARED, "a.md"))


def test_a_variant_changes_each_program_that_has_the_chunk_and_brings_the_data() -> (
    None
):
    built = {o.path: o.text for o in tangle(parse(SHARED, "a.md"), "four")}
    assert list(built) == ["build/a.py", "build/b.py", "build/names.txt"]
    assert "return 4" in built["build/a.py"] and "return 4" in built["build/b.py"]
    alone = SHARED.replace("    # <<Define f>>\n\n", "")
    built = {o.path: o.text for o in tangle(parse(alone, "a.md"), "four")}
    assert list(built) == ["build/a.py", "build/names.txt"]


@pytest.mark.parametrize("first", ["def f():", "async def f():", "class F:", "@f"])
def test_what_names_itself_gets_no_comment(first: str) -> None:
    chunk = f"```python\n# <<Make f>>=\n{first}\n    pass\n```\n"
    root = "```python\n# <<build/a.txt>>=\n# <<Make f>>\n```\n\n"
    assert tangled(root + chunk) == {"build/a.txt": f"{first}\n    pass\n"}
    document = parse(root + chunk, "a.md")
    [output] = tangle(document)
    assert output.line_of(3) == output.line_of(8) == 1  # the reference leads there too
    assert output.origin(1).line == 8


def test_a_second_reference_in_one_root_is_still_one_too_many() -> None:
    text = SHARED.replace("x = 1\n", "# <<Go on>>\n")
    [problem] = refusal(text).problems
    assert problem.message == '"Go on" is used already, at line 3'
    assert problem.line == 4


# What the document holds besides programs


BOOK = """# Title

Two words.

## One

```python
# <<build/a.py>>=
# <<Go>>

x = 1
```

- a list item

```console
$ ls
```

# Part

## Two

```python
# <<Go>>=
y = 2
```

```python
# <<Go>>= (variant other)
y = 3
z = 4
```

```text
# <<build/names.txt>>=
anna
```
"""


def test_examples_blocks_and_chapters() -> None:
    document = parse(BOOK, "book.md")
    [example] = document.examples
    assert (example.info, example.line, example.lines) == ("console", 16, ["$ ls\n"])
    assert example.chapter.text == "One"
    assert [heading.text for heading in document.headings] == [
        "Title",
        "One",
        "Part",
        "Two",
    ]
    assert document.chunks["Go"].pieces[0].chapter.text == "Two"
    assert document.variants == ["other"]
    kinds = " ".join(type(block).__name__ for block in document.blocks)
    assert kinds == (
        "Heading Text Heading Fence Text Fence Heading Heading Fence Fence Fence"
    )


def test_chapters_are_counted() -> None:
    counts = count_chapters(parse(BOOK, "book.md"))
    assert counts == [("Title", 0, 3), ("One", 1, 4), ("Part", 0, 1), ("Two", 1, 1)]


def test_listing() -> None:
    assert (
        listing(parse(BOOK, "book.md"))
        == """\
chunk            lines  defined  used
build/a.py           3  8        root
Go                   1  25       9
  variant other      2  30
build/names.txt      1  36       root

chapter  code  words
Title       0      3
One         1      4
Part        0      1
Two         1      1
total       2      9
"""
    )


def test_only_the_standard_library_is_imported() -> None:
    import subprocess

    command = "import sys, tangle, literate.tool.listing; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", command], cwd=HERE.parents[1], capture_output=True
    )
    modules = {name.split(".")[0] for name in done.stdout.decode().split()}
    assert "literate" in modules
    assert modules - {"tangle", "literate", "__main__"} <= sys.stdlib_module_names


PARTS = ["#", "# ", "<<", "<", ">>", ">", "a", "=", "+=", " ", "\t", "\\", "//", "\xa0"]


@settings(max_examples=1000)
@given(st.lists(st.sampled_from(PARTS), min_size=1, max_size=7).map("".join))
def test_any_line_can_be_written_as_a_literal(line: str) -> None:
    written = with_backslashes(f"{line}\n", "#")
    assert without_backslashes(written, "#") == f"{line}\n"
    built = tangled(f"```python\n# <<build/a.txt>>=\nfirst\n{written}```\n")
    assert built == {"build/a.txt": f"first\n{line}\n"}
