"""Launches in Chromium: SMART's JavaScript client standalone and from a patient's page, its Python one standalone."""

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.functional.browsing import launch
from tests.functional.clients.installed import python
from tests.functional.clients.product import Product

Said = dict[str, Any]
SCOPES = "openid fhirUser offline_access patient/*.rs"
LAUNCH = """<!doctype html><script src="fhir-client.js"></script><script src="settings.js"></script><script>
const asked = new URLSearchParams(location.search);
FHIR.oauth2.authorize({clientId: settings.clientId, redirectUri: "app.html", pkceMode: "required",
  scope: (asked.has("launch") ? "launch " : "launch/patient ") + settings.scopes,
  ...(asked.has("launch") ? {} : {iss: settings.iss})});
</script>"""
APP = """<!doctype html><title>working</title><pre id="said"></pre>
<script src="fhir-client.js"></script><script>
(async () => {
  const client = await FHIR.oauth2.ready();
  const patient = await client.patient.read();
  const user = await client.user.read();
  const flat = await client.patient.request("Observation?_count=5", {flat: true, pageLimit: 2});
  const bundle = await client.request(`Observation?patient=${patient.id}&_include=Observation:patient`);
  const summed = await client.request("Patient/" + patient.id, {graph: true});
  const before = client.state.tokenResponse.access_token;
  await client.refresh();
  const after = client.state.tokenResponse.access_token;
  await client.request("Patient/" + patient.id);
  let stranger = 0;
  try { await client.request("Group"); } catch (error) { stranger = error.statusCode || error.status; }
  return {patient: patient.id, user: user.resourceType, observations: flat.length, entries: bundle.entry.length,
    graph: summed.id, refreshed: before !== after, needsBanner: client.state.tokenResponse.need_patient_banner,
    idToken: Boolean(client.getIdToken()), other: stranger};
})().then((said) => tell("done", JSON.stringify(said)), (error) => tell("failed", String(error.stack || error)));
function tell(title, words) { document.getElementById("said").textContent = words; document.title = title; }
</script>"""


@contextmanager
def pages(folder: Path) -> Iterator[tuple[str, Said]]:
    """The app's own web server: its address, and settings that its pages read (filled in later)."""
    settings: Said = {}
    library = (folder / "node" / "node_modules" / "fhirclient" / "build" / "fhir-client.js").read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told = {
                "/launch.html": LAUNCH.encode(),
                "/app.html": APP.encode(),
                "/fhir-client.js": library,
                "/settings.js": f"const settings = {json.dumps(settings)};".encode(),
                "/python": b"<!doctype html><title>back</title>",
            }
            body = told.get(self.path.partition("?")[0])
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Type", "text/javascript" if ".js" in self.path else "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", settings
    finally:
        server.shutdown()
        server.server_close()


def launches(product: Product, apps_at: str, folder: Path) -> Iterator[Said]:
    """One line for each launch."""
    with sync_playwright() as play:
        browser = launch(play)
        with browser.new_context() as context:
            page = context.new_page()
            page.goto(f"{product.url}/login/")
            page.fill("#id_username", product.person[0])
            page.fill("#id_password", product.person[1])
            page.click("button:has-text('Sign in')")
            page.wait_for_url(re.compile(r"/patients/"))
            for name, run in (
                ("SMART JS client, standalone launch", _standalone),
                ("SMART JS client, EHR launch", _from_a_patients_page),
                ("fhirclient (Python), standalone launch", _python),
            ):
                yield _guarded(name, run, page, product, apps_at, folder)
        browser.close()


def _guarded(name: str, run: Any, page: Page, product: Product, apps_at: str, folder: Path) -> Said:
    try:
        return {"client": name, "steps": run(page, product, apps_at, folder), "error": ""}
    except Exception as error:
        return {"client": name, "steps": [], "error": f"{type(error).__name__}: {error} at {page.url}"[:900]}


def _standalone(page: Page, product: Product, apps_at: str, _: Path) -> list[str]:
    page.goto(f"{apps_at}/launch.html")
    _allow(page, product)
    return ["authorize", *_told(page)]


def _from_a_patients_page(page: Page, product: Product, apps_at: str, _: Path) -> list[str]:
    page.goto(f"{product.url}/patients/")
    page.locator("tbody th a").first.click()
    page.wait_for_url(re.compile(r"/patients/[0-9a-f-]{36}/"))
    page.goto(page.url.partition("?")[0] + "apps/")
    page.click("button:has-text('Open app')")
    page.wait_for_url(re.compile(r"/oauth/authorize|/app\.html"))
    if "/oauth/authorize" in page.url:  # this app's scopes were allowed before: then nobody is asked again
        _allow(page, product)
    return ["opened from a patient's page", *_told(page)]


def _python(page: Page, product: Product, apps_at: str, folder: Path) -> list[str]:
    script, state = Path(__file__).with_name("python_clients.py"), folder / "launch-state.json"
    said = _run(python(folder), script, product.fhir, product.python_app, f"{apps_at}/python", state, "begin")
    page.goto(json.loads(said)["go_to"])
    _allow(page, product)
    page.wait_for_url(re.compile(r"/python\?"))
    told = json.loads(_run(python(folder), script, page.url, state, "end"))
    state.unlink()
    steps: list[str] = told["steps"]
    return steps


def _run(*command: object) -> str:
    done = subprocess.run([str(one) for one in command], capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(done.stderr[-600:])
    return done.stdout.splitlines()[-1]


def _allow(page: Page, product: Product) -> None:
    page.wait_for_url(re.compile(re.escape(product.url) + "/oauth/authorize"))
    patient = page.locator("input[name=patient]")
    if patient.count():
        patient.first.check()
    page.click("button:has-text('Allow'):not(:has-text('not'))")


def _told(page: Page) -> list[str]:
    page.wait_for_function("document.title === 'done' || document.title === 'failed'", timeout=60_000)
    said = page.text_content("#said") or ""
    assert page.title() == "done", said
    found = json.loads(said)
    assert found["patient"] == found["graph"] and found["observations"] and found["entries"], found
    assert found["refreshed"] and found["idToken"] and found["user"] in ("Practitioner", "Patient"), found
    assert found["other"] != 200, found
    return ["ready", "patient.read", "user.read", "patient.request over pages", "refresh", "id_token"]
