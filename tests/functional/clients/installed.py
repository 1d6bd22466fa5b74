"""The clients, installed once into a cache outside of the repository by npm and venv; nothing of them is kept here."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

NODE = ("fhir-kit-client@2.0.3", "@medplum/core@4.5.2", "@medplum/fhirtypes@4.5.2", "fhirclient@2.6.3")
PYTHON = ("fhirpy==2.3.1", "fhirclient==4.4.0", "smart-fetch==1.0.3")


class Missing(RuntimeError):
    """A program that the clients need is not on this machine; the text names it."""


def cache() -> Path:
    chosen = os.environ.get("CLIENTS_CACHE", "")
    home = os.environ.get("XDG_CACHE_HOME", "") or Path.home() / ".cache"
    return Path(chosen) if chosen else Path(home) / "twinweb-clients"


def install() -> Path:
    """The cache with everything in it. Raises Missing, CalledProcessError."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise Missing(f"{program} is not installed: the JavaScript clients need it")
    folder = cache()
    stamp = folder / "installed.json"
    wanted = json.dumps([NODE, PYTHON])
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return folder
    (folder / "node").mkdir(parents=True, exist_ok=True)
    (folder / "node" / "package.json").write_text('{"private": true}', encoding="utf-8")
    npm = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps", *NODE]
    subprocess.run(npm, cwd=folder / "node", check=True, stdout=subprocess.DEVNULL)
    if not python(folder).exists():
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    pip = [python(folder), "-m", "pip", "install", "-q", "--disable-pip-version-check", *PYTHON]
    subprocess.run(pip, check=True)
    stamp.write_text(wanted, encoding="utf-8")
    return folder


def python(folder: Path) -> Path:
    return folder / "venv" / "bin" / "python"
