"""What a live page may be told, and from where it resumes."""

from datetime import UTC, datetime
from uuid import uuid4

from recovery.selectors.live import Change
from recovery.views.relay import Relay

AT = datetime(2026, 3, 3, tzinfo=UTC)
MINE, THEIRS = 1, 2


def change(number: int, episode: int = MINE) -> Change:
    return Change(number, AT, "twin", episode, uuid4())


def told(changes) -> list[int]:
    return [one.id for one in changes]


def test_changes_of_visible_episodes_are_told_at_once():
    assert told(Relay(frozenset({MINE}), 0).take([change(1), change(2)])) == [1, 2]


def test_changes_of_strangers_are_never_told():
    relay = Relay(frozenset({MINE}), 0)
    assert told(relay.take([change(1, THEIRS)])) == []
    assert told(relay.renew(frozenset({MINE}))) == []
    assert relay.resume_at == 1


def test_a_change_of_an_episode_entrusted_a_moment_ago_is_told_after_the_next_look():
    relay = Relay(frozenset(), 0)
    assert told(relay.take([change(1)])) == []
    assert told(relay.renew(frozenset({MINE}))) == [1]


def test_a_page_that_breaks_off_resumes_before_what_was_still_undecided():
    relay = Relay(frozenset({MINE}), 0)
    relay.take([change(5, THEIRS), change(6)])
    assert relay.resume_at == 4
    relay.renew(frozenset({MINE}))
    assert relay.resume_at == 6
