"""Connecting a watch by somebody in a hurry: two clicks, the way back, an old address again; one connection stands."""

from pathlib import Path

import pytest

from tests.functional.browsing import visit
from tests.functional.test_portal import PHONE
from tests.functional.test_portal_vendors import makers_are_asked

pytestmark = pytest.mark.browser
WATCH, DEVICES = "/me/devices/with/example-watch/", "/me/devices/"
COUNT = (
    "from recovery.models import Sample, VendorAsk, VendorLink; import pathlib;"
    " links = VendorLink.objects.filter(patient__user__username='ida');"
    " sources = ['Device/' + one for one in links.values_list('device', flat=True)];"
    " said = (links.filter(status='connected').count(), Sample.objects.filter(series__source__in=sources).count());"
    " pathlib.Path({path!r}).write_text(' '.join(map(str, said)))"
)


def connections_and_readings(ward) -> tuple[int, int]:
    path: Path = ward.data / "links.txt"
    ward.run(COUNT.format(path=str(path)))
    connections, readings = map(int, path.read_text().split())
    return connections, readings


def test_two_clicks_the_way_back_and_an_old_address_leave_one_connection_whose_readings_are_kept(own_ward, browser):
    ward = own_ward
    with visit(browser, ward, viewport=PHONE) as seen:
        seen.sign_in("ida", again=True)
        page = seen.page
        page.goto(ward.url + WATCH)
        page.dblclick("text=Go to the maker's page")
        page.wait_for_selector("button:has-text('Do not allow')")
        page.go_back()
        assert "Connect it" in page.inner_text("main"), "the way back leads to where it began"
        page.click("text=Go to the maker's page")
        asked: list[str] = []
        page.on("request", lambda one: asked.append(one.url) if "/back/?" in one.url else None)
        page.dblclick("button:text-is('Allow')")
        page.wait_for_url(f"**{DEVICES}")
        assert connections_and_readings(ward)[0] == 1
        page.go_back()
        page.goto(asked[0])
        assert "Not connected" not in page.inner_text("main") and connections_and_readings(ward)[0] == 1
        makers_are_asked(ward)
        had = connections_and_readings(ward)[1]
        page.goto(ward.url + WATCH)
        page.click("label:has-text('Keep them')")
        page.dblclick("button:has-text('Disconnect')")
        page.wait_for_selector("text=Not connected")
        assert connections_and_readings(ward) == (0, had) and had > 0
        page.go_back()
        page.goto(ward.url + WATCH)
        assert "Connect it again" in page.inner_text("main") or "Connect it" in page.inner_text("main")
