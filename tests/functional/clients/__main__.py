"""Independent clients against a product that is started for them; each says how far it came.

    python -m tests.functional.clients

They are installed once into a cache outside of the repository (CLIENTS_CACHE, ~/.cache/twinweb-clients) by npm and pip.
Needs node, npm and Chromium.
"""

import gzip
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.functional.browsing import CHROMIUM
from tests.functional.clients.installed import Missing, install, python
from tests.functional.clients.product import Product, running
from tests.functional.clients.smart_apps import SCOPES, launches, pages

HERE = Path(__file__).parent
Said = dict[str, Any]


def group_of_all(product: Product) -> str:
    """A Group of the ward's patients, by its id."""
    found = product.ask("GET", "Patient?_count=50")["entry"]
    member = [{"entity": {"reference": f"Patient/{one['resource']['id']}"}} for one in found]
    group = {"resourceType": "Group", "type": "person", "actual": True, "member": member}
    return str(product.ask("POST", "Group", group)["id"])


def libraries(product: Product, folder: Path, group: str) -> Iterator[Said]:
    node = ["node", HERE / "node_clients.mjs", product.fhir, product.token, group]
    yield from _lines(node, folder / "node")
    yield from _lines([python(folder), HERE / "python_clients.py", product.fhir, product.token], folder)


def _lines(command: list[Any], where: Path) -> Iterator[Said]:
    done = subprocess.run([str(one) for one in command], cwd=where, capture_output=True, text=True)
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    yield from found or [{"client": str(command[1]), "steps": [], "error": done.stderr[-600:]}]


def bulk(product: Product, folder: Path, group: str) -> Said:
    """smart-fetch (SMART's own bulk client): Backend Services with its key, then the export of a group."""
    with tempfile.TemporaryDirectory() as out:
        asked = ["--fhir-url", product.fhir, "--smart-client-id", product.backend, "--smart-key", product.key]
        told = ["--group", group, "--type", "Patient,Condition,Observation,Procedure,Encounter,Device"]
        command = [python(folder).with_name("smart-fetch"), "bulk", out, *asked, *told, "--no-default-filters"]
        done = subprocess.run([str(one) for one in command], capture_output=True, text=True)
        lines = {path.name.split(".")[0]: _count(path) for path in Path(out).glob("*.ndjson*")}
    members = product.ask("GET", f"Group/{group}")["member"]
    is_whole = done.returncode == 0 and lines.get("Patient") == len(members) and lines.get("Observation", 0) > 0
    steps = ["private_key_jwt", "kick-off", "status", "manifest", "files", str(sum(lines.values())) + " resources"]
    wrong = "" if is_whole else f"{lines} {done.stdout[-500:]} {done.stderr[-500:]}"
    return {"client": "smart-fetch, bulk export of a group", "steps": steps if is_whole else [], "error": wrong}


def _count(path: Path) -> int:
    data = path.read_bytes()
    return len((gzip.decompress(data) if path.suffix == ".gz" else data).splitlines())


def everything(folder: Path) -> Iterator[Said]:
    with tempfile.TemporaryDirectory() as data, pages(folder) as (apps_at, settings):
        with running(Path(data), apps_at) as product:
            settings |= {"clientId": product.app, "iss": product.fhir, "scopes": SCOPES}
            group = group_of_all(product)
            yield from libraries(product, folder, group)
            yield bulk(product, folder, group)
            if CHROMIUM:
                yield from launches(product, apps_at, folder)
            else:
                yield {"client": "launches", "steps": [], "error": "no chromium on this machine"}


def main() -> int:
    began = time.monotonic()
    try:
        folder = install()
    except Missing as error:
        print(error)
        return 2
    failed = 0
    for said in everything(folder):
        failed += bool(said["error"])
        print(
            f"{'FAILED   ' if said['error'] else 'completed'}  {said['client']}: {', '.join(said['steps'])}", flush=True
        )
        if said["error"]:
            print(f"           {said['error']}")
    print(f"{'all completed' if not failed else f'{failed} failed'} in {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
