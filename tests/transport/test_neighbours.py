"""Nodes of neighbouring releases: what one has and the other does not know."""

import asyncio
from dataclasses import dataclass

import pytest

from hsds.errors import NotSupported
from hsds.transport import frames
from hsds.transport.fieldcodecs import record
from hsds.transport.frames import Frame, FrameReader, WrongVersion
from hsds.transport.sides import Incoming, Outgoing, SpecShelf


@dataclass(frozen=True)
class Old:
    bucket: str
    limit: int = 0


@dataclass(frozen=True)
class New:
    bucket: str
    limit: int = 0
    hint: str = ""


def across(value, kind, *, strict):
    """``value`` as a node reads it that knows a ``kind``; operations are ``strict``, results are not."""
    shelf = SpecShelf()
    sent = record(type(value), strict=strict).put(value, Outgoing(shelf))
    return record(kind, strict=strict).get(sent, Incoming(shelf, ()))


@pytest.mark.parametrize("strict", [True, False])
def test_what_is_new_is_not_sent_unless_it_is_used(strict):
    assert across(New("b", 3), Old, strict=strict) == Old("b", 3)


@pytest.mark.parametrize("strict", [True, False])
def test_what_is_missing_has_its_default(strict):
    assert across(Old("b", 3), New, strict=strict) == New("b", 3, "")


def test_an_operation_that_would_be_done_otherwise_is_refused_by_name():
    with pytest.raises(NotSupported, match="Old has no hint here"):
        across(New("b", hint="x"), Old, strict=True)


def test_a_result_may_tell_more_than_is_understood():
    assert across(New("b", hint="x"), Old, strict=False) == Old("b")


def read(frame):
    pieces = [b"".join(bytes(part) for part in frame.parts()), b""]

    async def next_piece():
        return pieces.pop(0)

    return asyncio.run(FrameReader(next_piece, limit=1000).head())


def test_a_later_release_understands_the_frames_of_this_one(monkeypatch):
    frame = Frame(b"{}")
    monkeypatch.setattr(frames, "VERSION", frames.VERSION + 1)
    assert read(frame) == b"{}"


def test_a_form_that_is_not_known_is_refused_by_its_number():
    with pytest.raises(WrongVersion, match=r"protocol version 2 is not spoken here, 1 to 1 are"):
        read(Frame(b"{}", version=2))


def test_a_form_that_is_known_no_more_is_refused_by_its_number(monkeypatch):
    monkeypatch.setattr(frames, "VERSION", 3)
    monkeypatch.setattr(frames, "OLDEST", 2)
    with pytest.raises(WrongVersion, match=r"protocol version 1 is not spoken here, 2 to 3 are"):
        read(Frame(b"{}", version=1))
