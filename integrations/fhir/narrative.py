"""Narrative.div: XHTML without active content (FHIR R4 narrative.html, invariant txt-1).

An empty div (txt-2) is let through: official R4 examples have it and it harms nobody.
"""

import html
import re
import xml.etree.ElementTree as ElementTree

XHTML = "http://www.w3.org/1999/xhtml"
# Basic formatting of HTML 4.0 chapters 7 to 11 and 15, links and images: what txt-1 allows.
_TAGS = frozenset(
    "div p span a b i u em strong small big sub sup tt code pre q cite dfn samp kbd var abbr acronym address blockquote"
    " br hr h1 h2 h3 h4 h5 h6 ul ol li dl dt dd table caption thead tbody tfoot tr th td col colgroup img ins del s"
    " strike center font bdo".split()
)
_ADDRESSES = ("href", "src", "cite", "longdesc", "background")
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_XML_ENTITIES = frozenset(("amp", "lt", "gt", "quot", "apos"))


def fault(div: str) -> str | None:
    """A sentence saying what is wrong with a Narrative's div; None when it may be stored and shown."""
    if "<!DOCTYPE" in div.upper() or "<!ENTITY" in div.upper():
        return "a narrative may not declare a document type or entities"
    try:
        root = ElementTree.fromstring(_ENTITY.sub(_plain, div))  # noqa: S314  (declarations are refused above)
    except (ElementTree.ParseError, ValueError):
        return "the narrative is not well-formed XHTML"
    if root.tag not in (f"{{{XHTML}}}div", "div"):
        return "a narrative must be one XHTML div"
    return next((said for element in root.iter() if (said := _element_fault(element))), None)


def _plain(match: re.Match[str]) -> str:
    """Named HTML entities as characters: XML knows only five of them."""
    return match.group() if match.group(1) in _XML_ENTITIES else html.unescape(match.group())


def _element_fault(element: ElementTree.Element) -> str | None:
    tag = element.tag.removeprefix(f"{{{XHTML}}}") if isinstance(element.tag, str) else ""
    if tag and tag not in _TAGS:
        return f"a narrative may not hold the element {tag[:40]!r}"
    for name, value in element.attrib.items():
        if name.lower().startswith("on"):
            return f"a narrative may not hold the event attribute {name[:40]!r}"
        if name in _ADDRESSES and _is_active(value):
            return f"a narrative may not hold the address {value[:60]!r}"
        if name == "style" and ("expression" in value.lower() or "url(" in value.lower().replace(" ", "")):
            return "a narrative's style may not load or run anything"
    return None


def _is_active(address: str) -> bool:
    scheme = re.sub(r"[\s\x00-\x20]", "", address).partition(":")[0].lower()
    return scheme in ("javascript", "vbscript") or (scheme == "data" and "image/" not in address)
