"""Photos: what is kept is a picture and nothing else."""

from io import BytesIO

import pytest
from PIL import Image

from recovery.photos import LONGEST_SIDE, NotAPhoto, cleaned


def made(kind="JPEG", size=(2000, 1500), exif=None, **more):
    out = BytesIO()
    Image.new("RGB", size, (180, 90, 80)).save(out, kind, **({"exif": exif} if exif else {}), **more)
    return out.getvalue()


def test_where_and_when_it_was_taken_is_left_behind():
    exif = Image.Exif()
    exif[0x010F], exif[0x8825] = "CanaryPhone", {1: "N", 2: (52.0, 31.0, 12.0)}
    sent = made(exif=exif.tobytes(), comment=b"CanaryComment")
    assert b"Canary" in sent
    kept = cleaned(sent)
    assert b"Canary" not in kept.jpeg and not Image.open(BytesIO(kept.jpeg)).getexif()


def test_a_photo_is_made_small_and_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    kept = cleaned(made(exif=exif.tobytes()))
    assert (kept.width, kept.height) == (960, LONGEST_SIDE)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG"])
def test_what_phones_send_is_taken(kind):
    assert cleaned(made(kind)).jpeg.startswith(b"\xff\xd8")


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"", "empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "kind"),
        (b"\xff\xd8\xff garbage", "kind"),
        (made("GIF"), "kind"),
        (made()[:4000], "kind"),
        (made(size=(20, 20)), "small"),
        (b"\xff" * (10 * 1024 * 1024 + 1), "large"),
        (made("PNG", size=(9000, 6000)), "large"),
    ],
    ids=["empty", "svg", "garbage", "gif", "cut", "small", "large", "many pixels"],
)
def test_what_is_no_photo_is_refused_with_its_reason(sent, reason):
    with pytest.raises(NotAPhoto) as refused:
        cleaned(sent)
    assert refused.value.reason == reason
