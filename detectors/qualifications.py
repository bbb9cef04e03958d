"""Words that a rule hangs on: kinds of certificates and skill levels, by any of their usual names.

The certificates are those that the plan of 2021 names (003, clauses 14 and 21). Levels are the five
of the national qualifications, 五级 the lowest; 初级工 and 五级 are one level.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum


class Certificate(StrEnum):
    """What a training ends with."""

    QUALIFICATION = "职业资格证书"
    SKILL_LEVEL = "职业技能等级证书"
    SPECIAL_OPERATION = "特种作业操作证书"
    SPECIAL_ABILITY = "专项职业能力证书"
    TRAINING = "培训合格证书"


LEVELS = {
    5: ("五级", "5级", "5", "初级", "初级工", "初级技能"),
    4: ("四级", "4级", "4", "中级", "中级工", "中级技能"),
    3: ("三级", "3级", "3", "高级", "高级工", "高级技能"),
    2: ("二级", "2级", "2", "技师"),
    1: ("一级", "1级", "1", "高级技师"),
}
_LEVEL_OF = {word: level for level, words in LEVELS.items() for word in words}
_TRAINING_WORDS = ("职业技能培训合格证", "培训合格证", "培训结业证", "电子培训合格证")
_CERTIFICATE_OF = {str(it).removesuffix("书"): it for it in Certificate} | dict.fromkeys(
    _TRAINING_WORDS, Certificate.TRAINING
)
_IN_BRACKETS = re.compile(r"^(?P<name>.+?)[(\[【〔](?P<level>[^()\[\]【】〔〕]+)[)\]】〕]$")


def certificate_of(words: str) -> Certificate | None:
    """The kind of certificate by any of its names, None where it is none of them.

    >>> certificate_of("培训合格证")
    <Certificate.TRAINING: '培训合格证书'>
    """
    return _CERTIFICATE_OF.get(plain(words).removesuffix("书"))


def level_of(words: str) -> int | None:
    """5 (the lowest) to 1, None where the words name no level.

    >>> level_of("初级工"), level_of("五级/初级工"), level_of("熟练")
    (5, 5, None)
    """
    found = {_LEVEL_OF.get(part) for part in re.split(r"[/、]", plain(words)) if part}
    return found.pop() if len(found) == 1 else None


def without_level(occupation: str) -> tuple[str, int | None]:
    """An occupation's name, and the level that stands in brackets behind it.

    >>> without_level("营销员（五级）"), without_level("育婴员(月嫂)")
    (('营销员', 5), ('育婴员(月嫂)', None))
    """
    name = plain(occupation)
    parts = _IN_BRACKETS.match(name)
    level = level_of(parts["level"]) if parts else None
    return (parts["name"], level) if parts and level else (name, None)


def plain(words: str) -> str:
    """Without spaces, and with the width of letters, digits and brackets made one."""
    return "".join(unicodedata.normalize("NFKC", words).split())
