"""ID numbers as people type them: cleaned without loss, or refused with the reason.

A number of GB 11643 (resident ID, residence permit of Hong Kong, Macao and Taiwan residents,
permanent residence card of 2023) is checked: day of birth and check digit. Its region is not:
regions change. Passports and travel permits have no check digit, so their form is all there is.
Fifteen digits are a number of before 1999: century and check digit are added, so that one person
has one number.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Literal, cast, get_args

IdType = Literal[
    "resident_id",
    "passport",
    "hk_macao_permit",
    "taiwan_permit",
    "residence_permit",
    "permanent_residence",
]
ID_NUMBER_PURPOSE = "id-number"
"""What ID numbers are sealed for."""

ID_TYPES: tuple[str, ...] = get_args(IdType)
ID_TYPE_NAMES: dict[IdType, str] = {
    "resident_id": "居民身份证",
    "passport": "护照",
    "hk_macao_permit": "港澳居民来往内地通行证",
    "taiwan_permit": "台湾居民来往大陆通行证",
    "residence_permit": "港澳台居民居住证",
    "permanent_residence": "外国人永久居留身份证",
}
_ID_TYPE_WORDS: dict[str, IdType] = {
    **{name: it for it, name in ID_TYPE_NAMES.items()},
    **dict.fromkeys(("身份证", "二代身份证", "第二代居民身份证", "临时身份证"), "resident_id"),
    **dict.fromkeys(("中国护照", "普通护照", "外国护照", "外籍护照"), "passport"),
    **dict.fromkeys(("回乡证", "港澳通行证", "港澳居民通行证"), "hk_macao_permit"),
    **dict.fromkeys(("台胞证", "台湾通行证", "台湾居民通行证"), "taiwan_permit"),
    **dict.fromkeys(
        ("港澳居民居住证", "台湾居民居住证", "港澳台居住证", "居住证"), "residence_permit"
    ),
    **dict.fromkeys(("外国人永久居留证", "永久居留身份证", "永久居留证"), "permanent_residence"),
}

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643
_QUOTES = "'\"`´‘’“”′＇＂"
_CROSSES = dict.fromkeys(map(ord, "×✕✖╳хХχΧⅩⅹ"), "X")
_HYPHENS = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_CHECKED = re.compile(r"[0-9]{17}[0-9X]")
_OLD = re.compile(r"[0-9]{15}")
_ROUNDED = re.compile(r"[0-9](\.[0-9]*)?E\+?[0-9]{1,2}|[0-9]{15,}\.0*")
_HK_MACAO = re.compile(r"([HM][0-9]{8})([0-9]{2}|\([0-9]{1,2}\))?")
_TAIWAN = re.compile(r"([0-9]{8})([0-9]{2})?(\([A-Z]\))?")
_LETTERED = re.compile(r"(?=.*[0-9])[A-Z][A-Z0-9()-]{5,19}")
_PASSPORT = re.compile(r"(?=.*[0-9])[A-Z0-9]{5,12}")
_LETTER_FOR_DIGIT = re.compile(r"[A-Z][0-9]{16}[0-9X]|[OIL][0-9]{14}")
_PERMANENT = re.compile(r"[A-Z]{3}[0-9]{12}")
_OF_GB_11643 = ("resident_id", "residence_permit", "permanent_residence")


class BadNumber(ValueError):
    """Why a number was not taken: `code`, and the sentence in Chinese and English."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.code = code


def cleaned(text: str) -> str:
    """What was typed, without what carries no meaning: spaces, quotes, width and case of letters,
    and with a sign that only looks like an X at the end as an X.

    >>> cleaned("'0000001980 0202 0010")
    '000000198002020010'
    >>> cleaned("００００００１９８００２０２００１×")
    '00000019800202001X'
    """
    text = text.translate(_WIDE)
    text = "".join(c for c in text if not c.isspace() and unicodedata.category(c) != "Cf")
    text = text.strip(_QUOTES).upper().translate(_HYPHENS)
    text = text[:-1] + text[-1:].translate(_CROSSES)
    if re.fullmatch(r"[0-9-]+X?", text):
        text = text.replace("-", "")
    return text


def type_in_words(said: str) -> IdType:
    """The document that a person's word means. Raises BadNumber for one that is not known.

    >>> type_in_words("台湾居民来往大陆通行证（台胞证）"), type_in_words("passport")
    ('taiwan_permit', 'passport')
    """
    text = unicodedata.normalize("NFKC", said)
    text = re.sub(r"\(.*?\)|\s", "", text)
    if text in ID_TYPES:
        return cast("IdType", text)
    if text in _ID_TYPE_WORDS:
        return _ID_TYPE_WORDS[text]
    raise BadNumber(
        "unknown_id_type",
        f"不认识证件类型“{said.strip()[:20]}”，可填：{'、'.join(ID_TYPE_NAMES.values())}",
        f"no known id_type; one of {', '.join(ID_TYPES)}",
    )


def check_digit(body: str) -> str:
    """The last character of an ID number, out of its first 17 digits.

    >>> check_digit("00000019800202001")
    '0'
    """
    weighted = sum(int(d) * w for d, w in zip(body, _WEIGHTS, strict=True))
    return "10X98765432"[weighted % 11]


def read(text: str, id_type: str | None = None, *, confirmed: bool = False) -> str:
    """The one way to write that number. Raises BadNumber.

    `confirmed`: somebody read it from the document, so that three zeros at its end are its own.
    Idempotent: what it returns is returned for it.
    """
    number = cleaned(text)
    if not number:
        raise BadNumber(
            "id_number_empty",
            "没有填写证件号码；确实没有时请整项省略",
            "the number is empty; leave the field out where there is none",
        )
    if _ROUNDED.fullmatch(number):
        raise _cut()
    if number.startswith("PASSPORT:") and id_type in (None, "passport"):
        return "PASSPORT:" + _passport(number.removeprefix("PASSPORT:"))
    if id_type == "passport":
        number = _passport(number)
        return f"PASSPORT:{number}" if number.isdecimal() else number
    if _OLD.fullmatch(number) and id_type in (None, "resident_id"):
        return _modern(number)
    if _CHECKED.fullmatch(number) and id_type in (None, *_OF_GB_11643):
        return _checked(number, confirmed)
    if id_type in (None, "hk_macao_permit") and (permit := _HK_MACAO.fullmatch(number)):
        return permit[1]  # the rest counts renewals
    if id_type in (None, "taiwan_permit") and (permit := _TAIWAN.fullmatch(number)):
        if id_type is None and _born(permit[1]) is not None:
            raise BadNumber(
                "id_number_is_a_date",
                "填写的像是出生日期；若是台湾居民来往大陆通行证，请注明证件类型",
                "this looks like a date of birth; say id_type for a Taiwan travel permit",
            )
        return permit[1]
    if id_type in (None, "permanent_residence") and _PERMANENT.fullmatch(number):
        return number
    lettered = _LETTERED.fullmatch(number) and not _LETTER_FOR_DIGIT.fullmatch(number)
    if id_type is None and lettered:
        return number
    raise _shapeless(number, id_type)


def birthday(number: str) -> date | None:
    """The day of birth that a number of GB 11643 tells; None for other documents."""
    return _born(number[6:14]) if _CHECKED.fullmatch(number) else None


def sex(number: str) -> str | None:
    """`female` or `male`, as a number of GB 11643 tells; None for other documents."""
    if not _CHECKED.fullmatch(number):
        return None
    return "male" if int(number[16]) % 2 else "female"


def _checked(number: str, confirmed: bool) -> str:
    if number.endswith("000") and not (confirmed and number[17] == check_digit(number[:17])):
        raise _cut()
    if _born(number[6:14]) is None:
        raise BadNumber(
            "id_number_birth_date",
            f"身份证号中的出生日期 {number[6:14]} 不存在，请对照证件核对",
            f"its date of birth {number[6:14]} does not exist; compare it with the document",
        )
    if number[17] != check_digit(number[:17]):
        raise BadNumber(
            "id_number_check_digit",
            "身份证号的校验码不对，有数字录错，请对照证件核对",
            "its check digit is wrong, so some digit is; compare it with the document",
        )
    return number


def _modern(number: str) -> str:
    """Nobody born in 1919 or 1920 is trained; a number of 18 digits that lost its end looks so."""
    if number[6:8] in ("19", "20"):
        raise BadNumber(
            "id_number_cut",
            "只有15位，像是18位身份证号少了后3位，请对照证件补全",
            "15 digits, and they look like 18 without the last three; complete it",
        )
    if _born(f"19{number[6:12]}") is None:
        raise BadNumber(
            "id_number_birth_date",
            f"15位身份证号中的出生日期 {number[6:12]} 不存在，请对照证件核对",
            f"its date of birth {number[6:12]} does not exist; compare it with the document",
        )
    body = f"{number[:6]}19{number[6:]}"
    return body + check_digit(body)


def _passport(number: str) -> str:
    if not _PASSPORT.fullmatch(number):
        raise _shapeless(number, "passport")
    return number


def _born(digits: str) -> date | None:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None
    return born if 1900 <= born.year <= 2099 else None


def _cut() -> BadNumber:
    return BadNumber(
        "id_number_cut",
        "Excel 只保留15位，号码的后3位已经丢失（末尾成了000）：请把该列设为文本后按证件重新录入；"
        "证件上确实以000结尾的，在“号码已核对”（id_number_confirmed）填“是”",
        "Excel kept 15 digits and lost the last three (they became 000): format the column as text "
        "and enter it again; say id_number_confirmed where the document reads so",
    )


def _shapeless(number: str, id_type: str | None) -> BadNumber:
    if "*" in number:
        return BadNumber(
            "bad_id_number",
            "号码里有“*”，不完整：请按证件填写全部号码（末位是X的写X）",
            "some of it is masked with *: enter the whole number",
        )
    if _LETTER_FOR_DIGIT.fullmatch(number):
        return BadNumber(
            "bad_id_number",
            f"第一位是字母“{number[0]}”：居民身份证没有字母开头的，请对照证件核对（如把0录成O、1录成I）",
            f"begins with the letter {number[0]}, as no resident ID does; compare it with the "
            "document",
        )
    if id_type is not None:
        return BadNumber(
            "bad_id_number",
            f"号码不像{ID_TYPE_NAMES.get(cast('IdType', id_type), id_type)}的号码，"
            "请核对号码和证件类型",
            f"does not have the shape of an ID number of that type ({id_type})",
        )
    digits = sum(c.isdecimal() for c in number)
    length = f"共{digits}位数字" if digits == len(number) else f"共{len(number)}位"
    return BadNumber(
        "bad_id_number",
        f"不像证件号码（{length}）：居民身份证为18位（或旧15位），护照等请注明证件类型",
        f"does not have the shape of an ID number ({len(number)} characters); "
        "say id_type for a passport or permit",
    )
