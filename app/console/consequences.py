"""What the weighty acts of pages lead to: who is concerned, how many, and how much money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection

from app.console import changes, labels
from app.console.language import N_, Language
from app.console.weighty import Weighty
from app.domain.accounts import calendar as calendars
from app.domain.accounts import users
from app.domain.accounts.calendar import CalendarEntry
from app.domain.accounts.platforms import Key, Platform
from app.domain.catalogue import classes
from app.domain.policy import working_days
from app.domain.review import stages, subsidies, subsidy_standards
from app.domain.review.act_kinds import ActKind
from app.domain.review.subsidy_standards import yuan
from app.store.accounts import platforms as platform_store
from app.store.accounts import users as user_store
from app.store.bodies import EnrolmentVerdict
from app.store.catalogue import catalogue, class_file
from app.store.money import standards
from app.store.money.standards import StandardRow
from app.store.review import cases

_MOST_NAMED = 20
_MOST_LINES = 20
_WORSE = ("ineligible", "not_acceptable")
NO_STANDARD = N_("没有适用于本班的补贴标准，金额算不出")
NO_MONEY = N_("不涉及")


def scale(connection: Connection, klass: Any, wanted: str, lang: Language) -> Weighty:
    """What picking the other scale turns, by the verdicts that stand: both scales are in each."""
    name = lang.say(labels.SCALES[wanted].text)
    turned, learners = _turned(connection, klass, wanted)
    subsidy = subsidies.of_class(connection, catalogue.class_by_id(connection, klass.id))
    effects = [
        lang.say(N_("%(n)s人的结论由“%(before)s”变为“%(after)s”"), n=len(names), **words)
        for (before, after), names in turned.items()
        for words in (_outcomes(before, after, lang),)
    ]
    if not effects:
        effects = [lang.say(N_("按已有结论，没有人的结论会变"))]
    effects.append(lang.say(N_("本班立即重新判定；已签发的名单不变，有变动须另出更正")))
    lost = sum(len(names) for (_, after), names in turned.items() if after in _WORSE)
    won = sum(len(names) for (before, _), names in turned.items() if before in _WORSE)
    return Weighty(
        title=lang.say(N_("%(klass)s改为适用“%(scale)s”"), klass=title_of(klass), scale=name),
        button=lang.say(N_("改为适用“%(scale)s”"), scale=name),
        back=f"/console/classes/{klass.id}#conclusion",
        to_whom=lang.say(N_("全班%(n)s人"), n=learners),
        effects=tuple(effects),
        money=_money(subsidy.each_fen, lost, won, lang),
        people=tuple(name for names in turned.values() for name in names)[:_MOST_NAMED],
        undo=lang.say(N_("可以再改回来；谁在何时改的、理由是什么，都留存")),
        fields={"scale": wanted},
    )


def _turned(
    connection: Connection, klass: Any, wanted: str
) -> tuple[dict[tuple[str, str], list[str]], int]:
    """The names of whose outcome the other scale changes, by (before, after); and how many are in
    the class."""
    names = {it.enrolment_id: it.name for it in class_file.roster(connection, klass.id)}
    pack = f"{klass.pack_id}@{klass.pack_version}"
    found: dict[tuple[str, str], list[str]] = {}
    for row in class_file.latest(connection, klass.id, EnrolmentVerdict, pack):
        now, then = row.body.on(row.body.scale), row.body.on(wanted)
        if now and then and now.outcome != then.outcome and row.subject_id in names:
            turn = (str(now.outcome), str(then.outcome))
            found.setdefault(turn, []).append(names[row.subject_id])
    return found, len(names)


def _outcomes(before: str, after: str, lang: Language) -> dict[str, str]:
    told = (lang.say(labels.label(labels.VERDICTS, it).text) for it in (before, after))
    return dict(zip(("before", "after"), told, strict=True))


def _money(each_fen: int, lost: int, won: int, lang: Language) -> str:
    if not each_fen:
        return lang.say(NO_STANDARD)
    if not lost and not won:
        return lang.say(NO_MONEY)
    amounts = {"lost": f"{yuan(each_fen * lost):,}", "won": f"{yuan(each_fen * won):,}"}
    said = N_("不再发放%(lost)s元，恢复发放%(won)s元（每人%(each)s元，考核合格后）")
    return lang.say(said, each=f"{yuan(each_fen):,}", **amounts)


def act(
    kind: ActKind,
    row: Any,
    said: Sequence[str],
    klass: Any,
    people: int,
    lang: Language,
    *,
    approved: bool,
) -> Weighty:
    """Bringing what somebody recorded on a class into force, or ending it; `said` is what it says
    beside its reason, line by line."""
    name = lang.of(kind.title)
    title = N_("批准：%(act)s") if approved else N_("撤销：%(act)s")
    effect = (
        N_("登记的事项生效，本班按它重新判定")
        if approved
        else N_("登记的事项从现在起不再作数，本班重新判定")
    )
    return Weighty(
        title=lang.say(title, act=name),
        button=lang.say(N_("批准") if approved else N_("确认撤销")),
        back=f"/console/classes/{klass.id}/acts",
        to_whom=row.learner_name or lang.say(N_("全班%(n)s人"), n=people),
        effects=(
            *said,
            lang.say(N_("登记的理由：%(reason)s"), reason=row.reason),
            *([lang.say(N_("依据文件：%(paper)s"), paper=row.document)] if row.document else []),
            lang.say(effect),
            lang.say(N_("有人的结论可能因此改变；已签发的名单不变，有变动须另出更正")),
        ),
        money=lang.say(N_("随结论而定：重新判定后，班级的补贴金额随之重算")),
        undo=lang.say(N_("可以另行撤销") if approved else N_("不能恢复，只能另行登记")),
    )


def key(connection: Connection, key: Key, platform: Platform, ends: str, lang: Language) -> Weighty:
    """Ending a platform's key, at once or, where `ends` says when, for another one."""
    said = N_("轮换密钥“%(key)s”") if ends else N_("吊销密钥“%(key)s”")
    scopes = lang.say(N_("、")).join(
        lang.say(labels.KEY_SCOPES[it].text) for it in labels.KEY_SCOPES if it in key.scopes
    )
    if ends:
        effects = [
            lang.say(N_("生成新的密钥，只显示一次，请交给平台")),
            lang.say(N_("旧密钥用到%(when)s，此后平台用它的调用一律被拒"), when=ends),
        ]
    else:
        effects = [lang.say(N_("平台用它的调用从现在起一律被拒：%(scopes)s"), scopes=scopes)]
        if "ingest" in key.scopes:
            going_on = platform_store.open_sittings(connection, platform.id)
            effects.append(
                lang.say(
                    N_("此刻有%(n)s次学习正在进行；平台换上别的密钥之前，学习不再计入学时"),
                    n=going_on,
                )
            )
    return Weighty(
        title=lang.say(said, key=key.label),
        button=lang.say(N_("轮换") if ends else N_("吊销")),
        back=f"/console/platforms/{platform.slug}#keys",
        to_whom=platform.name,
        effects=tuple(effects),
        undo=lang.say(
            N_("不能恢复旧密钥；可以再轮换") if ends else N_("不能恢复，只能新增密钥交给平台")
        ),
    )


def user(connection: Connection, row: Any, what: str, now_ms: int, lang: Language) -> Weighty:
    """Stopping, letting in again, or giving another password or no second factor to somebody."""
    logins = len(user_store.logins_of(connection, row.id, now_ms, now_ms - users.IDLE_MS))
    held = cases.held_by(connection, [row.id]).get(row.id, 0)
    out = lang.say(N_("已登录的%(n)s处立即退出，须重新登录"), n=logins)
    back_to_desk = lang.say(N_("由此人负责的%(n)s案退回无人负责"), n=held)
    title, effects, undo = {
        "disable": (
            N_("停用%(name)s的账号"),
            (
                lang.say(N_("不能再登录；已登录的%(n)s处立即退出"), n=logins),
                back_to_desk,
                lang.say(N_("此人以前的决定和记录照旧有效")),
            ),
            N_("可以再启用；退回的案件须另行分派"),
        ),
        "enable": (
            N_("启用%(name)s的账号"),
            (lang.say(N_("可以用原来的口令登录，角色和范围不变")),),
            N_("可以再停用"),
        ),
        "password": (
            N_("重置%(name)s的口令"),
            (
                lang.say(N_("原口令失效，新口令由系统生成，只显示一次，请当面交付")),
                out,
            ),
            N_("不能恢复原口令"),
        ),
        "second-factor": (
            N_("清除%(name)s的二次验证"),
            (
                lang.say(N_("此后只凭口令登录，直到重新设置；作决定以前须重新设置")),
                lang.say(N_("有其他管理员时，须由另一人在24小时内同意才清除")),
                out,
            ),
            N_("不能恢复，由本人重新设置"),
        ),
    }[what]
    named = lang.say(title, name=row.display_name)
    return Weighty(
        title=named,
        button=named,
        back="/console/users",
        to_whom=_whom(row, lang),
        effects=effects,
        undo=lang.say(undo),
    )


def rights(connection: Connection, row: Any, typed: Mapping[str, str], lang: Language) -> Weighty:
    """Another role or scope for somebody, as typed."""
    held = cases.held_by(connection, [row.id]).get(row.id, 0)
    role = lang.say(labels.label(labels.ROLES, typed["role"]).text)
    return Weighty(
        title=lang.say(N_("修改 %(name)s"), name=row.display_name),
        button=lang.say(N_("保存")),
        back=f"/console/users?edit={row.username}#change",
        to_whom=_whom(row, lang),
        effects=(
            lang.say(N_("角色改为：%(role)s"), role=role),
            *(
                (lang.say(N_("县区改为：%(counties)s"), counties=typed["counties"]),)
                if typed["role"] in users.DECIDES
                else ()
            ),
            lang.say(N_("立即退出登录，须重新登录；只能看到新范围内的班级和学员")),
            lang.say(N_("由此人负责的%(n)s案，不在新范围内的退回无人负责"), n=held),
        ),
        undo=lang.say(N_("可以再改回来；退回的案件须另行分派")),
        fields=typed,
    )


def _whom(row: Any, lang: Language) -> str:
    role = lang.say(labels.label(labels.ROLES, row.role).text)
    return f"{row.display_name}（{row.username}），{role}"


def standard(connection: Connection, row: StandardRow, until: date, lang: Language) -> Weighty:
    """Letting a subsidy's standard end; what classes it pays for that begin later."""
    rows = [it for it in standards.of_counties(connection, [row.county]) if it.id != row.id]
    bare, learners = 0, 0
    for class_id in class_file.opening_after(connection, row.county, until):
        klass = catalogue.class_by_id(connection, class_id)
        mine = subsidy_standards.chosen([*rows, row], klass)
        if mine and mine.id == row.id:
            bare += 1
            learners += catalogue.enrolled(connection, class_id)
    total = f"{yuan(row.amount_fen * learners):,}"
    return Weighty(
        title=lang.say(N_("%(county)s补贴标准停止执行"), county=row.county),
        button=lang.say(N_("停止执行")),
        back="/console/subsidies",
        to_whom=lang.say(
            N_("%(n)s个在此日之后开班的班级，共%(people)s人"), n=bare, people=learners
        ),
        effects=(
            lang.say(N_("%(day)s以后开的班不再适用%(document)s"), day=until, document=row.document),
            lang.say(N_("没有其他标准的班级可以申请，但不能拨付")),
        ),
        money=lang.say(N_("每人%(each)s元，共%(total)s元"), each=yuan(row.amount_fen), total=total),
        undo=lang.say(N_("须另一人同意才生效；停止执行之前可以再改日期，之后须另行录入标准")),
        fields={"until_on": until.isoformat()},
    )


def draft(
    row: Any, digest: str, differences: Sequence[str], lang: Language, *, published: bool
) -> Weighty:
    """Publishing a county's own pack, as of that digest, for good, or giving the draft up;
    `differences` from the pack that it extends are told line by line."""
    name = f"{row.pack_id}@{row.version}"
    if not published:
        return Weighty(
            title=lang.say(N_("放弃草稿%(name)s"), name=name),
            button=lang.say(N_("放弃草稿")),
            back=f"/console/pack-drafts/{row.id}",
            to_whom=row.county,
            effects=(lang.say(N_("草稿不能再改、不能公布，文本留存可查")),),
            undo=lang.say(N_("不能恢复，只能另起草稿")),
        )
    return Weighty(
        title=lang.say(N_("公布规则包%(name)s"), name=name),
        button=lang.say(N_("公布")),
        back=f"/console/pack-drafts/{row.id}",
        to_whom=lang.say(N_("%(county)s此后选用它开办的班级"), county=row.county),
        effects=(
            lang.say(N_("与底本有%(n)s处不同"), n=len(differences)),
            *differences[:_MOST_LINES],
            lang.say(N_("已开的班级仍用各自的规则包，已有结论不变")),
        ),
        undo=lang.say(N_("公布以后不能更改、不能撤回，只能公布新的版本")),
        fields={"digest": digest},
    )


def title_of(klass: Any) -> str:
    """A class by its occupation, and its number behind."""
    return f"{klass.occupation}（{klass.external_id}）"


def calendar(
    connection: Connection,
    wanted: Sequence[CalendarEntry],
    typed: Mapping[str, str],
    today: date,
    lang: Language,
) -> Weighty:
    """Days that become holidays, working days or usual again; whose last days they move."""
    before = after = calendars.read(connection)
    for it in wanted:
        after = it.after(after)
    days = {on for it in wanted for on in working_days.days(it.first, it.last)}
    freed = sum(before.works(it) and not after.works(it) for it in days)
    taken = sum(after.works(it) and not before.works(it) for it in days)
    moved = stages.moved(connection, after, today)
    effects = [
        *(_calendar_line(it, lang) for it in wanted),
        lang.say(N_("其中%(n)s天由工作日变为不上班，%(m)s天由不上班变为工作日"), n=freed, m=taken),
    ]
    for klass, view, then in moved[:_MOST_NAMED]:
        told = {"klass": title_of(klass), "step": lang.of(view.step.title)}
        line = N_("%(klass)s“%(step)s”的最后一天：%(before)s → %(after)s")
        effects.append(lang.say(line, **told, before=view.due_on, after=then))
    if len(moved) > _MOST_NAMED:
        effects.append(lang.say(N_("还有%(n)s项期限改变"), n=len(moved) - _MOST_NAMED))
    if not moved:
        effects.append(lang.say(N_("没有正在办理的期限因此改变；以后起算的按新日历")))
    return Weighty(
        title=lang.say(N_("更改工作日历：%(name)s"), name=_calendar_name(wanted, lang)),
        button=lang.say(N_("更改工作日历")),
        back="/console/calendar",
        to_whom=lang.say(
            N_("%(n)s个班级正在办理的%(m)s项期限"),
            n=len({it.id for it, _, _ in moved}),
            m=len(moved),
        ),
        effects=tuple(effects),
        undo=lang.say(N_("可以再改回来；谁在何时改的、理由是什么，都留存")),
        fields=typed,
        again=True,
    )


def _calendar_name(wanted: Sequence[CalendarEntry], lang: Language) -> str:
    if len(wanted) > 1:
        return lang.say(N_("%(n)s项"), n=len(wanted))
    (only,) = wanted
    return only.name or lang.say(labels.label(labels.CALENDAR_KINDS, only.kind).text)


def _calendar_line(it: CalendarEntry, lang: Language) -> str:
    kind = lang.say(labels.label(labels.CALENDAR_KINDS, it.kind).text)
    line = (
        N_("%(first)s至%(last)s记为：%(kind)s")
        if it.last > it.first
        else N_("%(first)s记为：%(kind)s")
    )
    told = lang.say(line, first=it.first, last=it.last, kind=kind)
    return f"{told}（{it.name}）" if it.name else told


def terms(
    connection: Connection,
    klass: Any,
    changed: Mapping[str, Any],
    typed: Mapping[str, str | Sequence[str]],
    lang: Language,
) -> Weighty:
    """A class's terms as they were changed in the form."""
    effects = changes.lines(changed, lang)
    if not catalogue.has_sessions(connection, klass.id):
        effects.append(
            lang.say(N_("本班还没有人学习：课程和规则包按现在的最新版本固定，课时重新编排"))
        )
    elif changed.keys() & classes.DATES:
        effects.append(lang.say(N_("本班立即重新判定；学员的补课期限随之改变")))
    else:
        effects.append(lang.say(N_("考核申请的各项校验从下一次校验起按新内容，今晚自动进行一次")))
    if "subsidy_yuan" in changed:
        effects.append(
            lang.say(N_("这里的补贴标准只排待办的先后；实际金额按主管部门录入的补贴标准"))
        )
    effects.append(lang.say(N_("已签发的名单不变，有变动须另出更正")))
    return Weighty(
        title=lang.say(N_("更改班级：%(klass)s"), klass=title_of(klass)),
        button=lang.say(N_("保存更改")),
        back=f"/console/classes/{klass.id}",
        to_whom=lang.say(N_("全班%(n)s人"), n=catalogue.enrolled(connection, klass.id)),
        effects=tuple(effects),
        undo=lang.say(N_("可以再改回来；谁在何时改的、理由是什么，都留存")),
        fields=typed,
        again=True,
    )
