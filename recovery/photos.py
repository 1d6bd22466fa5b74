"""Photos that people send: what they are is looked at, never believed; what is kept is a fresh JPEG without a word
about where and when it was taken (EXIF, GPS, comments are left behind)."""

from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

from recovery.exceptions import Invalid

MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 50_000_000
LONGEST_SIDE = 1280
LEAST_SIDE = 64
QUALITY = 82
FORMATS = ("JPEG", "PNG", "WEBP")


class NotAPhoto(Invalid):
    """`reason`: empty, large, kind (no picture, or of a kind that is not taken), small."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"This is no photo that can be kept ({reason}).", field="photo")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Photo:
    """A JPEG as kept."""

    jpeg: bytes
    width: int
    height: int


def cleaned(sent: bytes) -> Photo:
    """The picture, upright, at most LONGEST_SIDE pixels a side, encoded anew. Raises NotAPhoto."""
    if not sent:
        raise NotAPhoto("empty")
    if len(sent) > MOST_BYTES:
        raise NotAPhoto("large")
    try:
        with Image.open(BytesIO(sent), formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise NotAPhoto("large")
            if min(picture.size) < LEAST_SIDE:
                raise NotAPhoto("small")
            picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as problem:
        raise NotAPhoto("kind") from problem
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    clean = Image.new("RGB", upright.size)  # a picture of its own: nothing that came with the file comes along
    clean.paste(upright)
    out = BytesIO()
    clean.save(out, "JPEG", quality=QUALITY, optimize=True)
    return Photo(out.getvalue(), *clean.size)
