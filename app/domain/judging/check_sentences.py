"""How the checks before an assessment are told: their sentences and their limits, when read.

A check stores which sentence it is told in and the numbers that stand there. A new check needs its
lines here; a test sweeps all of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.policy.pack import Pack
from app.languages import Text
from detectors.batch_checks import ALLOWED, REFUSED
from detectors.batch_facts import ApplicantKind, Mode
from detectors.check_sheet import ABSENT

_MODES = {
    Mode.ONLINE: Text("线上", "online"),
    Mode.BLENDED: Text("线上线下融合", "blended"),
    Mode.OFFLINE: Text("线下", "offline"),
}
_APPLICANTS = {
    ApplicantKind.ENTERPRISE: Text("企业", "enterprise"),
    ApplicantKind.INSTITUTION: Text("培训机构", "institution"),
    ApplicantKind.INDIVIDUAL: Text("个人", "individual"),
}
_OFFLINE = Text("线下培训，不适用", "offline training")

# (check, said) → what is read.
SENTENCES: Mapping[tuple[str, str], Text] = {
    ("B1", "numbered"): Text("官方班级编号{number}", "official number {number}"),
    ("B1", "no_official_number"): Text(
        "没有官方系统班级编号", "no class number of the official system"
    ),
    **{
        (check, said): text
        for check in ("B2", "B3", "B4", "B8")
        for said, text in (
            ("other_trainee", Text("{kind}，不适用", "trainee: {kind}")),
            (
                "unknown_trainee_kind",
                Text("不认识的人员类别：{kind}", "not a known kind of trainee: {kind}"),
            ),
        )
    },
    ("B2", "near"): Text("本人岗位{post}，培训职业{trained}", "post {post}, trained in {trained}"),
    ("B2", "other_occupation"): Text(
        "本人岗位{post}，培训职业{trained}：是否相近由主管部门认定",
        "post {post}, trained in {trained}: the authority decides whether they are near",
    ),
    ("B3", "former_occupation"): Text(
        "原岗位{former}，培训职业{trained}相同", "the former post {former} is what is trained"
    ),
    ("B3", "same_class_of_occupations"): Text(
        "原岗位{former}，培训职业{trained}：是否同一职业分类由主管部门认定",
        "former post {former}, trained in {trained}: the authority decides whether that is one "
        "class of occupations",
    ),
    ("B3", "other_class"): Text(
        "原岗位{former}，培训职业{trained}", "former post {former}, trained in {trained}"
    ),
    ("B4", "other_school"): Text("在其他学校就读", "a student of another school"),
    ("B4", "own_major"): Text(
        "本校在校生，在读专业“{major}”，培训“{occupation}”",
        "a student here of {major}, trained in {occupation}",
    ),
    ("B4", "own_student"): Text(
        "本校在校生，在读专业“{major}”，培训“{occupation}”：由主管部门认定",
        "a student here of {major}, trained in {occupation}: the authority decides",
    ),
    ("B8", "at_age_limit"): Text(
        "开班时{age}周岁，是否在限内由主管部门认定",
        "{age} years old at the opening: the authority decides whether that is within",
    ),
    ("B8", "aged"): Text("开班时{age}周岁", "{age} years old at the opening"),
    ("B5", "other_certificate"): Text("证书类型：{certificate}", "certificate: {certificate}"),
    ("B5", "unknown_certificate"): Text(
        "不认识的证书类型：{certificate}", "not a known kind of certificate: {certificate}"
    ),
    ("B5", "counted_by_own_rule"): Text(
        "有效学时{valid:g}，按登记的明确学时规定须达{least:g}学时",
        "{valid:g} valid class-hours, {least:g} by the explicit rule on record",
    ),
    ("B5", "counted"): Text("有效学时{valid:g}", "{valid:g} valid class-hours"),
    ("B5", "class_hours_undecided"): Text(
        "有效学时{valid:g}，另有{undecided:g}学时未定",
        "{valid:g} valid class-hours, {undecided:g} undecided",
    ),
    ("B6", "online"): Text("纯线上培训，不适用", "wholly online"),
    ("B6", "none_taught"): Text("没有线下理论教学", "no theory was taught in person"),
    ("B6", "recorded"): Text(
        "线下理论{taught:g}学时，均有全程录像", "{taught:g} class-hours of theory, all recorded"
    ),
    ("B6", "not_recorded"): Text(
        "线下理论{taught:g}学时，其中{recorded:g}学时有全程录像；其余由主管部门认定",
        "{taught:g} class-hours of theory, {recorded:g} recorded throughout; the authority decides",
    ),
    ("B7", "online"): Text("纯线上培训，不适用", "wholly online"),
    ("B7", "none_taught"): Text("没有线下实操教学", "no practice was taught in person"),
    ("B7", "recorded"): Text(
        "线下实操{taught:g}学时，连续录像均达标",
        "{taught:g} class-hours of practice, all recorded long enough",
    ),
    ("B7", "not_recorded"): Text(
        "线下实操{taught:g}学时，其中{recorded:g}学时连续录像达标；其余由主管部门认定",
        "{taught:g} class-hours of practice, {recorded:g} recorded long enough; the authority "
        "decides",
    ),
    ("B10", "counted"): Text(
        "学员{learners}人，教师{teachers}人", "{learners} learners, {teachers} teachers"
    ),
    ("B10", "places"): Text(
        "学员{learners}人，工位{places}个", "{learners} learners, {places} workplaces"
    ),
    ("B11", "counted"): Text(
        "花名册{learners}人，上限{most:g}人", "{learners} on the roster, at most {most:g}"
    ),
    ("B13", "online"): Text("纯线上培训，不适用", "wholly online"),
    ("B13", "annex_3"): Text("{annex}职业，不适用", "an occupation of {annex_en}"),
    ("B13", "counted"): Text(
        "实操{practical:g}课时，共{planned:g}课时",
        "{practical:g} practical of {planned:g} class-hours",
    ),
    ("B17", "offline"): _OFFLINE,
    ("B17", "listed"): Text("{annex}列有“{name}”", "{annex_en} names {name}"),
    ("B14", "no_apprenticeship"): Text("不是企业新型学徒制培训", "not an apprenticeship"),
    ("B14", "teachers_not_filed"): Text(
        "学徒制学员{people}人，机构没有报备专职教师：由主管部门认定",
        "{people} apprentices, no full-time teacher of the institution on file: the authority "
        "decides",
    ),
    ("B14", "many_apprentices_of_year"): Text(
        "同时在训学徒{people}人，全年{year}人，该职业专职教师{teachers}人：是否按全年计由主管部门认定",
        "{people} apprentices at once, {year} in the year, {teachers} full-time teachers of the "
        "occupation: the authority decides whether the year counts",
    ),
    ("B14", "counted"): Text(
        "同时在训学徒{people}人，全年{year}人，该职业专职教师{teachers}人",
        "{people} apprentices at once, {year} in the year, {teachers} full-time teachers of the "
        "occupation",
    ),
    ("B17", "listed_by_alias"): Text(
        "{annex}列有“{name}”（按别名匹配）", "{annex_en} names {name} (by alias)"
    ),
    ("B17", "blended"): Text("线上线下融合培训，{annex}未列", "blended, not in {annex_en}"),
    ("B17", "not_in_annex_3"): Text(
        "{annex}未列“{name}”，纯线上培训由主管部门认定",
        "{annex_en} does not name {name}: the authority decides on online training",
    ),
    ("B18", "offline"): _OFFLINE,
    ("B18", "no_offline_practice"): Text(
        "{annex}未要求线下实训", "{annex_en} asks for no offline practice"
    ),
    ("B18", "lenient_reading"): Text(
        "各行冲突，从宽适用全线上培训", "its rows contradict each other, read leniently"
    ),
    ("B18", "practice_unsaid"): Text(
        "线下{hours:g}学时，其中{unsaid:g}学时没有注明是否实操",
        "{hours:g} class-hours in person, of {unsaid:g} nobody said whether they were practice",
    ),
    ("B18", "counted"): Text("线下实训{hours:g}学时", "{hours:g} class-hours of offline practice"),
    ("B18", "counted_by_row"): Text(
        "线下实训{hours:g}学时，{annex}要求{least:g}学时",
        "{hours:g} class-hours of offline practice, {least:g} by {annex_en}",
    ),
    ("B19", "no_conflict"): Text("{annex}各行无冲突", "no conflict in {annex_en}"),
    ("B19", "stricter"): Text(
        "{annex}各行对该职业的要求不一，从严适用",
        "rows of {annex_en} contradict each other; the stricter reading applies",
    ),
    ("B19", "lenient"): Text(
        "{annex}各行对该职业的要求不一，从宽适用",
        "rows of {annex_en} contradict each other; the lenient reading applies",
    ),
    ("B20", "none_earlier"): Text("此前无补贴性培训", "no earlier subsidised training"),
    ("B20", "assessed_too_recently"): Text(
        "上次考核{assessed}，{opening}开班，最早可于{earliest}开班",
        "assessed on {assessed}, opened on {opening}; {earliest} is the earliest",
    ),
    ("B20", "previous_not_assessed"): Text(
        "{opened}开班的上一个项目未考核", "the project opened on {opened} is not assessed"
    ),
    ("B20", "assessed_too_recently_elsewhere"): Text(
        "仅据其他平台报送：上次考核{assessed}，{opening}开班，最早可于{earliest}开班；须由主管部门核实认定",
        "only another platform says so: assessed on {assessed}, opened on {opening}; {earliest} is "
        "the earliest; the authority decides",
    ),
    ("B20", "previous_not_assessed_elsewhere"): Text(
        "仅据其他平台报送：{opened}开班的上一个项目未考核；须由主管部门核实认定",
        "only another platform says so: the project opened on {opened} is not assessed; the "
        "authority decides",
    ),
    ("B20", "assessed"): Text(
        "上次考核{assessed}，{opening}开班", "assessed on {assessed}, opened on {opening}"
    ),
    ("B24", "no_leave"): Text("无请假登记", "no leave on record"),
    ("B24", "leave_not_accepted"): Text(
        "{day}起的请假只由平台报送为已批准，须由主管部门登记认可。",
        "only the platform says that leave from {day} was approved; the authority has to record "
        "that it accepts it",
    ),
    ("B24", "leave_not_written"): Text(
        "{day}缺课未履行书面请假手续", "absence of {day} without approved written leave"
    ),
    ("B24", "made_up_too_late"): Text(
        "{last}补课，不早于考核日{assessed}", "made up on {last}, not before {assessed}"
    ),
    ("B24", "make_up_open"): Text("{left}次请假尚未补课", "{left} not made up yet"),
    ("B24", "made_up"): Text("请假{times}次，均已补课", "{times} leaves, all made up"),
    ("C1", "planned"): Text("考核日期{planned}", "assessment on {planned}"),
    ("C1", "not_an_assessment_month"): Text(
        "考核日期{planned}不在考核月份，下一考核期{first}至{last}",
        "{planned} is in no assessment month; the next is {first} to {last}",
    ),
    **{
        ("C2", mode.value): Text(f"考核方式：{told.zh}", f"mode of the assessment: {told.en}")
        for mode, told in _MODES.items()
    },
    ("C3", "not_annex_3"): Text("非{annex}职业", "not an occupation of {annex_en}"),
    **{
        ("C3", applicant.value): Text(f"申请主体：{told.zh}", f"applicant: {told.en}")
        for applicant, told in _APPLICANTS.items()
    },
    ("C7", "applied"): Text(
        "{applied}提出申请，{planned}考核，提前{days}天",
        "applied on {applied} for {planned}: {days} days ahead",
    ),
    ("C11", "more_answers_than_learners"): Text(
        "有效答卷{answers}份，多于花名册{learners}人：每人只计一次，请核对",
        "{answers} valid answers of {learners} on the roster: each counts once",
    ),
    ("C11", "counted"): Text(
        "满意{satisfied}人，有效答卷{answers}份", "{satisfied} satisfied of {answers} valid answers"
    ),
    ("C11", "rectification"): Text(
        "满意{satisfied}人，有效答卷{answers}份；停止开班整改，{opens}起方可开班",
        "{satisfied} satisfied of {answers} valid answers; no class opens before {opens}",
    ),
    ("C11_opening", "opened_during_rectification"): Text(
        "{opening}开班，处于整改期内，{first}起方可开班",
        "opened on {opening} during rectification; {first} is the first day allowed",
    ),
    ("C11_opening", "opened"): Text(
        "{opening}开班，不在整改期", "opened on {opening}, outside rectification"
    ),
    ("D1", "counted"): Text("{year}年第{count}次补贴性培训", "training no. {count} of {year}"),
    ("D1", "repeated"): Text(
        "{year}年第{count}次补贴性培训；同职业同等级重复：{before}",
        "training no. {count} of {year}; same occupation and level: {before}",
    ),
    ("D17", "verified"): Text("已实名", "verified"),
    ("D17", "identity_shared"): Text(
        "与本班另一账号（{others}）证件号码相同，更正之前不作认定",
        "shares an ID number with another account of the class ({others}); open until corrected",
    ),
    ("D17", "real_name_missing"): Text("未实名", "not verified"),
    ("E2", "online"): Text("纯线上培训，不适用", "wholly online"),
    ("E2", "too_short"): Text(
        "线下{hours:g}学时，其中{short:g}学时时长不足，最短每学时{minutes:g}分钟",
        "{hours:g} class-hours in person, {short:g} too short: {minutes:g} min each at the least",
    ),
    ("E2", "minutes_untold"): Text(
        "线下{hours:g}学时，其中{untold:g}学时没有注明分钟数",
        "{hours:g} class-hours in person, of {untold:g} nobody told the minutes",
    ),
    ("E2", "long_enough"): Text(
        "线下{hours:g}学时，时长均达标", "{hours:g} class-hours in person, all long enough"
    ),
    ("E1", "offline"): _OFFLINE,
    ("E1", "counted"): Text(
        "实操{practical:g}学时之外，线下理论{offline:g}学时，理论共{theory:g}学时",
        "beside {practical:g} of practice, {offline:g} of {theory:g} class-hours of theory offline",
    ),
}

# What nobody supplied, by fact.
FACTS: Mapping[str, Text] = {
    "age": Text("年龄（证件号码）", "age (ID number)"),
    "applicant": Text("申请主体类型", "type of the applicant"),
    "application_date": Text("考核申请日期", "date of the application"),
    "assessment": Text("上一个项目的考核日期", "date of the previous assessment"),
    "assessment_date": Text("考核日期", "date of the assessment"),
    "assessment_mode": Text("考核方式", "mode of the assessment"),
    "certificate_type": Text("证书类型", "type of the certificate"),
    "former_post_code": Text("原岗位职业代码", "code of the former post's occupation"),
    "history": Text("以往培训记录", "earlier trainings"),
    "institution_surveys": Text("机构历次满意度", "the institution's surveys"),
    "mode": Text("培训方式", "mode of teaching"),
    "occupation": Text("培训职业（工种）", "occupation"),
    "occupation_code": Text("班级的职业代码", "code of the class's occupation"),
    "offline_hours": Text("线下实训考勤", "offline attendance"),
    "opening": Text("开班日期", "date of the opening"),
    "plan_hours": Text("总课时与实操课时", "planned and practical class-hours"),
    "post_code": Text("岗位职业代码", "code of the post's occupation"),
    "real_name": Text("实名认证状态", "real-name status"),
    "roster": Text("花名册", "roster"),
    "offline_attendance": Text("线下考勤", "attendance in person"),
    "school": Text("在读学校", "school"),
    "survey": Text("满意度调查有效答卷", "valid answers to the survey"),
    "survey_date": Text("满意度调查日期", "date of a low survey"),
    "teachers": Text("教师人数", "number of teachers"),
    "apprentices": Text("机构的学徒人数", "the institution's apprentices"),
    "training_kind": Text("培训类型", "kind of training"),
    "trainee_kind": Text("人员类别", "kind of trainee"),
    "valid_hours": Text("有效学时", "valid class-hours"),
}

# The limit beside what was found; {name} is a parameter of the check, {months} a list of months.
LIMITS: Mapping[str, str] = {
    "B1": "官方系统班级编号",
    "B2": "相同或相近（职业代码前{near_groups:g}段）",
    "B3": "不同职业分类（职业代码前{same_groups:g}段）",
    "B4": "非本校在读专业",
    "B5": "≥ {min_class_hours:g}",
    "B6": "全程，每学时 ≥ {min_minutes:g}分钟",
    "B7": "每学时连续 ≥ {min_continuous_minutes:g}分钟",
    "B8": "≤ {max_age:g}周岁",
    "B10": "≤ {max_learners_per_teacher:g}",
    "B11": "≤ {max_learners:g}",
    "B13": "≥ {min_practical_share:.0%}",
    "B14": "≤ 专职教师 × {max_apprentices_per_teacher:g}",
    "B17": "{annex}",
    "B18": "≥ {min_offline_hours:g}",
    "B19": "{reading}",
    "B20": "满{min_months:g}个月",
    "B24": "书面请假，结业考核前补课",
    "C1": "{months}",
    "C2": "offline",
    "C3": "enterprise",
    "C7": "≥ {days_ahead:g}天",
    "C11": "≥ {min_satisfaction:.0%}",
    "C11_opening": "整改期{block_months:g}个月",
    "D1": "≤ {max_per_year:g}",
    "D17": "已实名",
    "E1": "≥ {min_theory_share:.0%}",
    "E2": "每学时 ≥ {min_minutes:g}分钟",
}


# What is added once the authority decided on a check that is left to it, by the check's reason.
DECIDED: Mapping[str, Text] = {
    ALLOWED: Text("；主管部门已登记：准予", "; the authority recorded: allowed"),
    REFUSED: Text("；主管部门已登记：不予", "; the authority recorded: not allowed"),
}


_CATALOGUE = Text("职业目录", "the catalogue of occupations")


def _annex(pack: Pack | None) -> Text:
    """What the pack's catalogue is called, such as 附件3."""
    article = pack.occupations.article if pack else ""
    return Text(article, f"{_CATALOGUE.en} ({article})") if article else _CATALOGUE


def sentence_of(
    check: str,
    reason: str,
    said: str,
    numbers: Mapping[str, str | float],
    pack: Pack | None,
) -> Text:
    """The sentence of a check by the pack that judged, None where that is gone; of one that only
    another version knows, its numbers."""
    told, decided = _sentence(check, said, numbers, _annex(pack)), DECIDED.get(reason)
    return told if decided is None else Text(told.zh + decided.zh, told.en + decided.en)


def _sentence(check: str, said: str, numbers: Mapping[str, str | float], annex: Text) -> Text:
    if said == ABSENT:
        fact = FACTS[str(numbers["fact"])]
        return Text(f"缺少资料：{fact.zh}", f"not supplied: {fact.en}")
    text = SENTENCES.get((check, said))
    if text is None:
        figures = ", ".join(f"{name} {it}" for name, it in numbers.items())
        return Text(figures, figures)
    named = {**numbers, "annex": annex.zh, "annex_en": annex.en}
    return Text(text.zh.format(**named), text.en.format(**named))


def limit_of(check: str, pack: Pack) -> str:
    """The check's limit by that pack, as it is printed beside what was found; empty for a check
    that the pack or this version does not know."""
    own = pack.table.checks
    if check not in own or check not in LIMITS:
        return ""
    numbers = {
        name: it.value
        for table in (own.get("C11"), own[check])  # an opening is held against the survey's limit
        for name, it in (table.parameters if table else {}).items()
    }
    months = numbers.get("months")
    if isinstance(months, list):
        numbers["months"] = "、".join(f"{month}月" for month in months)
    return LIMITS[check].format(**numbers, annex=_annex(pack).zh)
