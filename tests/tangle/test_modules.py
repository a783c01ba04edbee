"""A document's program as a module."""

import inspect
import traceback
from pathlib import Path

import pytest

from literate.core.document import parse
from literate.core.modules import load, output_at

DOCUMENT = parse(
    """
```python
# <<build/a.py>>=
def half(x):
    # <<Halve it>>
```

```python
# <<Halve it>>=
return 1 / x
```

```python
# <<build/b.py>>=
# <<Say b>>
```

```python
# <<Say b>>=
b = 1
```

```python
# <<Say b>>= (variant two)
b = 2
```
""",
    "a.md",
)


def test_an_output_is_found_by_its_path():
    assert "b = 1" in output_at(DOCUMENT, "build/b.py").text
    assert "b = 2" in output_at(DOCUMENT, "build/b.py", "two").text
    with pytest.raises(KeyError, match=r"build/c\.py"):
        output_at(DOCUMENT, "build/c.py")


def test_a_variant_leaves_alone_what_it_does_not_touch():
    both = [output_at(DOCUMENT, "build/a.py", variant) for variant in (None, "two")]
    assert both[0].text == both[1].text


@pytest.mark.parametrize("shown_as", ["", "<a program>"])
def test_a_loaded_program_shows_its_lines(shown_as):
    path = Path("nowhere", "a.py")
    program = load(output_at(DOCUMENT, "build/a.py").text, path, shown_as)
    assert program.half(2) == 0.5
    assert (program.__name__, program.__file__) == ("a", str(path))
    assert "return 1 / x" in inspect.getsource(program.half)
    with pytest.raises(ZeroDivisionError) as caught:
        program.half(0)
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (last.filename, last.line) == (shown_as or str(path), "return 1 / x")
