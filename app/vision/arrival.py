"""Photos of any phone made into one that everything here takes: for workers only.

What comes out is a JPEG: upright, at most `LONGEST` pixels a side, without metadata.
"""

from __future__ import annotations

import io
import struct

from app.vision.image_header import ImageRejected

MAX_BYTES = 20 * 2**20
MAX_PIXELS = 64_000_000
LONGEST = 2560
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "HEIF")
_QUALITY = 92


def as_jpeg(data: bytes) -> bytes:
    """The photo as a JPEG of a sane size. Raises ImageRejected."""
    import pillow_heif
    from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

    if len(data) > MAX_BYTES:
        raise ImageRejected("image_too_large", f"at most {MAX_BYTES} bytes are taken")
    if data[4:8] == b"ftyp" and not _boxes_are_whole(data):
        raise ImageRejected("image_truncated", "the file ends before its picture does")
    pillow_heif.register_heif_opener()
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # face_recognition has what lacks painted grey
    broken = (OSError, ValueError, SyntaxError, EOFError, IndexError)
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise ImageRejected(
                    "image_pixels",
                    f"{picture.width}x{picture.height} pixels; at most {MAX_PIXELS} are accepted",
                )
            picture.draft("RGB", (LONGEST, LONGEST))
            turned = ImageOps.exif_transpose(picture)
            turned.thumbnail((LONGEST, LONGEST))
            kept = io.BytesIO()
            turned.convert("RGB").save(kept, "JPEG", quality=_QUALITY)
    except UnidentifiedImageError as unknown:
        raise ImageRejected("image_type", "no JPEG, PNG, HEIC, WebP or BMP file") from unknown
    except Image.DecompressionBombError as bomb:
        raise ImageRejected("image_pixels", f"at most {MAX_PIXELS} are accepted") from bomb
    except ImageRejected:
        raise
    except broken as error:
        raise ImageRejected("image_unreadable", "the photo could not be decoded") from error
    return kept.getvalue()


def _boxes_are_whole(data: bytes) -> bool:
    """Whether a HEIF file's outermost boxes (ISO/IEC 14496-12) end where the file does: what lacks,
    its decoder paints grey."""
    at = 0
    while at + 16 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        if size == 0:  # to the end
            return True
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, at + 8)
        if size < 8:
            return False
        at += size
    return at <= len(data)
