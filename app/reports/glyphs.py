"""The type that lists are printed in, from a package: what characters it has, and what stands for
those it lacks.

Noto Serif SC and Noto Sans SC (SIL Open Font License 1.1) hold the 20,992 ideographs of the basic
block, Extension A, and the rarer ones of the national list of characters for names. Of anything
else the code is printed, `〔U+249DE〕`: a name can then be completed by hand, and is never a blank.
"""

from __future__ import annotations

import struct
import unicodedata
from functools import cache
from pathlib import Path

_INVISIBLE = {"Cf", "Mn"}  # joiners and selectors of variants: no glyph of their own
_BLANKS = str.maketrans({"\t": " ", "\r": None, "\u2028": "\n", "\u2029": "\n"})


def folder() -> Path:
    """Where the two fonts lie."""
    import pylopdf_fonts_zh_cn  # who prints no PDF does without

    return Path(pylopdf_fonts_zh_cn.__file__).parent


def printable(words: str) -> str:
    """The words with codes in the place of characters that have no glyph.

    >>> printable("林𤧞")
    '林〔U+249DE〕'
    """
    if words.isascii() and words.isprintable():
        return words
    words = words.translate(_BLANKS)
    missing = {it for it in set(words) if ord(it) not in _characters() and not _no_glyph(it)}
    for it in missing:
        words = words.replace(it, f"〔U+{ord(it):04X}〕")
    return words


def _no_glyph(character: str) -> bool:
    return character == "\n" or unicodedata.category(character) in _INVISIBLE


@cache
def _characters() -> frozenset[int]:
    """The code points that one of the fonts has a glyph for."""
    found: set[int] = set()
    for file in folder().glob("*.otf"):
        found.update(*_ranges(file.read_bytes()))
    return frozenset(found)


def _ranges(font: bytes) -> list[range]:
    """What an OpenType font's `cmap` maps, from its table of 32-bit groups (format 12)."""
    tables = struct.unpack_from(">H", font, 4)[0]
    records = (struct.unpack_from(">4sIII", font, 12 + 16 * at) for at in range(tables))
    cmap = next(offset for tag, _, offset, _ in records if tag == b"cmap")
    for at in range(struct.unpack_from(">H", font, cmap + 2)[0]):
        start = cmap + struct.unpack_from(">I", font, cmap + 4 + 8 * at + 4)[0]
        if struct.unpack_from(">H", font, start)[0] == 12:
            groups = struct.unpack_from(">I", font, start + 12)[0]
            bounds = (struct.unpack_from(">II", font, start + 16 + 12 * it) for it in range(groups))
            return [range(first, last + 1) for first, last in bounds]
    raise ValueError("a font without a table of 32-bit groups")
