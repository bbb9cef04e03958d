"""What is where in an audit package: its README and data dictionary, written from the record types.

Field names, offsets and types come from the columns that the detectors read, so that the
description cannot fall behind them; a test asks that every field is described.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from app.languages import Text
from app.store.events.event_log import MANIFEST
from detectors.trace import (
    CONTROL,
    EVENT,
    PHOTO,
    Check,
    Control,
    ControlFlag,
    Flag,
    Kind,
    PhotoFlag,
    Purpose,
)

RECORDS: dict[str, tuple[str, np.dtype[Any]]] = {
    "evidence/events.bin": ("EVENT", EVENT),
    "evidence/controls.bin": ("CONTROL", CONTROL),
    "evidence/photos.bin": ("PHOTO", PHOTO),
    "evidence/batches.bin": ("BATCH", MANIFEST),
}

MEANING: dict[tuple[str, str], str] = {
    ("EVENT", "at_ms"): "客户端时钟，毫秒（1970年起），不作为计时依据 client clock, epoch ms",
    ("EVENT", "recv_ms"): "服务器收到时间，自会话开始的毫秒 server receipt, ms since the start",
    ("EVENT", "seq"): "客户端序号 sequence number in the session",
    ("EVENT", "pos_ms"): "播放位置，毫秒，-1 为无 media position, -1 none",
    ("EVENT", "x"): "拖动目标/倍速×1000/完整性代码 seek target, rate×1000 or code",
    ("EVENT", "mono_ms"): "页面单调时钟 the page's monotonic clock",
    ("EVENT", "kind"): "事件类型 event type, see codes",
    ("EVENT", "flags"): "位标志 bits, see codes",
    ("CONTROL", "issued_ms"): "下发，自会话开始的毫秒，-1 为未发生 issued, ms since the start",
    ("CONTROL", "due_ms"): "应显示 due",
    ("CONTROL", "shown_ms"): "已显示 shown",
    ("CONTROL", "answered_ms"): "已应答 answered",
    ("CONTROL", "expired_ms"): "已超时 expired",
    ("CONTROL", "shown_seq"): "显示事件的序号 seq of the popup_shown event",
    ("CONTROL", "answered_seq"): "应答事件的序号 seq of the popup_answered event",
    ("CONTROL", "window_ms"): "应答时限 time to answer",
    ("CONTROL", "latency_ms"): "客户端自报反应时间 shown to answered on the client's clock",
    ("CONTROL", "kind"): "管控类型 control, see codes",
    ("CONTROL", "flags"): "位标志 bits, see codes",
    ("PHOTO", "taken_ms"): "客户端自报拍摄时间 taken by the client's clock, epoch ms, -1 none",
    ("PHOTO", "recv_ms"): "服务器收到时间，自会话开始的毫秒 server receipt, ms since the start",
    ("PHOTO", "control"): "本会话 CONTROL 行号，-1 为无 row among the sitting's controls",
    ("PHOTO", "score"): "人脸距离，NaN 为未比对 face distance, NaN when none",
    ("PHOTO", "limit"): "比对阈值 threshold it was held against",
    ("PHOTO", "purpose"): "用途 purpose, see codes",
    ("PHOTO", "check"): "比对结论 result, see codes",
    ("PHOTO", "flags"): "位标志 bits, see codes",
    ("BATCH", "received_ms"): "收到时间，毫秒（1970年起） receipt, epoch ms",
    ("BATCH", "count"): "事件条数 events in the batch",
    ("BATCH", "notes"): "notes.bin 中的字节数 bytes in notes.bin",
}

CODES: dict[str, Any] = {
    "EVENT.kind": Kind,
    "EVENT.flags": Flag,
    "CONTROL.kind": Control,
    "CONTROL.flags": ControlFlag,
    "PHOTO.purpose": Purpose,
    "PHOTO.check": Check,
    "PHOTO.flags": PhotoFlag,
}

INSPECTION = {
    "id": "巡查编号 number of the inspection",
    "frame_kind": "抽取范围：online 正在学习的学员，roster 全班学员，recordings 教学录像 "
    "what was drawn from",
    "frame": "范围内全部学员编号，或录像的日期与文件名 all that could be drawn: learners by the "
    "platform's ids, or recordings by day and file",
    "frame_sha256": "frame 规范 JSON 的 sha256，同审计日志 sha256 of its canonical JSON",
    "seed": "抽取种子，由服务器生成 seed that the server drew",
    "drawn": "抽中的学员编号，依次 who was drawn, in order",
    "online": "当时正在进行的学习会话 sittings that were going on",
    "drawn_by": "抽取人 who had it drawn",
    "drawn_ms": "抽取时间，毫秒（1970年起） when, epoch ms",
}
INSPECTION_CHECK = {
    "inspection_id": "巡查编号 number of the inspection",
    "learner": "学员编号，或录像的日期与文件名 learner, by the platform's id, or recording",
    "result": "结果：present 本人在学，absent 未在学；录像 intact 与登记一致，differs 不符，"
    "unavailable 调取不到；other 其他情况 what was found",
    "remark": "说明 remark",
    "session_id": "登记时正在进行的学习会话行号，可无 sitting going on at that moment, if any",
    "checked_by": "登记人 who entered it",
    "checked_ms": "登记时间，毫秒（1970年起） when, epoch ms",
}
STAGE = {
    "id": "行号 row",
    "class_id": "班级行号 row of the class",
    "step": "步骤（附件2）step",
    "deed": "first 初审或受理，second 复核，returned 退回，objection 异议，answer 处理 what",
    "body": "填写的栏目，金额为元 what was filled in, amounts in yuan",
    "remark": "意见或理由 opinion or reason",
    "done_by": "办理人 who did it",
    "done_ms": "办理时间，毫秒（1970年起） when, epoch ms",
}
PAYMENT = {
    "id": "行号 row",
    "class_id": "班级行号 row of the class",
    "learner_id": "学员行号，同 tables/learners row of the learner",
    "event_id": "拨付步骤复核的行号，同 stages row of the second signature",
    "amount_fen": "金额，分 amount, fen",
    "paid_on": "拨付日期 day of the payment",
}
RECOVERY = {
    "id": "行号 row",
    "payment_id": "同 payments row of the payment",
    "deed": "demanded 通知退回，returned 退回 what was done",
    "amount_fen": "金额，分 amount, fen",
    "happened_on": "日期 day",
    "document": "文书或凭证编号 number of the notice or receipt",
    "remark": "说明 remark",
    "done_by": "登记人 who entered it",
    "done_ms": "登记时间，毫秒（1970年起） when, epoch ms",
}
LINES: dict[str, dict[str, str]] = {
    "stages.ndjson": STAGE,
    "payments.ndjson": PAYMENT,
    "recoveries.ndjson": RECOVERY,
    "inspections.ndjson": INSPECTION,
    "inspection-checks.ndjson": INSPECTION_CHECK,
}

MEMBERS: tuple[tuple[str, str], ...] = (
    ("manifest.json", "成员及其 sha256；班级、规则包、检测器版本 every member with its sha256"),
    ("signature.json", "对 manifest.json 的 Ed25519 签名与公钥 signature and public key"),
    ("README.md", "本说明 this description"),
    ("dictionary.csv", "数据字典 data dictionary"),
    ("lists/*.csv", "全部清单 all lists, CSV UTF-8 with BOM"),
    ("pack/*.json", "规则包全文，其 sha256 即包摘要 resolved packs; their sha256 is their digest"),
    ("evidence/sessions.ndjson", "每次学习一行及其在各 .bin 中的条数 one sitting a line, counts"),
    ("evidence/*.bin", "原始记录，按会话首尾相接 records, sitting after sitting"),
    ("evidence/notes.bin", "随事件的文字（JSON），按批次 words of the events, batch by batch"),
    ("evidence/events.parquet", "同样的事件，Parquet（zstd） the same events as Parquet"),
    ("evidence/photos.ndjson", "影像清单与 sha256 photos with their sha256"),
    ("photos/*", "影像原图（仅在要求时） photos themselves, only when asked for"),
    ("tables/*.ndjson", "班级、课程、名册等 rows around the sittings, needed to judge again"),
    ("verdicts/*.ndjson", "结论原文，一行一份 verdict bodies exactly as stored, one a line"),
    (
        "verdicts/index.json",
        "每份结论的对象、sha256、是否现行、现状 subject, sha256, if current, how it stands now",
    ),
    ("findings.ndjson", "线索 findings"),
    ("reviews.ndjson", "已审结线索的初审、复核意见 reviews of settled findings"),
    ("appeals.ndjson", "申诉 appeals"),
    ("inspections.ndjson", "远程巡查：种子、范围、抽中 remote inspections: seed, frame, draw"),
    (
        "inspection-checks.ndjson",
        "巡查逐人结果，含更正前的 what was found, corrections too",
    ),
    ("stages.ndjson", "开班到拨付各步骤：谁、何时、填了什么 steps from application to payment"),
    ("payments.ndjson", "逐人拨付 what was paid for each learner"),
    ("recoveries.ndjson", "追缴 what was demanded back and came back"),
    ("audit.ndjson", "与本班有关的审计日志及其链 audit entries with the links before them"),
)

_README = """# 审计数据包 Audit package
{warning}
用任意一台机器、不联网、不需要数据库核验（Verify on any machine, offline, without a database）：

    zhenxue verify FILE [--key 公钥HEX] [--json]

核验内容 What is checked：容器与每个成员的 sha256；Ed25519 签名；每次学习的事件哈希链；审计日志链；
规则包摘要；结论摘要；远程巡查按种子重新抽取须得同样的人；并由原始记录重新运行检测器，结论须逐字节相同
(the container and every member, the signature, every sitting's event chain, the audit links, the
packs' and verdicts' digests; inspections are drawn again from their seeds; and the detectors are
run again on the evidence, to the same bytes)。
公钥请与数据来源单位公布的公钥核对 (compare the public key with the one that the office publishes)。

## 成员 Members

{members}

## 哈希链 Hash chain

    head₀ = 32 个零字节 zero bytes
    headₙ = sha256(headₙ₋₁ ‖ received_ms 小端8字节 LE ‖ 本批 EVENT 记录 ‖ 本批 notes 字节)

`evidence/sessions.ndjson` 的 `chain` 为最后的 head。审计日志：sha256(previous ‖ 规范 JSON)。
规范 JSON：键排序、无空格、UTF-8 (canonical JSON: sorted keys, no spaces, UTF-8)。

## 远程巡查 Remote inspections

    次序 order = sha256(seed ‖ ":" ‖ 学员编号 learner)，由小到大取前若干人 ascending, first ones

`frame_sha256`、`seed`、`drawn` 与审计日志中 `inspection.drawn` 一条相同
(the same as in the audit log's entry)。

## 资金 Money

每一步与审计日志中 `stage.*` 一条相同，初审人与复核人不是同一人；`payments` 之和等于拨付与先行
拨付两步的金额之和（先行拨付超过应付的除外）
(each step is an entry of the audit log, signed by two people; payments add up to what payment
and advance say, or less where more was advanced)。

## 记录 Records

全部小端、无填充 (little-endian, no padding)。numpy: `np.frombuffer(data, dtype)`。

{records}
## 代码 Codes

{codes}
"""


def readme(warning: Text | None = None) -> bytes:
    """The package's own description; `warning` is what must be told beside its verdicts."""
    members = "\n".join(f"- `{name}` {what}" for name, what in MEMBERS)
    records = "".join(_record_table(file, *it) for file, it in RECORDS.items())
    codes = "\n".join(f"- `{name}`: {_codes(kind)}" for name, kind in CODES.items())
    told = f"\n**{warning.zh}**\n\n**{warning.en}**\n" if warning else ""
    return _README.format(warning=told, members=members, records=records, codes=codes).encode()


def dictionary() -> bytes:
    """Every field of every record as CSV: file, record, field, type, offset, meaning, codes."""
    buffer = io.StringIO()
    buffer.write("\ufeff")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(["文件", "记录", "字段", "类型", "偏移", "含义", "代码"])
    for file, (record, dtype) in RECORDS.items():
        for field, kind, offset in fields(dtype):
            code = CODES.get(f"{record}.{field}")
            words = _codes(code) if code else ""
            writer.writerow([file, record, field, kind, offset, MEANING[record, field], words])
    for file, meanings in LINES.items():
        for field, meaning in meanings.items():
            writer.writerow([file, "", field, "json", "", meaning, ""])
    for name, what in MEMBERS:
        writer.writerow([name, "", "", "", "", what, ""])
    return buffer.getvalue().encode()


def fields(dtype: np.dtype[Any]) -> list[tuple[str, str, int]]:
    """(name, type, offset) of a record's fields."""
    told: Mapping[str, tuple[Any, ...]] = dtype.fields or {}
    return [(name, _type(told[name][0]), int(told[name][1])) for name in dtype.names or ()]


def _type(dtype: np.dtype[Any]) -> str:
    return dtype.name if dtype.itemsize == 1 else f"{dtype.name} LE"


def _record_table(file: str, record: str, dtype: np.dtype[Any]) -> str:
    lines = "".join(
        f"| {offset} | {field} | {kind} | {MEANING[record, field]} |\n"
        for field, kind, offset in fields(dtype)
    )
    head = "| 偏移 offset | 字段 field | 类型 type | 含义 meaning |\n|---|---|---|---|\n"
    return f"### {record} · `{file}` · {dtype.itemsize} 字节 bytes\n\n{head}{lines}\n"


def _codes(kind: Any) -> str:
    return ", ".join(f"{int(it)}={it.name}" for it in kind)
