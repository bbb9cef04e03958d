"""`zhenxue verify`: an audit package checked offline, without a database or any setting."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.answer import FOUND, Json, say

if TYPE_CHECKING:
    from app.reports.verify import Verification

app = typer.Typer(help="Check an audit package, offline.")

_WORDS = {
    "chain": "哈希链不符",
    "check": "巡查结果与审计日志不符",
    "class": "班级不符",
    "container": "压缩包被改动",
    "draw": "巡查抽取不符",
    "events": "与原始记录不一致",
    "format": "格式版本不符",
    "hash": "摘要不符",
    "length": "长度不符",
    "malformed": "内容无法解读",
    "missing": "缺失",
    "other_key": "不是用所给公钥签名的",
    "people": "拨付人数与签字的步骤不符",
    "photo": "影像不符",
    "recovery": "追缴与审计日志不符",
    "replay": "重新评判的结果不同",
    "review": "复核意见与审计日志不符",
    "row": "两处记录不一致",
    "signature": "签名无效",
    "signatures": "缺两个不同的人签字",
    "stage": "步骤与审计日志不符",
    "sum": "拨付金额与签字的步骤不符",
    "tools": "检测器或规则包与本机不同，未重新评判",
    "unnamed": "清单中没有此成员",
    "unreadable": "无法读取，压缩包不完整或被改动",
}


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The package, a zip.")],
    key: Annotated[
        str | None, typer.Option("--key", help="Public key in hex that it must be signed with.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check every hash, chain and signature, and judge the evidence again to the same verdicts.

    Exits with 0 when all is right, 1 when something is not, 2 when the file is no package.
    """
    from app.reports.verify import NotAPackage
    from app.reports.verify import verify as check

    if key is not None and not re.fullmatch(r"[0-9A-Fa-f]{64}", key):
        raise typer.BadParameter("64 hex digits", param_hint="--key")
    try:
        report = check(file.read_bytes(), key)
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}", param_hint="FILE") from error
    except NotAPackage as error:
        raise typer.BadParameter(str(error), param_hint="FILE") from error
    say(report.shown(), as_json, "\n".join(_lines(report, key)))
    if report.problems:
        raise typer.Exit(FOUND)


def _lines(report: Verification, key: str | None) -> list[str]:
    lines = [f"{name}: {count}" for name, count in report.checked.items()]
    lines += [
        f"✗ {_printable(it.member)}: {_WORDS[it.code]} {_printable(it.detail)} [{it.code}]"
        for it in report.problems
    ]
    if report.public_key:
        lines.append(f"公钥 public key: {report.public_key}")
    if report.problems:
        lines.append("✗ 未通过 not verified")
    elif key is None:
        lines.append(
            "✓ 内容一致；是谁签名的未核对，请用 --key 给出来源单位公布的公钥 "
            "consistent; who signed it was not checked: give the office's published key with --key"
        )
    else:
        lines.append("✓ 通过 verified")
    return lines


def _printable(text: str) -> str:
    """A stranger's words on one line, without what would steer a terminal."""
    return "".join(it if it.isprintable() else "�" for it in text)[:300]
