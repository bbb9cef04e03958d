"""The unified social credit code (统一社会信用代码): eighteen characters, the last one a check.

GB 32100-2015: registering department and kind of body, six digits of the place, nine characters of
the body itself, and a check character over the rest, weighted by powers of 3 modulo 31. No I, O, S,
V, Z.
"""

from __future__ import annotations

import re
import unicodedata

from app.errors import BadInput

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_LIKE_ONE = re.compile(r"[0-9A-Z]{16,20}")
_FORM = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}")


def plain(said: str) -> str:
    """As people type it: any width, any case, spaces and hyphens between the groups."""
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", said)).upper()


def check_character(code: str) -> str:
    """The character that has to follow these seventeen.

    >>> check_character("91350100M000100Y4")
    '3'
    """
    total = sum(_ALPHABET.index(it) * pow(3, at, 31) for at, it in enumerate(code[:17]))
    return _ALPHABET[-total % 31]


def is_valid(said: str) -> bool:
    """
    >>> is_valid("91350100M000100Y43"), is_valid("91350100M000100Y44"), is_valid("I" * 18)
    (True, False, False)
    """
    code = plain(said)
    return bool(_FORM.fullmatch(code)) and code[17] == check_character(code)


def tidy(said: object) -> object:
    """A credit code as it is written, whatever way it was typed; anything else as it stands."""
    return plain(said) if isinstance(said, str) and is_valid(said) else said


def doubtful(said: str | None) -> bool:
    """Whether this is meant for a credit code and is none: sixteen to twenty digits and Latin
    letters. An institution may have the number of its licence instead.

    >>> doubtful("91350100M000100Y44"), doubtful("教民141152670000017号"), doubtful(None)
    (True, False, False)
    """
    return bool(said) and bool(_LIKE_ONE.fullmatch(plain(said or ""))) and not is_valid(said or "")


def require_new(said: str | None, kept: str | None, field: str) -> None:
    """Raises BadInput for a wrong code, unless it has stood there: other things may be changed
    beside it until somebody has looked it up."""
    if said != kept and doubtful(said):
        raise _wrong(field)


def require(said: str | None, kept: str | None, field: str) -> None:
    """The same where only a credit code will do."""
    if said is not None and said != kept and not is_valid(said):
        raise _wrong(field)


def _wrong(field: str) -> BadInput:
    return BadInput(
        "bad_credit_code",
        "统一社会信用代码须为18位，末位是校验码：请对照营业执照或法人证书逐位核对 / "
        "18 characters of which the last is a check: compare with the licence",
        field=field,
    )
