"""The doorbell: every pull is followed by a ring, many pulls by few."""

import os
import threading

import pytest

from recovery.bell import Bell


def test_one_pull_rings_once() -> None:
    rung: list[str] = []
    bell = Bell(rung.append, pause=0.0)
    bell.pull("twin")
    assert bell.rest(10)
    assert rung == ["twin"]


def test_pulls_while_it_rings_are_one_ring_more() -> None:
    begun, go_on = threading.Event(), threading.Event()
    rung: list[str] = []

    def ring(kind: str) -> None:
        begun.set()
        assert go_on.wait(10)
        rung.append(kind)

    bell = Bell(ring, pause=0.0)
    bell.pull("twin")
    assert begun.wait(10)
    for _ in range(100):
        bell.pull("twin")
    go_on.set()
    assert bell.rest(10)
    assert rung == ["twin", "twin"]


def test_a_bell_still_to_be_rung_is_said_after_the_wait() -> None:
    go_on = threading.Event()
    bell = Bell(lambda kind: bool(go_on.wait(10)) and None, pause=0.0)
    bell.pull("twin")
    assert not bell.rest(0.05)
    go_on.set()
    assert bell.rest(10)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_rings_by_a_thread_of_its_own() -> None:
    bell = Bell(lambda kind: None, pause=0.0)
    bell.pull("twin")
    assert bell.rest(10)
    child = os.fork()
    if child == 0:
        bell.pull("twin")
        os._exit(0 if bell.rest(10) else 1)
    assert os.waitpid(child, 0)[1] == 0
