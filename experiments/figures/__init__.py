"""The book's figures, drawn by plain string code: python -m experiments.figures

Each module of this folder draws some, and is found by itself: a function under
`@figure(NAME)` gets the results and returns an SVG file.
"""

from importlib import import_module
from pkgutil import iter_modules

from experiments.figures.drawing import FIGURES, FOLDER

for _module in iter_modules(__path__):
    if _module.name != "__main__":
        import_module(f"{__name__}.{_module.name}")

__all__ = ["FIGURES", "FOLDER"]
