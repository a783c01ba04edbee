"""Make the site's text and code fonts: what a book needs of two open families.

Run it once for a new selection of characters, in an environment of its own:

    pip install fonttools brotli
    pip install fontpkg-source-serif-4==4.4 fontpkg-source-code-pro==1.26
    python web/fonts/subset.py
"""

from importlib.util import find_spec
from pathlib import Path

from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

HERE = Path(__file__).parent
ASCII = range(0x20, 0x7F)
LATIN_1 = [*ASCII, *range(0xA0, 0x100)]
LATIN_EXTENDED_A = range(0x100, 0x180)
GREEK = [0x386, *range(0x388, 0x38B), 0x38C, *range(0x38E, 0x3A2), *range(0x3A3, 0x3CF)]
SMALL_GREEK = [0x386, 0x39A, 0x3AF, *range(0x3B1, 0x3CA)]
QUOTES = [0x2013, 0x2018, 0x2019, 0x201C, 0x201D, 0x2026]
SIGNS = [0x2014, 0x201A, 0x201E, 0x2022, 0x20AC, 0x221A, *range(0x2190, 0x2194)]
SIGNS += [0x2212, 0x2248, 0x2260, 0x2264, 0x2265]
BOX_DRAWING = [0x2500, 0x2502, *range(0x250C, 0x2540, 4)]

SERIF, SERIF_ITALIC = "source_serif_4", "source_serif_4-Italic"
CODE = "source_code_pro"
TEXT = [*LATIN_1, *LATIN_EXTENDED_A, *SMALL_GREEK, *QUOTES, *SIGNS]
PROGRAM = [*LATIN_1, *LATIN_EXTENDED_A, *GREEK, *QUOTES, *SIGNS, *BOX_DRAWING]

# name: (family, its axes, characters, features, tangent of the slant of ⟨ and ⟩)
FONTS = {
    "text": (SERIF, {"opsz": 16, "wght": (400, 600)}, TEXT, ["kern", "liga"], 0),
    "text-italic": (
        SERIF_ITALIC,
        {"opsz": 16, "wght": 400},
        [*LATIN_1, *QUOTES, 0x2192],
        ["kern", "liga"],
        0.2,
    ),
    "text-italic-bold": (
        SERIF_ITALIC,
        {"opsz": 16, "wght": 600},
        [*ASCII, 0x2019],
        [],
        None,
    ),
    "code": (CODE, {"wght": 400}, PROGRAM, [], None),
    "code-bold": (CODE, {"wght": 600}, ASCII, [], None),
}


def main() -> None:
    """Write the fonts beside this file and say how large they are."""
    for name, (family, axes, characters, features, slant) in FONTS.items():
        font = TTFont(_source(family), recalcTimestamp=False)
        del font["HVAR"]  # what the outlines say of widths is enough
        font = instantiateVariableFont(font, axes)
        if slant is not None:
            for code, right in (0x27E8, False), (0x27E9, True):
                _add_angle(font, code, right, slant)
            characters = [*characters, 0x27E8, 0x27E9]
        options = Options(hinting=False, desubroutinize=True, name_IDs=[])
        options.layout_features = features
        options.drop_tables += ["MVAR", "STAT", "DSIG"]
        subsetter = Subsetter(options)
        subsetter.populate(unicodes=characters)
        subsetter.subset(font)
        font.flavor = "woff2"
        file = HERE / f"{name}.woff2"
        font.save(file)
        print(f"{file.stat().st_size:6} {file.name}")


def _source(family: str) -> Path:
    """Return the file of a family in the package that brings it."""
    package, _, style = family.partition("-")
    folder = Path(find_spec(f"fontpkg_{package}").origin).parent / "files"
    [file] = (
        path
        for path in folder.glob("*.ttf")
        if ("Italic" in path.name) == (style == "Italic")
    )
    return file


def _add_angle(font: TTFont, code: int, right: bool, slant: float) -> None:
    """Draw the bracket around a chunk's name, which the families lack."""
    outer, inner, stroke = 260, 90, 62
    middle, top, bottom = 270, 760, -220
    points = [
        (outer, top),
        (outer - stroke, top),
        (inner - stroke / 2, middle),
        (outer - stroke, bottom),
        (outer, bottom),
        (inner + stroke / 2, middle),
    ]
    width = 300
    if right:
        points = [(width - x, y) for x, y in points]
    points = [(round(x + slant * (y - middle / 2)), y) for x, y in points]
    pen = TTGlyphPen(None)
    pen.moveTo(points[0])
    for point in points[1:]:
        pen.lineTo(point)
    pen.closePath()
    name = f"uni{code:04X}"
    font["glyf"][name] = glyph = pen.glyph()
    glyph.recalcBounds(font["glyf"])
    font["hmtx"][name] = (width, glyph.xMin)
    if "gvar" in font:
        font["gvar"].variations[name] = []
    font.getReverseGlyphMap(rebuild=True)
    for table in font["cmap"].tables:
        if table.isUnicode():
            table.cmap[code] = name


if __name__ == "__main__":
    main()
