"""Does a resource keep to one of our profiles? What the guide's differentials use is checked, and nothing else.

min and max, types of a choice, target types of references, fixed and pattern values, required bindings to our own value
sets, and extensions by their address. Whether it is R4 at all, `validation` says.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from integrations.fhir import guide
from integrations.fhir.outcomes import Issue
from integrations.fhir.primitives import LOCAL_REFERENCE

Json = Mapping[str, Any]
Placed = tuple[str, Any]  # where a value is, and the value


def claimed(resource: Json) -> list[str]:
    """The profiles of ours that the resource itself says it keeps to."""
    meta = resource.get("meta", {})
    urls = meta.get("profile", ()) if isinstance(meta, Mapping) else ()
    return [url for url in urls if isinstance(url, str) and guide.profile(url) is not None]


def breaches(resource: Json, profile: Json) -> list[Issue]:
    """Where a *valid* resource is not as the profile asks; with the extensions of ours that it holds."""
    name = str(resource.get("resourceType"))
    if name != profile["type"]:
        sentence = f"{profile['url']} is a profile of {profile['type']}, this is a {name}."
        return [Issue("invalid", sentence, name)]
    found = list(_of_elements(resource, name, profile))
    for where, extension in _extensions(resource, name):
        known = guide.profile(str(extension.get("url")))
        if known is not None:
            found += _of_elements(extension, where, known)
    return found


def _of_elements(value: Json, where: str, profile: Json) -> Iterable[Issue]:
    for element in profile["differential"]["element"]:
        steps = element["path"].split(".")[1:]
        if not steps or _in_slice(element):
            continue
        for place, holder in _at([(where, value)], steps[:-1]):
            if isinstance(holder, Mapping):
                yield from _of_element(holder, place, steps[-1], element)
    yield from _of_slices(value, where, profile)


def _in_slice(element: Json) -> bool:
    """Whether it speaks of the inside of a named extension, which `_of_slices` looks at."""
    return ":" in element["id"] and "sliceName" not in element


def _of_element(holder: Json, place: str, step: str, element: Json) -> Iterable[Issue]:
    values = _named(holder, element) if "sliceName" in element else _values(holder, place, step)
    where = f"{place}.{step.removesuffix('[x]')}"
    few, many = int(element.get("min", 0)), element.get("max", "*")
    if len(values) < few:
        yield Issue("required", f"{where}: the profile asks for at least {few}", where)
    elif many != "*" and len(values) > int(many):
        yield Issue("structure", f"{where}: the profile allows {many} at most", where)
    if step.endswith("[x]") and "type" in element:
        yield from _of_choice(holder, place, step.removesuffix("[x]"), element["type"])
    for at, value in values:
        yield from _of_value(at, value, element)


def _of_slices(value: Json, where: str, profile: Json) -> Iterable[Issue]:
    """The parts of an extension that has parts: each by its own name."""
    inside = [one for one in profile["differential"]["element"] if _in_slice(one)]
    for element in inside:
        name = element["id"].partition(":")[2].partition(".")[0]
        step = element["path"].rpartition(".")[2]
        for part in value.get("extension", ()):
            if isinstance(part, Mapping) and part.get("url") == name:
                yield from _of_element(part, f"{where}.extension({name})", step, element)


def _named(holder: Json, element: Json) -> list[Placed]:
    profiles = [url for one in element.get("type", ()) for url in one.get("profile", ())]
    wanted = profiles or [element["sliceName"]]
    return [("extension", one) for one in holder.get("extension", ()) if one.get("url") in wanted]


def _of_choice(holder: Json, place: str, bare: str, types: Iterable[Json]) -> Iterable[Issue]:
    allowed = {bare + one["code"][0].upper() + one["code"][1:] for one in types}
    for key in holder:
        if key.startswith(bare) and key[len(bare) :][:1].isupper() and key not in allowed:
            names = " or ".join(sorted(allowed))
            yield Issue("structure", f"{place}.{key}: the profile allows {names}", f"{place}.{key}")


def _of_value(where: str, value: Any, element: Json) -> Iterable[Issue]:
    for key, wanted in element.items():
        if key.startswith("fixed") and value != wanted or key.startswith("pattern") and not _holds(value, wanted):
            yield Issue("value", f"{where}: the profile asks for {wanted!r}", where)
    targets = [url.rpartition("/")[2] for one in element.get("type", ()) for url in one.get("targetProfile", ())]
    if targets and isinstance(value, Mapping):
        match = LOCAL_REFERENCE.fullmatch(str(value.get("reference", "")))
        if match and match.group(1) not in targets:
            yield Issue("value", f"{where}: the profile allows references to {' or '.join(targets)}", where)
    binding = element.get("binding")
    if binding is not None and isinstance(value, Mapping):
        codes = guide.codes_of(binding["valueSet"])
        if codes is not None and (value.get("system"), value.get("code")) not in codes:
            yield Issue("code-invalid", f"{where}: not a code of {binding['valueSet']}", where)


def _holds(value: Any, wanted: Any) -> bool:
    """Whether `value` says all that `wanted` says (R4 ElementDefinition.pattern[x])."""
    if isinstance(wanted, Mapping):
        return isinstance(value, Mapping) and all(_holds(value.get(key), one) for key, one in wanted.items())
    return bool(value == wanted)


def _at(holders: list[Placed], steps: list[str]) -> list[Placed]:
    for step in steps:
        holders = [child for place, one in holders if isinstance(one, Mapping) for child in _values(one, place, step)]
    return holders


def _values(holder: Json, place: str, step: str) -> list[Placed]:
    """Values of one element, lists entered; a choice has the values of whichever type is there."""
    bare = step.removesuffix("[x]")
    names = [step] if step == bare else [name for name in holder if _is_of(name, bare)]
    found: list[Placed] = []
    for name in names:
        value = holder.get(name)
        if isinstance(value, list):
            found += [(f"{place}.{name}[{number}]", one) for number, one in enumerate(value)]
        elif value is not None:
            found.append((f"{place}.{name}", value))
    return found


def _is_of(name: str, bare: str) -> bool:
    return name.startswith(bare) and name[len(bare) :][:1].isupper()


def _extensions(value: Any, place: str) -> Iterable[tuple[str, Json]]:
    """Every extension at any depth of a resource, not those inside extensions."""
    if isinstance(value, Mapping):
        for key, child in value.items():
            if key == "extension" and isinstance(child, list):
                yield from ((f"{place}.extension[{n}]", one) for n, one in enumerate(child) if isinstance(one, Mapping))
            else:
                yield from _extensions(child, f"{place}.{key}")
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from _extensions(child, f"{place}[{number}]")
