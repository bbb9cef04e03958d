"""Photos of many learners handed in at once: looked at one by one, and only then enrolled.

Between the look and the agreement a photo that can be taken lies in the store, sealed with its
learner's key, for half an hour; what cannot be taken is never kept.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from sqlalchemy import Connection

from app.domain.faces import enrolment_photos, photo_files, photo_formats
from app.domain.faces.enrolling import EnrolmentDesk
from app.domain.faces.enrolment_photos import EnrolledPhoto
from app.domain.faces.photo_files import PhotoFile
from app.domain.faces.photo_owners import PhotoOwners
from app.errors import ZhenxueError
from app.languages import Text
from app.security import Unsealable
from app.store.catalogue import people
from app.store.catalogue.people import EnrolledRow
from app.store.faces import face_keys
from app.store.faces.blobs import BlobMissing

LASTS_MS = 30 * 60_000
_FOLDER = "photo-batches"
_AT_ONCE = 8  # pictures in memory
_AGAIN = Text("与本次另一张照片相同", "the same as another photo of these")
_KNOWN = Text("这张照片以前已登记，不必再交", "this photo is enrolled already")
_TOO_MANY = Text(
    f"一人一次最多{enrolment_photos.MOST}张", f"at most {enrolment_photos.MOST} a person at once"
)
_GONE = Text(
    "已处理过，或预览已过期：请看已登记的张数",
    "taken before, or the preview has expired: see how many are enrolled",
)


@dataclass(slots=True)
class BatchPhoto:
    """A file, whose photo it is, and why it is not taken. `blob_key`: where it waits. `told`: what
    to look at though it was taken."""

    file: str
    learner: EnrolledRow | None = None
    reason: Text | None = None
    blob_key: str = ""
    told: str = ""
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class WaitingPhoto:
    """A photo that was looked at and waits for the agreement."""

    file: str
    learner_id: int
    blob_key: str


def look(
    desk: EnrolmentDesk, class_id: int, files: Iterable[tuple[str, BinaryIO]]
) -> list[BatchPhoto]:
    """What would become of each photo. Raises BadPhotoFiles, NotReady."""
    sweep(desk)
    with desk.database.read() as connection:
        members = people.enrolled(connection, class_id)
    owners = PhotoOwners(desk.photos.vault, members)
    folder = f"{_FOLDER}/{desk.clock() + LASTS_MS:014d}-{secrets.token_hex(8)}"
    rows: list[BatchPhoto] = []
    found = photo_files.photos(files)
    while some := list(islice(found, _AT_ONCE)):
        rows += _looked_at(desk, owners, folder, len(rows), some)
    _refuse_repeated(desk, rows)
    return rows


def take(
    desk: EnrolmentDesk, class_id: int, waiting: Sequence[WaitingPhoto], *, actor: str, reason: str
) -> list[BatchPhoto]:
    """Enrol what was looked at. Raises BadInput (reason_missing), NotReady."""
    with desk.database.read() as connection:
        members = {it.id: it for it in people.enrolled(connection, class_id)}
    of_each: dict[int, list[WaitingPhoto]] = defaultdict(list)
    for it in waiting:
        of_each[it.learner_id].append(it)
    rows: list[BatchPhoto] = []
    for learner_id, mine in of_each.items():
        learner = members.get(learner_id)
        opened = [_opened(desk, it) for it in mine] if learner else [None] * len(mine)
        there = [data for data in opened if data is not None]
        results = iter(
            desk.hand_in_for(learner, there, actor=actor, reason=reason)
            if learner and there
            else ()
        )
        for it, data in zip(mine, opened, strict=True):
            row = BatchPhoto(it.file, learner)
            _settle(row, _GONE if data is None else next(results))
            rows.append(row)
            desk.photos.blobs.delete(it.blob_key)
    return rows


def sweep(desk: EnrolmentDesk) -> int:
    """Remove photos that nobody agreed to in time; how many."""
    now = f"{_FOLDER}/{desk.clock():014d}"
    over = [key for key in desk.photos.blobs.e_tags(_FOLDER) if key < now]
    for key in over:
        desk.photos.blobs.delete(key)
    return len(over)


def _looked_at(
    desk: EnrolmentDesk, owners: PhotoOwners, folder: str, at: int, files: Sequence[PhotoFile]
) -> list[BatchPhoto]:
    rows: list[BatchPhoto] = []
    readable: list[tuple[BatchPhoto, bytes]] = []
    for file in files:
        row, data = _admitted(desk, owners, file)
        rows.append(row)
        if data is not None:
            readable.append((row, data))
    seen = desk.readers.read([data for _, data in readable], enrolment=True) if readable else []
    for number, ((row, data), it) in enumerate(zip(readable, seen, strict=True), start=at):
        refusal = enrolment_photos.refusal(it)
        if refusal is not None:
            row.reason = _told(refusal)
            continue
        row.blob_key = f"{folder}/{number}"
        try:
            with desk.database.read() as connection:
                key = _key(connection, desk, row)
        except face_keys.KeyDestroyed:  # the learner's face data was erased since
            row.blob_key, row.reason = "", _GONE
            continue
        desk.photos.put(key, row.blob_key, data)
    return rows


def _admitted(
    desk: EnrolmentDesk, owners: PhotoOwners, file: PhotoFile
) -> tuple[BatchPhoto, bytes | None]:
    """The row, and the picture if its pixels are worth a look."""
    row = BatchPhoto(file.name)
    row.reason = photo_files.no_photo(file.data)
    if row.reason is not None:
        return row, None
    owner = owners.owner(file.name)
    if isinstance(owner, Text):
        row.reason = owner if photo_formats.is_photo(file.data) else photo_formats.NOT_A_PHOTO
        return row, None
    row.learner, row.digest = owner, hashlib.sha256(file.data).digest()
    try:
        data = desk.acceptable(file.data)
        with desk.database.write() as connection:
            known = enrolment_photos.admit(connection, desk.photos, owner, data, desk.clock())
    except ZhenxueError as error:
        row.reason = _told(error)
        return row, None
    if known is not None:
        row.reason = _KNOWN
        return row, None
    return row, data


def _refuse_repeated(desk: EnrolmentDesk, rows: Sequence[BatchPhoto]) -> None:
    holders: dict[bytes, dict[int, str]] = defaultdict(dict)
    for row in rows:
        if row.learner:
            holders[row.digest][row.learner.id] = row.learner.name
    seen: set[bytes] = set()
    count: Counter[int] = Counter()
    for row in rows:
        if row.learner is None:
            continue
        if len(holders[row.digest]) > 1:
            row.reason = _of_several(holders[row.digest].values())
        elif row.reason is None:
            if row.digest in seen:
                row.reason = _AGAIN
            elif count[row.learner.id] >= enrolment_photos.MOST:
                row.reason = _TOO_MANY
            else:
                count[row.learner.id] += 1
        seen.add(row.digest)
        if row.reason is not None and row.blob_key:
            desk.photos.blobs.delete(row.blob_key)
            row.blob_key = ""


def _of_several(names: Iterable[str]) -> Text:
    return Text(
        f"同一张照片标了几个人（{'、'.join(names)}）：请核对是谁的，改好文件名再交",
        f"one photo is named for several people ({', '.join(names)}): see whose it is",
    )


def _opened(desk: EnrolmentDesk, waiting: WaitingPhoto) -> bytes | None:
    with desk.database.read() as connection:
        try:
            key = face_keys.key(connection, desk.photos.vault, waiting.learner_id)
        except face_keys.KeyDestroyed:
            return None
    try:
        return None if key is None else desk.photos.opened(key, waiting.blob_key)
    except (BlobMissing, Unsealable):
        return None


def _key(connection: Connection, desk: EnrolmentDesk, row: BatchPhoto) -> bytes:
    assert row.learner is not None
    key = face_keys.key(connection, desk.photos.vault, row.learner.id)
    assert key is not None  # made when the photo was admitted
    return key


def _settle(row: BatchPhoto, result: EnrolledPhoto | ZhenxueError | Text) -> None:
    if isinstance(result, Text):
        row.reason = result
    elif isinstance(result, ZhenxueError):
        row.reason = _told(result)
    elif result.quality.agrees_with_enrolled == "mismatch":
        row.told = result.advice or ""


def _told(error: ZhenxueError) -> Text:
    """A refusal in words for a clerk."""
    said = error.extra.get("reasons") or [error.extra.get("reason") or {}]
    zh, en = ("".join(it.get(lang, "") for it in said) for lang in ("zh", "en"))
    known = _WORDS.get(error.code)
    if zh:
        return Text(zh, en)
    return known or Text(
        "照片没有登记成功，请稍后再试", "the photo was not enrolled: try again later"
    )


_LATER = Text("照片没有登记成功，请稍后再试", "the photo was not enrolled: try again later")
_WORDS = {
    "no_face_consent": Text(
        "没有登记本人同意人脸核验；签同意书后在花名册补填再交",
        "no consent to face checks is recorded: add it to the roster first",
    ),
    "face_data_erased": Text(
        "本人的人脸信息已按要求销毁，不能再登记", "this person's face data was erased on request"
    ),
    "photo_retired": Text(
        "这张照片以前登记过，已被替换。请换一张新的",
        "this photo was enrolled before and has been replaced: take a new one",
    ),
}
