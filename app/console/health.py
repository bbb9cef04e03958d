"""How the service is, in words for a bureau: a line a part, and what to do where one is not well.

The first lines say no more than `/readyz`, need no login and no database. The others are for the
authority's people: the night, what waits, the backup, the audit log. None holds a name, an address
or a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from app.clock import DAY_MS
from app.console.labels import Label
from app.console.language import Language
from app.http import readiness
from app.http.readiness import PartState
from app.jobs import audit_watch, backup
from app.languages import Text
from app.services import Services
from app.store.accounts import audit
from app.store.exchange import webhooks
from app.store.faces import snapshots
from app.store.judging import runs
from app.store.review import findings
from detectors import evidence_altered

NIGHT_LATE_MS = 26 * 3_600_000  # product defaults
BACKUP_LATE_MS = 2 * DAY_MS
HEAD_LATE_MS = 30 * 60_000
PHOTO_LATE_MS = 5 * 60_000

WELL = Label(Text("正常", "Well"), tone="clear")
LOOK = Label(Text("需要处理", "Needs attention"), tone="review")
UNSEEN = Label(Text("看不到", "Not seen"), tone="unproven")
AWAY = Label(Text("中断", "Away"), tone="violation")
_CALL = Text(
    "请联系系统运维人员，并把本页内容告诉他。", "Call who runs the system, and read this out."
)


@dataclass(frozen=True, slots=True)
class HealthLine:
    """`told` is what is so; `act` what to do, None where there is nothing to do."""

    name: Text
    state: Label
    told: Text
    act: Text | None = None


@dataclass(frozen=True, slots=True)
class _PartWords:
    name: Text
    well: Text
    away: Text
    act: Text = _CALL


_PARTS = {
    "database": _PartWords(
        Text("数据库", "Database"),
        Text("能读能写", "Reads and writes"),
        Text(
            "没有应答，登录和各页面暂时打不开",
            "Does not answer; nobody can sign in or open a page for now",
        ),
    ),
    "store": _PartWords(
        Text("照片存储", "Photo store"),
        Text("能读能写", "Reads and writes"),
        Text(
            "没有应答，照片暂时存不进、看不到；已存的照片不会因此算作丢失",
            "Does not answer; photos cannot be stored or seen for now, and none counts as lost",
        ),
        Text(
            "请联系运维人员，看照片所在的磁盘或对象存储是否挂载、是否已满。",
            "Have the disk or object store of the photos looked at: mounted, and not full?",
        ),
    ),
    "migrations": _PartWords(
        Text("数据库版本", "Database version"),
        Text("与程序一致", "Fits the program"),
        Text("与程序不一致，升级没有做完", "Does not fit the program: an upgrade is not finished"),
        Text(
            "请运维人员执行 zhenxue migrate 后重新启动。",
            "Have `zhenxue migrate` run, and the service started anew.",
        ),
    ),
    "clock": _PartWords(
        Text("服务器时钟", "Clock"),
        Text("没有被拨动", "Was not set"),
        Text(
            "被拨动过，学时仍按拨动以前的时间计算",
            "Was set; study is still timed as before it was",
        ),
        Text(
            "请运维人员校准时钟（NTP），再重新启动服务。",
            "Have the clock put right (NTP), then the service started anew.",
        ),
    ),
    "disk": _PartWords(
        Text("磁盘空间", "Disk"),
        Text("够用", "Enough"),
        Text("快满了，或者不能写入", "Nearly full, or cannot be written to"),
        Text(
            "请运维人员腾出空间；在此之前新的学习记录会被要求稍后再送。",
            "Have room made; until then study is asked to be sent again later.",
        ),
    ),
    "scheduler": _PartWords(
        Text("夜间校验的定时", "Timer of the night"),
        Text("在等下一次", "Waits for its hour"),
        Text("没有在运行，今夜不会自动校验", "Does not run: no night will begin by itself"),
    ),
    "keys": _PartWords(
        Text("密钥", "Keys"),
        Text("与数据库相符", "Fit the database"),
        Text("与数据库不符，或更换没有完成", "Do not fit, or an exchange is not finished"),
    ),
}


@dataclass(frozen=True, slots=True)
class ServiceHealth:
    parts: list[HealthLine]
    answers: bool  # whether the database does: without it nothing further can be told

    @property
    def well(self) -> bool:
        return all(it.state is WELL for it in self.parts)


def look(services: Services) -> ServiceHealth:
    """Ask all parts; takes seconds at most, whatever is away."""
    states = readiness.ask(services)
    return ServiceHealth(
        [_line(name, states) for name in states],
        states["database"] is PartState.OK and states["migrations"] is PartState.OK,
    )


_BY_THE_DATABASE = ("migrations", "clock", "keys")  # cannot be told without it


def _line(name: str, states: Mapping[str, PartState]) -> HealthLine:
    words = _PARTS[name]
    if name in _BY_THE_DATABASE and states["database"] is not PartState.OK:
        return HealthLine(words.name, UNSEEN, Text("要等数据库恢复", "Until the database is back"))
    if states[name] is PartState.OK:
        return HealthLine(words.name, WELL, words.well)
    return HealthLine(words.name, AWAY, words.away, words.act)


def inside(connection: Connection, services: Services, lang: Language) -> list[HealthLine]:
    """What the authority's people are told beside the parts."""
    now_ms = services.clock()
    return [
        _night(connection, now_ms, lang),
        _photos(connection, now_ms, lang),
        _evidence(connection),
        _audit(services, now_ms, lang),
        _backup(connection, now_ms, lang),
        _messages(connection),
    ]


def _night(connection: Connection, now_ms: int, lang: Language) -> HealthLine:
    name = Text("夜间校验", "The night")
    found = runs.nights(connection, 1)
    if not found:
        told = Text("还没有运行过", "Has not run yet")
        return HealthLine(name, WELL, told)
    night: Any = found[0]
    begun = lang.minute(night.started_ms)
    failed = [*night.summary.get("classes_failed", []), *night.summary.get("problems", [])]
    page = Text(
        "在“校验运行”页查看原因；班级可以在班级页重新校验。",
        "See “Runs” for the reason; a class can be judged again on its page.",
    )
    if night.finished_ms is None and now_ms - night.started_ms < NIGHT_LATE_MS:
        return HealthLine(
            name, WELL, Text(f"{begun}开始，正在进行", f"Began {begun}, and is under way")
        )
    if night.finished_ms is None or night.state == "failed":
        told = Text(f"{begun}开始，没有做完", f"Began {begun}, and is not finished")
        return HealthLine(name, LOOK, told, page)
    if failed:
        told = Text(f"{begun}，有{len(failed)}项没有做成", f"{begun}: {len(failed)} things failed")
        return HealthLine(name, LOOK, told, page)
    if now_ms - night.started_ms > NIGHT_LATE_MS:
        told = Text(f"最近一次是{begun}，昨夜没有运行", f"Ran last {begun}, and not last night")
        return HealthLine(name, LOOK, told, _CALL)
    return HealthLine(name, WELL, Text(f"{begun}，全部完成", f"{begun}, all done"))


def _photos(connection: Connection, now_ms: int, lang: Language) -> HealthLine:
    name = Text("人脸核验", "Face checks")
    count, oldest_ms = snapshots.waiting(connection)
    waits = now_ms - (oldest_ms or now_ms)
    if not count:
        return HealthLine(name, WELL, Text("没有积压", "None waits"))
    number = lang.number(count)
    told = Text(
        f"{number}张照片在等，最早的等了{waits // 60_000}分钟",
        f"{number} photos wait, the oldest for {waits // 60_000} min",
    )
    if waits <= PHOTO_LATE_MS:
        return HealthLine(name, WELL, told)
    act = Text(
        "在等的学时先记为未能证实，比对完自动补上。一直不减少时，请运维人员增加核验进程。",
        "Hours that wait are not proven until compared. If it does not shrink, have workers added.",
    )
    return HealthLine(name, LOOK, told, act)


def _evidence(connection: Connection) -> HealthLine:
    name = Text("学习记录", "Stored study")
    altered = findings.waiting_of_rule(connection, evidence_altered.RULE)
    if not altered:
        return HealthLine(name, WELL, Text("与收到时一致", "As it was received"))
    told = Text(
        f"{altered}次学习的记录与收到时不一致，在等人决定",
        f"{altered} sittings are not as they were received, and wait for a person",
    )
    act = Text(
        "这不是学员的过错。请查谁动过数据库，由运维人员从备份恢复后重新校验。",
        "Nobody's fault who studied. Find who wrote to the database; restore, then judge again.",
    )
    return HealthLine(name, AWAY, told, act)


def _audit(services: Services, now_ms: int, lang: Language) -> HealthLine:
    name = Text("审计日志", "Audit log")
    written_ms = audit_watch.written_ms(services)
    act = Text(
        "请运维人员执行 zhenxue audit verify，并保留一份数据库；先不要恢复。",
        "Have `zhenxue audit verify` run and the database copied, before anything is restored.",
    )
    if written_ms is None or now_ms - written_ms > HEAD_LATE_MS:
        told = Text(
            "链头没有按时写下：日志可能被截短，或数据目录不能写",
            "Its head is not written down in time: the log was cut, or the folder is shut",
        )
        return HealthLine(name, LOOK, told, act)
    told = Text(
        f"与先前留存的相符（{lang.minute(written_ms)}）",
        f"Fits what was written down before ({lang.minute(written_ms)})",
    )
    return HealthLine(name, WELL, told)


def _backup(connection: Connection, now_ms: int, lang: Language) -> HealthLine:
    name = Text("备份", "Backup")
    act = Text(
        "请运维人员安排每天备份（zhenxue backup），并试过能恢复。用别的办法备份的，这里看不到。",
        "Have one made each day (`zhenxue backup`). Backups made otherwise are not seen here.",
    )
    made_ms = audit.last_of(connection, backup.MADE)
    if made_ms is None:
        told = Text("没有做过", "None was made")
        return HealthLine(name, LOOK, told, act)
    told = Text(f"最近一次：{lang.minute(made_ms)}", f"The latest: {lang.minute(made_ms)}")
    late = now_ms - made_ms > BACKUP_LATE_MS
    return HealthLine(name, LOOK if late else WELL, told, act if late else None)


def _messages(connection: Connection) -> HealthLine:
    name = Text("发给平台的通知", "Messages to platforms")
    waiting, dead = webhooks.counts(connection)
    if not dead:
        told = Text(f"{waiting}条在等发送", f"{waiting} wait to be sent")
        return HealthLine(name, WELL, told if waiting else Text("都已送达", "All were delivered"))
    told = Text(f"{dead}条多次未送达，已停发", f"{dead} were given up after many tries")
    act = Text(
        "请平台检查接收地址，恢复后在平台页面重新发送。",
        "Have the platform see to its address, then send them again on its page.",
    )
    return HealthLine(name, LOOK, told, act)
