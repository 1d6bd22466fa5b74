"""A Subscription on its way in: what is asked for, refused where it cannot be served, without the secrets in it."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from integrations.fhir.outcomes import refused
from integrations.fhir.primitives import moment_of
from integrations.subscriptions.criteria import EXPRESSION, understood
from integrations.subscriptions.topics import BACKPORT, TOPICS, Topic
from recovery.services.intake import MASKED, SubscriptionFacts

Json = Mapping[str, Any]
MOST_HEADERS, LONGEST_HEADERS = 20, 8_000
LONGEST_CRITERIA, LONGEST_ENDPOINT = 2_000, 2_000
LONGEST_TIMEOUT_S, SHORTEST_HEARTBEAT_S, MOST_EVENTS = 10, 10, 100
_JSON = frozenset(("application/fhir+json", "application/json", "application/fhir+json;charset=utf-8"))
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e]*)")
# What the transport itself says.
_NOT_THEIRS = frozenset("host content-length content-type transfer-encoding connection upgrade te trailer".split())
# Criteria are checked as of this moment; when they are held against something, it is the moment of that.
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)


def admitted(resource: Json, base: str) -> tuple[dict[str, Any], SubscriptionFacts]:
    """(the resource as it is kept: status as the server gives it, header values masked; what it asks for).

    `resource` is valid R4. Raises FhirError 422 for what cannot be served.
    """
    channel = resource["channel"]
    if channel["type"] != "rest-hook":
        raise _refused("This server delivers by rest-hook only.", "Subscription.channel.type")
    is_on = resource["status"] != "off"
    topic = TOPICS.get(resource["criteria"].partition("|")[0])
    criteria = _filter_of(resource, topic) if topic else resource["criteria"]
    _check_length(criteria)
    sought = understood(criteria, base, _ANY_TIME)
    facts = SubscriptionFacts(
        is_on=is_on,
        type=sought.route.type,
        endpoint=_endpoint(channel),
        topic=topic.url if topic else "",
        criteria=criteria,
        watch={**sought.watch(), "base": base},
        payload=_payload(channel),
        content=_content(channel, topic),
        headers=_headers(channel),
        heartbeat_s=_heartbeat(channel) if topic else None,
        timeout_s=_number(channel, "backport-timeout", LONGEST_TIMEOUT_S),
        most_events=(_number(channel, "backport-max-count", MOST_EVENTS) or MOST_EVENTS) if topic else 1,
        ends_at=moment_of(resource["end"]) if "end" in resource else None,
    )
    return _kept(resource, is_on), facts


def _kept(resource: Json, is_on: bool) -> dict[str, Any]:
    channel = dict(resource["channel"])
    if "header" in channel:
        channel["header"] = [f"{line.partition(':')[0].strip()}: {MASKED}" for line in channel["header"]]
    said = {key: value for key, value in resource.items() if key != "error"}
    return {**said, "status": "requested" if is_on else "off", "channel": channel}


def _refused(sentence: str, expression: str) -> Exception:
    return refused(422, "not-supported", sentence, expression)


# ---- the channel ---


def _endpoint(channel: Json) -> str:
    """Its form alone; where it leads is looked at whenever it is called (`recovery.egress`)."""
    where = "Subscription.channel.endpoint"
    endpoint = str(channel.get("endpoint", ""))
    parts = urlsplit(endpoint)
    schemes = ("https", "http") if settings.SUBSCRIPTION_ALLOW_LOOPBACK else ("https",)
    if parts.scheme not in schemes or not parts.hostname or len(endpoint) > LONGEST_ENDPOINT:
        raise _refused("The endpoint must be an https:// address.", where)
    if parts.username or parts.password:
        raise _refused("Name and password do not go into the endpoint: use channel.header.", where)
    allowed = settings.SUBSCRIPTION_HOSTS
    if allowed and parts.hostname.lower() not in allowed and not _may_be_loopback(parts.hostname):
        raise _refused("The host of the endpoint is not among those that this server may call.", where)
    return endpoint


def _may_be_loopback(host: str) -> bool:
    return bool(settings.SUBSCRIPTION_ALLOW_LOOPBACK) and host in ("localhost", "127.0.0.1", "::1")


def _payload(channel: Json) -> str:
    said = str(channel.get("payload", "")).replace(" ", "").lower()
    if said and said not in _JSON:
        raise _refused("The payload is application/fhir+json, or there is none.", "Subscription.channel.payload")
    return "application/fhir+json" if said else ""


def _headers(channel: Json) -> tuple[str, ...]:
    where = "Subscription.channel.header"
    lines = tuple(channel.get("header", ()))
    if len(lines) > MOST_HEADERS or sum(map(len, lines)) > LONGEST_HEADERS:
        raise _refused(f"Up to {MOST_HEADERS} headers of together {LONGEST_HEADERS} characters.", where)
    for line in lines:
        match = _HEADER.fullmatch(line)
        if match is None:
            raise _refused("A header is written as Name: value, in plain characters.", where)
        if match.group(1).lower() in _NOT_THEIRS:
            raise _refused(f"The header {match.group(1)} is set by this server.", where)
    return lines


# ---- the topic form (subscriptions-backport 1.1) ---


def _filter_of(resource: Json, topic: Topic) -> str:
    """The topic's type with the filters asked for, as criteria. A filter may name the type or leave it out."""
    queries = []
    for said in _extensions(resource.get("_criteria", {}), "backport-filter-criteria"):
        text = str(said.get("valueString", ""))
        head, mark, query = text.rpartition("?")
        if mark and head not in (topic.type, "Patient"):
            raise _refused(f"Filters of this topic are about {topic.type}.", EXPRESSION)
        queries.append(_checked_filter(query, topic, of_patient=head == "Patient"))
    return f"{topic.type}?{'&'.join(queries)}" if queries else topic.type


def _checked_filter(query: str, topic: Topic, *, of_patient: bool) -> str:
    if of_patient and query.startswith("_id="):
        query = f"patient={query.removeprefix('_id=')}"
    names = [part.partition("=")[0] for part in query.split("&")]
    unknown = [name for name in names if name.partition(":")[0] not in topic.filter_by]
    if unknown or not query:
        known = " or ".join(topic.filter_by)
        raise _refused(f"This topic is filtered by {known}, not by {(unknown or [''])[0][:60]!r}.", EXPRESSION)
    return query


def _content(channel: Json, topic: Topic | None) -> str:
    if topic is None:
        return "full-resource" if channel.get("payload") else "empty"
    said = [one.get("valueCode") for one in _extensions(channel.get("_payload", {}), "backport-payload-content")]
    content = str(said[0]) if said else "empty"
    if content not in ("empty", "id-only", "full-resource"):
        raise _refused("The content is empty, id-only or full-resource.", "Subscription.channel.payload")
    return content


def _heartbeat(channel: Json) -> int | None:
    said = _number(channel, "backport-heartbeat-period", 7 * 86_400)
    return max(said, SHORTEST_HEARTBEAT_S) if said else None


def _number(channel: Json, name: str, most: int) -> int | None:
    """The number of a channel extension, cut to `most`; None when it is not there or 0."""
    for one in _extensions(channel, name):
        value = one.get("valueUnsignedInt", one.get("valuePositiveInt"))
        if isinstance(value, int) and value > 0:
            return min(value, most)
    return None


def _extensions(element: Json, name: str) -> Iterable[Json]:
    held = element.get("extension", ()) if isinstance(element, Mapping) else ()
    return [one for one in held if one.get("url") == f"{BACKPORT}{name}"]


def _check_length(criteria: str) -> None:
    if len(criteria) > LONGEST_CRITERIA:
        raise _refused(f"Criteria have up to {LONGEST_CRITERIA} characters.", EXPRESSION)
