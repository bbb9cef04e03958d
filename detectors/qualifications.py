"""Words that a rule hangs on: kinds of certificates, of trainees, skill levels and codes of
occupations, by any of their usual names.

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


class TraineeKind(StrEnum):
    """Who is trained, as far as the plan of 2021 says something of them (003, clauses 2, 3, 12, 20
    and 21)."""

    EMPLOYEE = "企业职工"
    TRANSFERRED = "转岗职工"
    STUDENT = "在校生"
    INMATE = "在押服刑人员"
    CORRECTED = "社区矫正对象"
    DETOXIFIED = "强制隔离戒毒人员"
    RURAL = "农村转移就业劳动者"
    UNEMPLOYED = "下岗失业人员"
    GRADUATE = "毕业年度高校毕业生"
    VETERAN = "退役军人"
    DISABLED = "残疾人"
    OUT_OF_POVERTY = "已脱贫劳动力"
    SCHOOL_LEAVER = "未继续升学的初高中毕业生"


_TRAINEE_WORDS = {
    TraineeKind.EMPLOYEE: "企业在岗职工 在岗职工 职工 企业员工",
    TraineeKind.TRANSFERRED: "企业转岗职工 困难企业转岗职工 转岗人员",
    TraineeKind.STUDENT: "在校学生 职业学校在校生 在校生（含技工院校） 学生",
    TraineeKind.INMATE: "服刑人员",
    TraineeKind.CORRECTED: "社区矫正人员 就业困难的社区矫正对象",
    TraineeKind.DETOXIFIED: "戒毒人员",
    TraineeKind.RURAL: "农村转移劳动力 农村劳动力 农民工 新生代农民工",
    TraineeKind.UNEMPLOYED: "失业人员 下岗职工 登记失业人员",
    TraineeKind.GRADUATE: "高校毕业生 离校未就业大学生 离校未就业高校毕业生",
    TraineeKind.VETERAN: "退役士兵",
    TraineeKind.DISABLED: "残疾人员",
    TraineeKind.OUT_OF_POVERTY: "脱贫劳动力 脱贫人口 建档立卡劳动力",
    TraineeKind.SCHOOL_LEAVER: "两后生 城乡未继续升学的初高中毕业生",
}
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
_TRAINEE_OF = {str(kind): kind for kind in TraineeKind}
_CODE = re.compile(r"[1-8]-\d{2}-\d{2}-\d{2}")
_IN_BRACKETS = re.compile(r"^(?P<name>.+?)[(\[【〔](?P<level>[^()\[\]【】〔〕]+)[)\]】〕]$")


def certificate_of(words: str) -> Certificate | None:
    """The kind of certificate by any of its names, None where it is none of them.

    >>> certificate_of("培训合格证")
    <Certificate.TRAINING: '培训合格证书'>
    """
    return _CERTIFICATE_OF.get(plain(words).removesuffix("书"))


def trainee_of(words: str) -> TraineeKind | None:
    """Who is trained, by any usual name; None where it is none of them.

    >>> trainee_of("困难企业转岗职工"), trainee_of("其他")
    (<TraineeKind.TRANSFERRED: '转岗职工'>, None)
    """
    return _TRAINEE_OF.get(plain(words))


def occupation_code(words: str) -> str | None:
    """A code of the 国家职业分类大典, its four groups with hyphens; None where it is none.

    >>> occupation_code("4－01－02－01"), occupation_code("4010201")
    ('4-01-02-01', None)
    """
    code = re.sub("[‐-―−]", "-", plain(words))
    return code if _CODE.fullmatch(code) else None


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


_TRAINEE_OF |= {plain(it): kind for kind, words in _TRAINEE_WORDS.items() for it in words.split()}
