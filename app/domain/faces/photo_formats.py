"""Photos in the formats of phones, made ones that are kept: a JPEG or PNG of a sane size.

They are decoded by the readers of pictures alone, in processes of their own and within the limits
of `app.vision.arrival`.
"""

from __future__ import annotations

from typing import Protocol

from app.domain.faces.snapshots import verified
from app.errors import BadInput
from app.languages import Text
from app.vision.image_header import ImageLimits
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
    "image_truncated": Text(
        "照片不完整，可能没有传完，请重新选择这张照片再交",
        "the photo is not whole, its transfer may have broken off: choose it again",
    ),
    "image_pixels": Text(
        "照片超过6400万像素，请用普通拍照模式重拍，或截图后再交",
        "more than 64 million pixels: use the ordinary camera mode, or hand in a screenshot",
    ),
}
NOT_A_PHOTO = _WHAT_HELPS["image_type"]
_UNREADABLE = Text(
    "照片无法读取，可能已损坏，请重新拍摄",
    "the photo cannot be read, it may be damaged: take a new one",
)


_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM")
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"hevm", b"mif1", b"msf1")


class JpegMaker(Protocol):
    """As `app.vision.readers.FaceReaders`."""

    def as_jpeg(self, data: bytes) -> bytes | Unread: ...


def is_photo(data: bytes) -> bool:
    """Whether it begins as one of the formats that are taken."""
    if data[:4] == b"RIFF":
        return data[8:12] == b"WEBP"
    if data[4:8] == b"ftyp":
        return data[8:12] in _HEIF_BRANDS
    return data.startswith(_BEGINNINGS)


def kept_form(
    readers: JpegMaker, data: bytes, limits: ImageLimits, mended: frozenset[str] = ANY_PHOTO
) -> bytes:
    """The photo as it came, or a JPEG of it where what stands against it is one of `mended`; equal
    photos become equal bytes. Raises BadInput with the limit and what helps, NotReady."""
    try:
        verified(data, limits)
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
