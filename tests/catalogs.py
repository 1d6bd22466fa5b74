"""Reading and writing gettext catalogues without gettext's tools."""

import ast
import re
import struct
from collections.abc import Iterator
from pathlib import Path

from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[1]
LOCALE = ROOT / "locale"
FUNCTIONS = {
    "gettext": 1,
    "gettext_lazy": 1,
    "_": 1,
    "ngettext": 2,
    "pgettext": 2,
    "pgettext_lazy": 2,
    "ngettext_lazy": 2,
}
FIELD = re.compile(r"%\((\w+)\)[sd]")


def entries(path: Path) -> dict[str, tuple[str, ...]]:
    """A .po file: key as in a .mo file (context and plural included) -> its translations."""
    found = {}
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        said = {"msgctxt": "", "msgid": "", "msgid_plural": ""}
        forms: dict[int, str] = {}
        for line in block.splitlines():
            match = re.match(r'(msgctxt|msgid_plural|msgid|msgstr)(?:\[(\d)\])? (".*")$', line)
            if match and match[1] == "msgstr":
                forms[int(match[2] or 0)] = ast.literal_eval(match[3])
            elif match:
                said[match[1]] = ast.literal_eval(match[3])
        if said["msgid"]:
            key = (said["msgctxt"] + "\x04" if said["msgctxt"] else "") + said["msgid"]
            key += "\x00" + said["msgid_plural"] if said["msgid_plural"] else ""
            found[key] = tuple(forms[place] for place in sorted(forms))
    return found


def compiled(path: Path) -> dict[str, tuple[str, ...]]:
    """A .mo file (GNU gettext, little endian), without its header."""
    raw = path.read_bytes()
    magic, _version, count, ids, texts = struct.unpack_from("<5I", raw)
    assert magic == 0x950412DE

    def text(table: int, place: int) -> str:
        length, at = struct.unpack_from("<2I", raw, table + 8 * place)
        return raw[at : at + length].decode()

    return {text(ids, n): tuple(text(texts, n).split("\x00")) for n in range(count) if text(ids, n)}


def write_mo(path: Path, catalogue: dict[str, tuple[str, ...]], header: str) -> None:
    rows = sorted({"": (header,), **catalogue}.items(), key=lambda row: row[0].encode())
    ids = [key.encode() for key, _ in rows]
    texts = ["\x00".join(forms).encode() for _, forms in rows]
    at = 28 + 16 * len(rows)
    tables, data = [], b""
    for block in (ids, texts):
        for one in block:
            tables.append(struct.pack("<2I", len(one), at + len(data)))
            data += one + b"\x00"
    head = struct.pack("<7I", 0x950412DE, 0, len(rows), 28, 28 + 8 * len(rows), 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(head + b"".join(tables) + data)


def marked() -> set[str]:
    """The first text of everything in the product's own sources that is marked for translation."""
    found = set()
    for path in sorted((ROOT / "templates").rglob("*.html")):
        source = path.read_text(encoding="utf-8")
        if "translate" in source:
            found |= set(_in_template(templatize(source)))
    for path in sorted((ROOT / "recovery").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if "gettext" in source:
            found |= set(_in_python(source))
    return found


def _in_template(text: str) -> Iterator[str]:
    for match in re.finditer(r"""\b(?:gettext|ngettext)\(u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""", text):
        yield ast.literal_eval(match[1])
    for match in re.finditer(r" _\((\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')\)", text):
        yield ast.literal_eval(match[1])


def _in_python(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
            place = 1 if node.func.id.startswith("pgettext") else 0
            value = node.args[place] if len(node.args) > place else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.value


def first_text(key: str) -> str:
    return key.split("\x04")[-1].split("\x00")[0]
