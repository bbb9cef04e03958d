"""Photos in the formats of phones, made ones that are kept: a JPEG or PNG of a sane size.

They are decoded by the readers of pictures alone, in processes of their own and within the limits
of `app.vision.arrival`.
"""

from __future__ import annotations

from typing import Protocol

from app.domain.faces.snapshots import verified
from app.errors import BadInput
from app.languages import Text
from app.vision.seen import Unread

MEDIA_TYPES = ("image/jpeg", "image/png", "image/heic", "image/heif", "image/webp", "image/bmp")
OTHER_FORMAT = frozenset({"image_type"})
ANY_PHOTO = OTHER_FORMAT | {"image_too_large", "image_pixels"}
_WHAT_HELPS = {
    "image_type": Text(
        "不是能识别的照片。可用 JPEG、PNG、HEIC、WebP、BMP；请用手机重新拍照，或截图后再交",
        "this is no JPEG, PNG, HEIC, WebP or BMP photo: take a new one, or hand in a screenshot",
    ),
    "image_too_large": Text(
        "照片文件超过20MB，请在手机相册里压缩，或截图后再交",
        "the file is larger than 20 MB: compress it on the phone, or hand in a screenshot",
    ),
    "image_pixels": Text(
        "照片超过6400万像素，请用普通拍照模式重拍，或截图后再交",
        "more than 64 million pixels: use the ordinary camera mode, or hand in a screenshot",
    ),
}
_UNREADABLE = Text(
    "照片无法读取，可能已损坏，请重新拍摄",
    "the photo cannot be read, it may be damaged: take a new one",
)


class JpegMaker(Protocol):
    """As `app.vision.readers.FaceReaders`."""

    def as_jpeg(self, data: bytes) -> bytes | Unread: ...


def kept_form(
    readers: JpegMaker, data: bytes, max_bytes: int, mended: frozenset[str] = ANY_PHOTO
) -> bytes:
    """The photo as it came, or a JPEG of it where what stands against it is one of `mended`; equal
    photos become equal bytes. Raises BadInput with the limit and what helps, NotReady."""
    try:
        verified(data, max_bytes)
    except BadInput as refusal:
        if refusal.code not in mended:
            raise
        made = readers.as_jpeg(data)
        if isinstance(made, bytes):
            return made
        helps = _WHAT_HELPS.get(made.reason, _UNREADABLE)
        reason = {"zh": helps.zh, "en": helps.en}
        raise type(refusal)(made.reason, helps.en, reason=reason) from refusal
    return data
