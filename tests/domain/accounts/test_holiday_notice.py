"""A year's holidays are read from the notice that announces them; what cannot be read is told."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.accounts import holiday_notice
from app.domain.accounts.calendar import HOLIDAY, WORKS
from app.errors import BadInput

# Of an invented year's arrangement, in the words of such notices.
NOTICE = """各省、自治区、直辖市人民政府：
现将2027年部分节假日安排的具体日期通知如下。
一、元旦：2026年12月31日（周四）至2027年1月2日（周六）放假调休，共3天。
二、春节：2月5日（农历除夕前一日、周五）至11日（周四）放假调休，共7天。2月14日（周日）、2月20日（周六）上班。
三、清明节：4月5日(周一)放假，共1天。
四、国庆节、中秋节: 9月30日（星期四）到10月6日（星期三）放假；10月9日（周六）上班。
节假日期间，各地区、各部门要妥善安排好值班。"""


def test_holidays_and_worked_weekends_are_read_in_the_notices_own_words() -> None:
    found = [(it.first, it.last, it.kind, it.name) for it in holiday_notice.read(NOTICE, 2027)]
    assert found == [
        (date(2026, 12, 31), date(2027, 1, 2), HOLIDAY, "元旦"),
        (date(2027, 2, 5), date(2027, 2, 11), HOLIDAY, "春节"),
        (date(2027, 2, 14), date(2027, 2, 14), WORKS, "春节调休"),
        (date(2027, 2, 20), date(2027, 2, 20), WORKS, "春节调休"),
        (date(2027, 4, 5), date(2027, 4, 5), HOLIDAY, "清明节"),
        (date(2027, 9, 30), date(2027, 10, 6), HOLIDAY, "国庆节、中秋节"),
        (date(2027, 10, 9), date(2027, 10, 9), WORKS, "国庆节、中秋节调休"),
    ]


def test_the_notice_of_another_year_is_known_by_its_days_of_the_week() -> None:
    with pytest.raises(BadInput) as refused:
        holiday_notice.read("清明节：4月5日（周一）放假，共1天。", 2028)
    assert refused.value.code == "wrong_weekday" and "2028-04-05 是周三" in refused.value.detail


@pytest.mark.parametrize(
    "line",
    [
        "4月5日放假",
        "清明节：4月5日休息",
        "清明节：4月31日放假",
        "清明节：5日放假",
        "没有日期的话",
        "",
    ],
)
def test_what_is_not_understood_is_told_with_its_line(line: str) -> None:
    with pytest.raises(BadInput) as refused:
        holiday_notice.read(line, 2027)
    assert refused.value.code == "notice_unread" and line in refused.value.detail
