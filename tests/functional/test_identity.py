"""Accounts, enrolment, pathways, staff and emergency access in a real browser: axe, narrow screens, passkeys."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.functional.browsing import visit
from tests.functional.ward import PASSWORD

# page -> who looks at it, and its path
PAGES = {
    "account": ("nurse", "/account/"),
    "account_password": ("nurse", "/account/password/"),
    "account_factors": ("nurse", "/account/factors/"),
    "enrol": ("nurse", "/enrol/"),
    "emergency": ("nurse", "/emergency/"),
    "emergency_review": ("admin", "/emergency/review/"),
    "pathways": ("admin", "/pathways/"),
    "pathway_new": ("admin", "/pathways/new/"),
    "team": ("admin", "/team/"),
    "welcome": ("", "/welcome/#a-link"),
}
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def open_page(seen, name: str) -> None:
    who, path = PAGES[name]
    if who:
        seen.sign_in(who)
    seen.page.goto(seen.ward.url + path)


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(ward, browser, name):
    for width, scheme in ((1440, "light"), (320, "dark")):
        with visit(browser, ward, viewport={"width": width, "height": 800}, color_scheme=scheme) as seen:
            open_page(seen, name)
            seen.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
            found = Axe().run(seen.page)
            assert found.violations_count == 0, found.generate_report()
            assert seen.complaints == []
            assert seen.page.evaluate(SIDEWAYS) == 0


def test_a_passkey_is_added_and_signs_in_without_a_password(ward, browser):
    with visit(browser, ward) as seen:
        page = seen.page
        devtools = page.context.new_cdp_session(page)
        devtools.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
        options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
        devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        address = ward.url.replace("127.0.0.1", "localhost")  # browsers give no passkey to a bare address
        page.goto(address + "/login/")
        page.fill("#id_username", "nurse")
        page.fill("#id_password", PASSWORD)
        page.click("button:has-text('Sign in')")
        page.wait_for_url(re.compile("/patients/"))
        page.goto(address + "/account/factors/webauthn/add/")
        page.fill("input[type=password]", PASSWORD)  # asked again before a factor is added
        page.click("main button.main")
        page.wait_for_url(re.compile("/webauthn/add/"))
        page.check("input[type=checkbox]")
        page.click("#mfa_webauthn_add")
        page.wait_for_url(re.compile("recovery-codes"))
        page.goto(address + "/account/")
        page.click("header button:has-text('Sign out')")
        page.click("#passkey_login")
        page.wait_for_url(re.compile("/patients/"))
        assert seen.complaints == []
        ward.run("from allauth.mfa.models import Authenticator; Authenticator.objects.all().delete()")


def test_before_a_session_ends_the_person_is_asked_and_what_was_typed_stays(ward, browser):
    with visit(browser, ward) as seen:
        seen.sign_in("nurse", again=True)
        page = seen.page
        page.route("**/session/", lambda route: route.fulfill(json={"signed_in": True, "seconds": 90}))
        page.goto(ward.url + "/enrol/")
        page.fill("#id_family_name", "Half typed")
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        page.wait_for_selector("dialog[open]")
        assert "2 minutes" in page.inner_text("dialog") and Axe().run(page).violations_count == 0
        page.unroute("**/session/")
        page.keyboard.press("Enter")
        page.wait_for_selector("dialog:not([open])", state="attached")
        assert page.input_value("#id_family_name") == "Half typed"


def test_a_patient_is_enrolled_by_keyboard_in_one_page(ward, browser):
    with visit(browser, ward) as seen:
        seen.sign_in("nurse")
        page = seen.page
        page.goto(ward.url + "/enrol/")
        end = (datetime.now(UTC) - timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M")
        typed = {"record_number": "KB-1", "family_name": "Keys", "given_name": "Kay", "birth_date": "1960-01-02"}
        for name, value in (typed | {"end": end}).items():
            page.fill(f"#id_{name}", value)
        page.select_option("#id_sex", "female")
        page.select_option("#id_procedure", "knee_replacement")
        page.focus("#id_record_number")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"/patients/[0-9a-f-]{36}/"))
        assert "Kay Keys" in page.inner_text("body") and seen.complaints == []
