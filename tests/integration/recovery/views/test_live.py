"""Live updates: own changes soon, strangers' never, and the stream ends when the right to it does."""

import asyncio
import functools
import json
import time
from collections.abc import AsyncIterator

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.test import AsyncClient, Client
from django.urls import reverse

from recovery.models import LiveEvent, TeamMembership
from recovery.views import live as live_view
from recovery.views.live import Visitor, stream

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 20.0


def in_a_loop(test):
    """Run an async test in a loop of its own; pytest fills its fixtures as for any other."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        return async_to_sync(test)(*args, **kwargs)

    return run


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch):
    monkeypatch.setattr(live_view, "LOOK_EVERY_SECONDS", 0.2)


def change(scene, episode=None, kind="twin") -> int:
    episode = episode or scene.episode
    return LiveEvent.objects.create(at=scene.now, kind=kind, episode=episode, team=episode.team).pk


def visitor(scene, who="own") -> Visitor:
    user = getattr(scene, who)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return Visitor(user.pk, session.session_key)


async def events(source: AsyncIterator[bytes], wanted: int) -> list[dict]:
    """The first `wanted` events; fails when they do not come."""
    found: list[dict] = []
    async with asyncio.timeout(PATIENCE):
        async for text in source:
            lines = dict(line.split(": ", 1) for line in text.decode().strip().split("\n"))
            if "data" in lines:
                found.append({**json.loads(lines["data"]), "id": int(lines["id"])})
            if len(found) == wanted:
                break
    await source.aclose()
    return found


async def ended(source: AsyncIterator[bytes]) -> bool:
    async with asyncio.timeout(PATIENCE):
        async for _ in source:
            pass
    return True


@in_a_loop
async def test_a_page_that_comes_back_is_told_what_it_missed(scene):
    first = await sync_to_async(change)(scene)
    second = await sync_to_async(change)(scene, kind="alert")
    found = await events(stream(await sync_to_async(visitor)(scene), 0), 2)
    assert [(one["kind"], one["id"]) for one in found] == [("twin", first), ("alert", second)]
    assert found[0]["episode"] == str(scene.episode.key)


@in_a_loop
async def test_a_change_reaches_an_open_page(scene):
    source = stream(await sync_to_async(visitor)(scene), 0)
    assert (await anext(source)).startswith(b"retry")
    waiting = asyncio.create_task(events(source, 1))
    await asyncio.sleep(0)
    number = await sync_to_async(change)(scene)
    assert [one["id"] for one in await waiting] == [number]


@in_a_loop
async def test_a_strangers_change_is_never_told(scene):
    await sync_to_async(change)(scene, scene.foreign)
    mine = await sync_to_async(change)(scene)
    found = await events(stream(await sync_to_async(visitor)(scene), 0), 1)
    assert [one["id"] for one in found] == [mine]


@in_a_loop
async def test_signing_out_ends_the_stream(scene):
    who = await sync_to_async(visitor)(scene)
    source = stream(who, 0)
    await anext(source)
    await sync_to_async(SessionStore(who.session_key).delete)()
    assert await ended(source)


@in_a_loop
async def test_losing_the_team_ends_the_stream(scene):
    await sync_to_async(change)(scene)
    source = stream(await sync_to_async(visitor)(scene), 0)
    await anext(source)
    assert b"event: twin" in await anext(source)
    waiting = asyncio.create_task(ended(source))
    await sync_to_async(TeamMembership.objects.filter(user=scene.own).delete)()
    assert await waiting


@in_a_loop
async def test_a_deactivated_account_hears_nothing(scene):
    scene.own.is_active = False
    await sync_to_async(scene.own.save)()
    await sync_to_async(change)(scene)
    texts = [text async for text in stream(await sync_to_async(visitor)(scene), 0)]
    assert texts == [b"retry: 2000\n\n"]


@in_a_loop
async def test_the_view_streams_under_asgi(scene):
    client = AsyncClient(headers={"host": "localhost"})
    await client.aforce_login(scene.own)
    await sync_to_async(change)(scene)
    answer = await client.get(reverse("live"), headers={"last-event-id": "0"})
    assert answer["Content-Type"] == "text/event-stream" and answer["Cache-Control"] == "no-store"
    assert len(await events(answer.streaming_content, 1)) == 1


def test_without_asgi_the_stream_says_what_to_do_instead(scene):
    answer = scene.client("own").get(reverse("live"))
    assert answer.status_code == 501 and "/live/poll" in answer.content.decode()


def test_polling_tells_the_same(scene):
    client: Client = scene.client("own")
    start = client.get(reverse("live_poll")).json()
    assert start["events"] == []
    change(scene, scene.foreign)
    mine = change(scene)
    said = client.get(reverse("live_poll"), {"after": start["last"]}).json()
    assert said == {"last": mine, "events": [{"kind": "twin", "episode": str(scene.episode.key)}]}


@pytest.mark.parametrize("after", ["x", "-1", "9" * 40, "٣", ""])
def test_nonsense_is_where_to_begin(scene, after):
    assert scene.client("own").get(reverse("live_poll"), {"after": after}).json()["events"] == []


@in_a_loop
async def test_one_reader_serves_all_pages_and_leaves_no_connection_behind(scene):
    from recovery.views.hub import hub

    sources = [stream(await sync_to_async(visitor)(scene), 0) for _ in range(20)]
    for source in sources:
        await anext(source)
    shared = hub()
    assert len(shared._listeners) == 20 and shared._reader is not None
    began = time.monotonic()
    for source in sources:
        await source.aclose()
    assert shared._reader is None and shared._thread is None
    assert time.monotonic() - began < PATIENCE
