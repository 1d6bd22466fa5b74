"""Streams under ASGI: lazily, whole, and without Django's warning that it gathered them."""

import asyncio
import warnings

import pytest
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.test import AsyncRequestFactory, RequestFactory

from twinweb.streaming import PIECE, StreamMiddleware


async def parts_of(response):
    return [part async for part in response]


def served(response):
    return StreamMiddleware(lambda request: response)(AsyncRequestFactory().get("/"))


def test_a_long_stream_is_made_as_it_is_read():
    made = []

    def lines():
        for number in range(1_000):
            made.append(number)
            yield b"x" * 1_024

    async def first_of(response):
        parts = aiter(response)
        found = await anext(parts)
        await parts.aclose()
        return found

    response = served(StreamingHttpResponse(lines()))
    assert len(asyncio.run(first_of(response))) == PIECE and len(made) == PIECE // 1_024


def test_a_file_arrives_whole_without_a_warning_and_is_closed(tmp_path):
    said = bytes(range(256)) * 1_000
    (tmp_path / "file").write_bytes(said)
    opened = (tmp_path / "file").open("rb")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        response = served(FileResponse(opened))
        parts = asyncio.run(parts_of(response))
    assert b"".join(parts) == said and len(parts) == -(-len(said) // PIECE)
    for close in response._resource_closers:
        close()
    assert opened.closed


@pytest.mark.parametrize("response", [HttpResponse(b"page"), StreamingHttpResponse(iter([b"a", b"b"]))])
def test_under_wsgi_and_for_pages_nothing_changes(response):
    assert StreamMiddleware(lambda request: response)(RequestFactory().get("/")) is response
    assert not getattr(response, "is_async", False)
