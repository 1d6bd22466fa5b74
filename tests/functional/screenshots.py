"""`python -m tests.functional.screenshots [DIR]`: every page at 390 and 1440 px, light and dark, as PNG."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.functional.browsing import PAGES, launch, visit
from tests.functional.test_identity import PAGES as IDENTITY_PAGES
from tests.functional.ward import ROOT, open_ward

WIDTHS = {390: 844, 1440: 900}
SCHEMES = ("light", "dark")
PAGES |= IDENTITY_PAGES


def take(folder: Path) -> int:
    """Write the pictures to `folder`; returns how many."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    with tempfile.TemporaryDirectory(prefix="twinweb-shots-") as data, open_ward(Path(data)) as ward:
        with sync_playwright() as play:
            browser = launch(play)
            for name in PAGES:
                for width, height in WIDTHS.items():
                    for scheme in SCHEMES:
                        size = {"width": width, "height": height}
                        with visit(browser, ward, viewport=size, color_scheme=scheme) as seen:
                            seen.open(name)
                            seen.page.wait_for_timeout(300)
                            seen.page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
                        count += 1
            browser.close()
    return count


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "screenshots"
    print(f"{take(target)} pictures in {target}")
