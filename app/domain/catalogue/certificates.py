"""Certificate numbers: one number is one learner's, among all classes and platforms."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from app.domain.wire import ItemError
from app.store.catalogue import certificates as store
from app.store.catalogue.catalogue import ClassRow

Key = tuple[Any, ...]
Rows = Mapping[Key, dict[str, Any]]


def plain(number: str) -> str:
    """A number as it is compared.

    >>> plain("ｓ0000 41")
    'S000041'
    """
    return "".join(unicodedata.normalize("NFKC", number).split()).upper()


def claim(
    connection: Connection,
    klass: ClassRow,
    rows: dict[Key, dict[str, Any]],
    known: Rows,
    indexes: Mapping[Key, int],
    now_ms: int,
) -> list[ItemError]:
    """Enter the numbers of a class's assessments, and let go of those that were corrected.

    Takes the rows out of `rows` whose number is somebody else's, and names them; `known` are the
    class's assessments so far.
    """
    wanted = {key: number for key, it in rows.items() if (number := _number(it))}
    owned = [
        {"number": number, "class_id": klass.id, "learner_id": rows[key]["learner_id"]}
        for key, number in wanted.items()
    ]
    store.add(connection, [it | {"created_ms": now_ms} for it in owned])
    holders = store.holders(connection, wanted.values())
    refused = []
    for key, number in wanted.items():
        holder = holders[number]
        if (holder.class_id, holder.learner_id) != (klass.id, rows[key]["learner_id"]):
            who = rows.pop(key)["body"]["learner_id"]
            here = holder.class_id == klass.id
            detail = (
                f"certificate_no: {who!r} 证书编号{number}已登记在"
                f"{f'本班{holder.name}' if here else '另一班级的学员'}名下，请核对 / {number} is "
                f"the certificate of {holder.name if here else 'a learner of another class'}"
            )
            refused.append(ItemError(indexes[key], "certificate_taken", detail))
    standing = {_held(it) for it in ({**known, **rows}).values()}
    corrected = {_held(known[key]) for key in rows if key in known}
    for learner_id, number in corrected - standing:
        store.let_go(connection, number, klass.id, learner_id)
    return refused


def _held(values: Mapping[str, Any]) -> tuple[int, str]:
    return values["learner_id"], _number(values)


def _number(values: Mapping[str, Any]) -> str:
    return plain(values["body"].get("certificate_no") or "")
