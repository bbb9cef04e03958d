"""Who looked and when, written across a photo's own pixels."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageDraw, ImageFont, ImageOps

_ANGLE = 24


def marked(
    picture: bytes, text: str, within: tuple[int, int] | None = None, *, mirrored: bool = False
) -> bytes:
    """The picture as JPEG with `text` (ASCII) across it, again and again; `within` makes it smaller
    first, to at most that width and height, `mirrored` turns it left to right."""
    with Image.open(BytesIO(picture)) as opened:
        if within is not None:
            opened.draft("RGB", within)
        photo = opened.convert("RGB")
    if within is not None:
        photo.thumbnail(within)
    if mirrored:
        photo = ImageOps.mirror(photo)
    size = max(10, round(photo.width / 34))
    font = ImageFont.load_default(size)
    reach = photo.width + photo.height
    layer = Image.new("RGBA", (reach, reach), (0, 0, 0, 0))
    pen = ImageDraw.Draw(layer)
    length = max(1, round(pen.textlength(text, font=font)))
    for row, y in enumerate(range(0, reach, size * 6)):
        for x in range(-(row % 2) * length // 2, reach, length + size * 3):
            pen.text((x + 1, y + 1), text, font=font, fill=(0, 0, 0, 90))
            pen.text((x, y), text, font=font, fill=(255, 255, 255, 110))
    turned = layer.rotate(_ANGLE, resample=Image.Resampling.BICUBIC)
    left, top = (reach - photo.width) // 2, (reach - photo.height) // 2
    photo.paste(turned, (-left, -top), turned)
    out = BytesIO()
    photo.save(out, "JPEG", quality=88)
    return out.getvalue()
