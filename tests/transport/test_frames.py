"""Frames are read as they were written, however they arrive; anything else is refused by name."""

import asyncio

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsds.transport.frames import SMALL, BadFrame, Frame, FrameReader, WrongVersion, whole_frame


def feed(data, sizes=()):
    """``read`` of a body that arrives in pieces of these sizes, then all at once."""
    pieces, at = [], 0
    for size in sizes:
        pieces.append(data[at : at + size])
        at += size
    pieces = [piece for piece in (*pieces, data[at:]) if piece]

    async def read():
        return pieces.pop(0) if pieces else b""

    return read


def joined(frame):
    return b"".join(frame.parts())


def read_whole(data, limit=1 << 40):
    head, buffers = whole_frame(data, limit=limit)
    return bytes(head), [bytes(buffer) for buffer in buffers]


async def read_all(data, sizes=(), limit=1 << 40, places=None):
    reader = FrameReader(feed(data, sizes), limit=limit)
    head = await reader.head()
    return bytes(head), [bytes(buffer) for buffer in await reader.buffers(places)]


@given(st.binary(max_size=200), st.lists(st.binary(max_size=300), max_size=6), st.lists(st.integers(1, 90)))
def test_round_trip(head, buffers, sizes):
    frame = Frame(head, buffers)
    data = joined(frame)
    assert len(data) == frame.nbytes
    assert asyncio.run(read_all(data, sizes)) == (head, buffers)
    assert read_whole(data) == (head, buffers)


@given(st.binary(max_size=50), st.lists(st.binary(max_size=50), max_size=3), st.data())
def test_whatever_is_cut_off_or_added_is_refused(head, buffers, data):
    whole = joined(Frame(head, buffers))
    length = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(BadFrame, match="ends before"):
        asyncio.run(read_all(whole[:length]))
    with pytest.raises(BadFrame, match="goes on"):
        asyncio.run(read_all(whole + b"x"))


@settings(deadline=None)
@given(st.binary(min_size=16, max_size=100))
def test_noise_is_refused(noise):
    with pytest.raises((BadFrame, WrongVersion)):
        asyncio.run(read_all(noise))
    with pytest.raises((BadFrame, WrongVersion)):
        read_whole(noise)


def outcome(read, *arguments):
    try:
        return read(*arguments)
    except (BadFrame, WrongVersion) as error:
        return type(error), str(error)


@settings(deadline=None)
@given(st.binary(max_size=50), st.lists(st.binary(max_size=50), max_size=3), st.integers(30, 200), st.data())
def test_what_comes_whole_is_taken_or_refused_as_what_comes_in_pieces(head, buffers, limit, data):
    frame = bytearray(joined(Frame(head, buffers)))
    for _ in range(data.draw(st.integers(0, 2))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    frame = bytes(frame[: data.draw(st.integers(0, len(frame)))]) + data.draw(st.binary(max_size=3))

    def in_pieces(frame, limit):
        return asyncio.run(read_all(frame, limit=limit))

    assert outcome(read_whole, frame, limit) == outcome(in_pieces, frame, limit)


def test_other_versions_are_refused_by_number():
    with pytest.raises(WrongVersion, match="version 7 is not spoken here, 1 to 1 are"):
        asyncio.run(read_all(joined(Frame(b"{}", version=7))))


def test_a_frame_over_the_limit_is_refused_before_it_is_read():
    data = joined(Frame(b"{}", [bytes(1000)]))
    with pytest.raises(BadFrame, match=r"1026 bytes, 1000 are allowed"):
        asyncio.run(read_all(data, limit=1000))
    huge = data[:16] + (1 << 60).to_bytes(8, "big") + data[24:]
    with pytest.raises(BadFrame, match="are allowed"):
        asyncio.run(read_all(huge))


def test_large_buffers_are_sent_as_they_are_and_placed_where_they_belong():
    values = np.arange(SMALL, dtype="<i4")
    frame = Frame(b"{}", [b"abc", values.data])
    assert any(np.shares_memory(np.frombuffer(part, np.uint8), values) for part in frame.parts())
    out = np.zeros_like(values)
    places = {1: out.view(np.uint8).data}
    assert asyncio.run(read_all(joined(frame), [5, 40, 7777, 1], places=places))[1][0] == b"abc"
    assert np.array_equal(out, values)
    with pytest.raises(BadFrame, match="bytes where"):
        asyncio.run(read_all(joined(frame), places={0: out.view(np.uint8).data}))


def test_what_arrives_whole_is_not_copied():
    data = joined(Frame(b"{}", [b"abc" * 100]))

    async def run():
        reader = FrameReader(feed(data), limit=1 << 20)
        await reader.head()
        (buffer,) = await reader.buffers()
        assert buffer.obj is data

    asyncio.run(run())
