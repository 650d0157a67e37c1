"""Make the embedded font anew: `python -m verifier.report.font.subset STIXMath-Regular.otf` (Debian: fonts-stix).

Needs fonttools and brotli, which nothing else here does. The glyph variants and assemblies that let brackets, roots and
sums stretch come along through the font's MATH table.
"""

from __future__ import annotations

import base64
import io
import sys
import textwrap
from pathlib import Path
from string import ascii_letters, digits
from typing import Any

__all__ = ["main", "subset_of"]

NAME = "Verifier Math"
TARGET = Path(__file__).with_name("verifier-math.woff2.b64")

GREEK = "".join(chr(code) for code in (*range(0x391, 0x3AA), *range(0x3B1, 0x3CA), 0x3D1, 0x3D5, 0x3F5))
SIGNS = "+-−±×·⋅∗∘/÷=≠≈≡<>≤≥≪≫∝∼≃→←↦⇒⇔⟹⟸⟺∈∉⊂⊆∪∩∀∃∅∞∂∇∆∑∏∫√∛∧∨¬⊤⊥⊙⊗⊕†…⋯⋮⋱′″‴|‖()[]{}⟨⟩⌊⌋⌈⌉,.;:!?%&'\"#_^~ˆ¯―‾˙˜⃗ℓℏℝℂℕℤℚ𝔼"
MATH_LETTERS = "".join(chr(code) for first in (0x1D400, 0x1D434, 0x1D468) for code in range(first, first + 52))
MATH_GREEK = "".join(chr(code) for first in (0x1D6A8, 0x1D6E2) for code in range(first, first + 58))
CHARACTERS = ascii_letters + digits + GREEK + SIGNS + MATH_LETTERS + MATH_GREEK + "ℎ \u00a0\u2009\u200a\u2061\u2062"


def subset_of(source: Path) -> bytes:
    """The woff2 bytes of the subset, renamed as the licence of a modified version asks."""
    from fontTools.subset import Options, Subsetter, load_font, save_font  # pyright: ignore[reportMissingImports]

    options = Options(flavor="woff2", layout_features=["ssty"], hinting=False, name_IDs=[0, 1, 2, 13, 14])
    options.drop_tables += ["FFTM"]
    font = load_font(str(source), options)
    subsetter = Subsetter(options)
    subsetter.populate(text=CHARACTERS)
    subsetter.subset(font)
    _rename(font)
    target = io.BytesIO()
    save_font(font, target, options)
    return target.getvalue()


def _rename(font: Any) -> None:
    for identity in (1, 4, 6, 16):
        font["name"].setName(NAME if identity != 6 else NAME.replace(" ", ""), identity, 3, 1, 0x409)
    cff = font["CFF "].cff
    cff.fontNames = [NAME.replace(" ", "")]
    cff.topDictIndex[0].FullName = cff.topDictIndex[0].FamilyName = NAME


def main(source: str) -> None:
    """Write the subset as base64 text, which diffs and packages treat as any other file."""
    text = base64.b64encode(subset_of(Path(source))).decode("ascii")
    TARGET.write_text("\n".join(textwrap.wrap(text, 120)) + "\n", encoding="ascii")


if __name__ == "__main__":
    main(sys.argv[1])
