"""Which tables are taken, and by what names their columns are known.

A name is compared without spaces, width, case, stars and what stands in brackets; where no column
has it as it is, without whose it is (学员身份证号), and by halves (证件号/身份证号).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from app.domain.catalogue import table_cells as cells
from app.domain.catalogue.records import LISTS, Item
from app.languages import Text

_SPARE = re.compile(r"[\s*:：★▲※●◆]|^\s*\d+[.、]")
_NOTE = re.compile(r"[(（\[【][^)）\]】\n]*[)）\]】]?")  # in one go, though nobody closes it
_WHOSE = re.compile(
    "^(参加培训|被培训人|参训|参培|受训|本人|个人|申请人|考生|学员|学生|职工|员工|劳动者|人员)+"
)


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of a table. `names` are other titles that it is known by, `note` explains it."""

    field: str
    title: str
    read: Callable[[Any], Any]
    names: str = ""
    needed: bool = False
    note: str = ""
    unless: str = ""  # titles beside which only `title` itself is sure to mean this column

    def known_as(self) -> set[str]:
        return {plain(it) for it in (self.title, self.field, *self.names.split())}


@dataclass(frozen=True, slots=True)
class TableKind:
    """`item` is what a row becomes; None: a learner of the roster."""

    name: str
    title: Text
    columns: tuple[TableColumn, ...]
    item: type[Item] | None = None

    @property
    def names_people(self) -> bool:
        return any(it.field == "name" for it in self.columns)


_LEARNER_ID = TableColumn(
    "learner_id",
    "学员编号",
    cells.code,
    "账号 平台账号 学员账号 用户名 学号 学员id 用户id 学习账号",
    note="学习平台上的账号；没有就空着，按证件号码认人",
)
_ID_NUMBER = TableColumn(
    "id_number",
    "证件号码",
    cells.id_number,
    "身份证号 身份证号码 身份证 身份证件号码 居民身份证号码 公民身份号码 证件号 证件编号 "
    "居民身份证号 居民身份证 公民身份证号码 公民身份证号 身份证编号 身份证件号 身份号码 "
    "身份证明号码 公民身份号 二代身份证号 二代身份证号码 社会保障号 社会保障号码 证照号码 "
    "有效证件号码 有效证件号 有效身份证件号码 护照号 护照号码 idno",
    note="先把整列设为“文本”再填，否则电脑只保留15位",
)
_NAME = TableColumn(
    *("name", "姓名", cells.name),
    "学员姓名 学员 参训人员 培训对象姓名 参训学员 参培人员 培训学员 培训人员 人员 真实姓名 名字 "
    "学员名称 中文姓名 培训学员姓名 培训人员姓名 受训人员 fullname",
    needed=True,
)
_ID_TYPE = TableColumn(
    "id_type",
    "证件类型",
    cells.line,
    "证件种类 证件名称",
    note="居民身份证可不填；护照、港澳台居民居住证等请写明",
)
_CONFIRMED = TableColumn(
    "id_number_confirmed",
    "号码已核对",
    cells.yes_or_no,
    "证件号码已核对",
    note="号码确实以000结尾、已对照证件的填“是”；其余不填",
)
_WHO = (_NAME, _ID_NUMBER, _LEARNER_ID)

ROSTER = TableKind(
    "roster",
    Text("花名册", "Roster"),
    (
        *(_NAME, _ID_NUMBER, _ID_TYPE, _CONFIRMED, _LEARNER_ID),
        TableColumn(
            "employer",
            "工作单位",
            cells.line,
            "单位 单位名称 用人单位 所在单位 就业单位 所在企业 企业名称",
        ),
        TableColumn(
            "category",
            "人员类别",
            cells.line,
            "培训对象类别 学员类别 人员类型 人员性质 类别 身份类别 人员身份 群体类别",
            note="按文件的名称填写：企业职工、转岗职工、在校生、农村转移就业劳动者、下岗失业人员等",
        ),
        TableColumn(
            "post_code",
            "岗位职业代码",
            cells.code,
            "岗位代码 工种代码 职业代码 岗位工种代码",
            note="企业职工填写本人岗位的职业代码，如 4-01-02-01（国家职业分类大典）",
        ),
        TableColumn(
            "former_post_code",
            "原岗位职业代码",
            cells.code,
            "原岗位代码 原工种代码",
            note="转岗职工填写原岗位的职业代码",
        ),
        TableColumn(
            "school", "在读学校", cells.line, "就读学校 所在学校", note="在校生填写学校全称"
        ),
        TableColumn("major", "在读专业", cells.line, "所学专业 专业", note="在校生填写"),
        TableColumn(
            "joined_on",
            "入班日期",
            cells.day,
            "加入日期 插班日期",
            note="开班以后才来的填写；开班就在的不填",
        ),
        TableColumn(
            "real_name_verified", "已实名认证", cells.yes_or_no, "实名认证 实名", note="是或否"
        ),
        TableColumn(
            "consent_face",
            "同意人脸核验",
            cells.yes_or_no,
            "人脸同意 同意人脸识别 是否同意人脸识别 是否同意人脸核验",
            note="是或否；填“是”须有同意日期",
        ),
        TableColumn("consent_on", "同意日期", cells.day, "同意时间 签署日期", note="如 2026-03-02"),
    ),
)
OFFLINE = TableKind(
    "offline-attendance",
    Text("线下考勤", "Attendance in person"),
    (
        *_WHO,
        TableColumn("held_on", "日期", cells.day, "上课日期 培训日期 考勤日期 授课日期", True),
        TableColumn(
            *(
                "hours",
                "学时",
                cells.class_hours,
                "课时 学时数 课时数 出勤学时 实到学时 出勤课时 培训学时 授课学时",
                True,
            ),
            "课时数，不是钟点",
        ),
        TableColumn(
            "session",
            "时段",
            cells.part_of_day,
            "上下午 午别",
            note="上午、下午或晚上；一天两条时必填，全天的可不填",
        ),
        TableColumn(
            "practical", "实操", cells.practical, "是否实操 理论/实操 课程性质", note="实操或理论"
        ),
        TableColumn(
            "minutes", "分钟", cells.minutes, "时长 授课时长 授课分钟", note="不含课间休息"
        ),
        TableColumn("place", "地点", cells.line, "上课地点 培训地点"),
        TableColumn("teacher", "教师", cells.line, "授课教师 任课教师 老师"),
        TableColumn(
            "attended",
            "签到",
            cells.attended,
            "出勤 考勤 出勤情况 考勤情况 到课 是否到课 是否出勤 签名 学员签名 学员签到",
            note="到课写√；写了缺勤、请假的，或写的看不出到没到课（○、●），那一行退回",
        ),
    ),
    LISTS["offline-attendance"],
)
LEAVE = TableKind(
    "leave",
    Text("请假与补课", "Leave and make-up"),
    (
        *_WHO,
        TableColumn(
            "from_on",
            "开始日期",
            cells.day,
            "请假日期 请假开始 请假开始日期 起始日期 请假起 请假开始时间 开始时间",
            True,
        ),
        TableColumn(
            "to_on",
            "结束日期",
            cells.day,
            "请假结束 请假结束日期 截止日期 终止日期 请假止 请假结束时间 结束时间",
            True,
        ),
        TableColumn(
            "written",
            "书面请假",
            cells.yes_or_no,
            "是否书面请假 请假条 书面 书面手续",
            True,
            "是或否",
        ),
        TableColumn("approved", "已批准", cells.yes_or_no, "是否批准 批准 审批", True, "是或否"),
        TableColumn("made_up_on", "补课日期", cells.day, "补课时间 补学日期 补课完成日"),
        TableColumn("reason", "请假事由", cells.line, "事由 请假原因 原因"),
    ),
    LISTS["leave"],
)
SATISFACTION = TableKind(
    "satisfaction",
    Text("满意度", "Satisfaction"),
    (
        TableColumn("surveyed_on", "调查日期", cells.day, "日期 测评日期 统计日期", True),
        TableColumn(
            "answered",
            "有效答卷数",
            cells.whole,
            "有效答卷 有效问卷 答卷数 参评人数 调查人数",
            True,
        ),
        TableColumn(
            *("satisfied", "满意数", cells.whole, "满意人数 满意答卷数 满意", True),
            "分“基本满意”等几档的，按主管部门的口径算作满意的合计",
            "(基本|比较|非常|很|较为?|十分)满意",
        ),
    ),
    LISTS["satisfaction"],
)
ASSESSMENTS = TableKind(
    "assessments",
    Text("考核结果", "Assessment results"),
    (
        *_WHO,
        TableColumn(
            "held_on",
            "考核日期",
            cells.day,
            "考试日期 日期 鉴定日期 评价日期 认定日期 考评日期 考核时间 考试时间 鉴定时间 评价时间",
            True,
        ),
        TableColumn(
            "passed",
            "是否合格",
            cells.passed,
            "合格 考核结果 结果 鉴定结果 评价结果 评定结果 考评结果 考试结果 成绩评定 是否通过 "
            "考核结论 结论 考核是否合格",
        ),
        TableColumn(
            "score",
            "成绩",
            cells.score,
            "分数 考核成绩 总成绩 得分 总分 综合成绩 总评成绩 最终成绩",
        ),
        TableColumn(
            "certificate_no",
            "电子证书编号",
            cells.code,
            "证书编号 证书号 证书号码 电子证书号 证书编码 职业技能等级证书编号 培训合格证书编号 "
            "合格证书编号 结业证书编号",
            note="合格的才有；一个编号只能是一名学员的",
        ),
        TableColumn(
            "certificate_type",
            "证书类型",
            cells.line,
            "证书类别 证书名称 证书种类 考核类别",
            note="与班级的证书类型不同时才填，如 职业技能等级证书",
        ),
    ),
    LISTS["assessments"],
)
HISTORY = TableKind(
    "history",
    Text("以往培训", "Earlier trainings"),
    (
        *(_NAME, _ID_NUMBER, _ID_TYPE, _CONFIRMED, _LEARNER_ID),
        TableColumn(
            "occupation",
            "职业（工种）",
            cells.line,
            "职业 工种 培训职业 培训工种 培训项目 职业名称 工种名称 职业工种",
            True,
        ),
        TableColumn("level", "等级", cells.line, "技能等级 培训等级 级别"),
        TableColumn("started_on", "开班日期", cells.day, "开始日期 开班时间 培训开始日期", True),
        TableColumn("assessed_on", "考核日期", cells.day, "考试日期 鉴定日期"),
        TableColumn(
            "subsidised",
            "享受补贴",
            cells.yes_or_no,
            "是否享受补贴 补贴 是否补贴",
            note="是或否；空着按“是”",
        ),
        TableColumn("institution", "培训机构", cells.line, "机构 机构名称 培训学校"),
        TableColumn("official_class_no", "班级编号", cells.code, "官方班号 班号 开班编号"),
    ),
    LISTS["history"],
)
RECORDINGS = TableKind(
    "recordings",
    Text("教学录像", "Recordings of teaching"),
    (
        TableColumn("file", "录像文件", cells.line, "文件名 文件 录像名称 录像文件名", True),
        TableColumn("held_on", "日期", cells.day, "上课日期 培训日期 授课日期 录制日期", True),
        TableColumn(
            "practical", "类型", cells.practical, "理论/实操 课程性质 实操", True, "理论或实操"
        ),
        TableColumn(
            "class_hours",
            "学时序号",
            cells.hour_span,
            "学时 课时序号 课时 第几学时",
            True,
            "当天理论或实操的第几学时，如 1 或 1至3",
        ),
        TableColumn(
            *("minutes", "时长", cells.minutes, "录像时长 分钟 时长分钟", True),
            "分钟数，或 0:45:10（时:分:秒）",
        ),
        TableColumn(
            "stored_at", "存放位置", cells.line, "存放地点 存储位置 地址 链接", True, "在哪里能调取"
        ),
        TableColumn("sha256", "文件摘要", cells.digest, "sha256 sha-256 摘要 校验值"),
        TableColumn("begins", "开始时间", cells.clock, "开始 起始时间", note="如 08:30"),
        TableColumn("recorded_by", "录制人", cells.line, "拍摄人 登记人 教师 授课教师"),
        TableColumn(
            "measured_minutes",
            "实测时长",
            cells.minutes,
            note="分钟；由 zhenxue recordings 从文件读出，没有就空着",
        ),
        TableColumn("longest_minutes", "最长连续", cells.minutes, note="分钟；同上"),
    ),
    LISTS["recordings"],
)
COURSE = TableKind(
    "course",
    Text("课程目录", "Course"),
    (
        TableColumn(
            "title",
            "小节名称",
            cells.line,
            "课程名称 小节 章节 章节名称 课程章节 课程小节 视频名称 课件名称 课次名称 讲次名称 "
            "授课内容 培训内容 学习内容 标题 名称",
            True,
        ),
        TableColumn(
            "media_seconds",
            "时长",
            cells.media_seconds,
            "视频时长 时长分钟 课程时长 小节时长 播放时长",
            True,
            "分钟数，或 0:45:10（时:分:秒）",
        ),
        TableColumn(
            "lesson_id",
            "小节编号",
            cells.code,
            "视频编号 章节编号 编号 课程编号 小节id",
            note="与学习平台上的小节编号一致；空着的自动编号",
        ),
        TableColumn(
            "class_hours", "学时", cells.whole, "课时 学时数 课时数", note="空着按时长折算"
        ),
    ),
)
KINDS = {
    it.name: it for it in (ROSTER, OFFLINE, LEAVE, SATISFACTION, ASSESSMENTS, HISTORY, RECORDINGS)
}


def plain(title: Any) -> str:
    """A title as it is compared.

    >>> plain("身份证号码 *（必填）"), plain("ID Number")
    ('身份证号码', 'idnumber')
    """
    text = unicodedata.normalize("NFKC", cells.shown(title))
    text = "".join(c for c in text if unicodedata.category(c) != "Cf")
    bare = _NOTE.sub(lambda it: "" if it[0][-1] in ")）]】" else it[0], text)
    said = _SPARE.sub("", bare) or re.sub(r"[\s【】\[\]()]", "", text)  # 【姓名】
    return said.replace("_", "").lower()


def recognised(
    kind: TableKind, titles: Sequence[Any], unseen: Collection[int] = ()
) -> dict[int, TableColumn]:
    """The columns of the kind by where they stand; of two of one meaning the first, one that has
    the column's own name before one that only means it, and what people see before what their file
    hides (`unseen`)."""
    found: dict[int, TableColumn] = {}
    named = {it for column in kind.columns for it in column.known_as()}
    seen = [it for it in range(len(titles)) if it not in unseen]
    hidden = [it for it in range(len(titles)) if it in unseen]
    for places, means in product((seen, hidden), (_is_named, _is_meant)):
        for place in places:
            said = plain(titles[place])
            if not said or place in found or (means is _is_meant and said in named):
                continue
            free = (it for it in kind.columns if it not in found.values())
            column = next((it for it in free if means(it, said)), None)
            if column and not (said != plain(column.title) and _unsure(column, titles)):
                found[place] = column
    return dict(sorted(found.items()))


def _is_named(column: TableColumn, said: str) -> bool:
    return said in column.known_as()


def _is_meant(column: TableColumn, said: str) -> bool:
    """Whether all of a title's halves are this column's, whoever they say it is of."""
    halves = (it for it in re.split("[/、|]|或者?", said) if it)
    return all({it, _WHOSE.sub("", it)} & column.known_as() for it in halves)


def _unsure(column: TableColumn, titles: Sequence[Any]) -> bool:
    """Whether a title beside it makes its usual names mean something else."""
    return bool(column.unless) and any(re.search(column.unless, plain(it)) for it in titles)
