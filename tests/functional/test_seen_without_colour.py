"""Every state is told by its shape and its word, in grey and to eyes without the green receptor (ux.md 8.2)."""

import io
from itertools import combinations

import pytest
from PIL import Image, ImageChops
from playwright.sync_api import Locator, expect

from tests.functional.browsing import visit

pytestmark = pytest.mark.browser
WORDS = ["Act now", "Review today", "Watch", "On track", "No data"]
SIDE = 32  # a shape is read on a grid of so many cells
LEAST_APART = 0.08  # of the cells: a triangle and a diamond differ by a quarter, two of the same by none
TEXT, SHAPE = 4.5, 3.0  # contrast that WCAG 2.2 asks of letters (1.4.3) and of signs (1.4.11)


def drawn(one: Locator) -> Image.Image:
    """What a screen shows of it, through the filter."""
    return Image.open(io.BytesIO(one.screenshot())).convert("RGB")


def grey_share(picture: Image.Image) -> float:
    """Of its pixels; a row at the edge may still be that of the frame before."""
    grey = sum(count for count, (red, green, blue) in picture.getcolors(1 << 20) if red == green == blue)
    return grey / (picture.width * picture.height)


def luminance(colour: tuple[int, int, int]) -> float:
    parts = [one / 255 for one in colour]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(picture: Image.Image) -> float:
    """Between the most and the least luminous of its pixels, thin smoothed edges included."""
    found = [luminance(colour) for _, colour in picture.getcolors(picture.width * picture.height)]
    return (max(found) + 0.05) / (min(found) + 0.05)


def shape(picture: Image.Image) -> Image.Image:
    """Where its ink lies: what differs from the ground (a corner) by more than half of what differs most."""
    grey = picture.convert("L").resize((SIDE, SIDE))
    apart = ImageChops.difference(grey, Image.new("L", grey.size, grey.getpixel((0, SIDE // 2))))
    most = apart.getextrema()[1]
    return apart.point([255 if value > most / 2 else 0 for value in range(256)])


def apart(one: Image.Image, other: Image.Image) -> float:
    return ImageChops.difference(one, other).histogram()[255] / (SIDE * SIDE)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("eyes", ["achromatopsia", "deuteranopia"])
def test_each_state_is_told_by_its_shape_and_its_word(ward, browser, eyes, scheme):
    with visit(browser, ward, color_scheme=scheme, device_scale_factor=3) as seen:
        seen.sign_in("nurse")
        seen.page.goto(ward.url + "/help/")
        devtools = seen.page.context.new_cdp_session(seen.page)
        devtools.send("Emulation.setEmulatedVisionDeficiency", {"type": eyes})
        chips = seen.page.locator("section:has(h2:has-text('What the states mean')) .chip")
        expect(chips).to_have_text(WORDS)
        drawn(chips.first)  # brought into sight; the filter is on from the next frame that is drawn
        whole = [drawn(one) for one in chips.all()]
        if eyes == "achromatopsia":
            assert min(map(grey_share, whole)) > 0.9, "the filter is on"
        signs = [drawn(one.locator("svg")) for one in chips.all()]
        assert all(contrast(one) >= TEXT for one in whole), [round(contrast(one), 1) for one in whole]
        assert all(contrast(one) >= SHAPE for one in signs), [round(contrast(one), 1) for one in signs]
        shapes = dict(zip(WORDS, map(shape, signs), strict=True))
        alike = {pair: apart(shapes[pair[0]], shapes[pair[1]]) for pair in combinations(WORDS, 2)}
        assert min(alike.values()) >= LEAST_APART, alike


@pytest.mark.parametrize("path", ["/patients/", "/alerts/"])
def test_no_state_of_a_list_is_shown_without_its_shape_and_word(ward, browser, path):
    with visit(browser, ward) as seen:
        seen.sign_in("nurse")
        seen.page.goto(ward.url + path)
        chips = seen.page.locator("main .chip").all()
        assert len(chips) >= 5
        for one in chips:
            assert one.inner_text().strip() and one.locator("svg path, svg circle").count() == 1
