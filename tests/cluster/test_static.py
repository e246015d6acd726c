"""Data nodes from the configuration."""

import asyncio

import pytest

from hsds.cluster import static
from hsds.cluster.static import StaticDiscovery, answers, member_of_url
from hsds.cluster.view import Member
from hsds.errors import InvalidSettings


def test_urls():
    assert member_of_url("http://10.0.0.1:6101") == Member("static-10.0.0.1-6101", "10.0.0.1", 6101)
    assert member_of_url("http://[fd00::1]:6101/") == Member("static-fd00::1-6101", "fd00::1", 6101)
    assert member_of_url("http+unix://%2Frun%2Fdn.sock") == Member("static-/run/dn.sock", "/run/dn.sock", 0)


@pytest.mark.parametrize(
    "url", ["", "10.0.0.1:6101", "http://10.0.0.1", "https://x:1", "http://x:y", "http://x:1/path"]
)
def test_what_is_no_url_is_named(url):
    with pytest.raises(InvalidSettings, match=r"dn_urls: .* is not like http://10\.0\.0\.1:6101"):
        member_of_url(url)


URLS = ("http://10.0.0.1:6101", "http://10.0.0.2:6101")
FIRST, SECOND = (member_of_url(url).uid for url in URLS)


async def test_those_are_there_that_answer(monkeypatch):
    monkeypatch.setattr(static, "_EVERY", 0.001)
    silent, told = set(), asyncio.Event()

    async def reach(member, within):
        assert within == 0.5
        return member.uid not in silent

    discovery = StaticDiscovery(URLS, clock=lambda: 5.0, within=0.5, reach=reach)
    discovery.on_hint(told.set)
    assert discovery.hint() == {FIRST, SECOND}, "as long as nothing else is known"
    presence = await discovery.list()
    assert presence.started == 5.0
    assert presence.members.keys() == {FIRST, SECOND}
    running = asyncio.create_task(discovery.run())
    silent.add(SECOND)
    await asyncio.wait_for(told.wait(), 10)
    assert discovery.hint() == {FIRST}
    assert (await discovery.list()).members.keys() == {FIRST}
    told.clear()
    silent.clear()
    await asyncio.wait_for(told.wait(), 10)
    assert discovery.hint() == {FIRST, SECOND}
    running.cancel()


@pytest.mark.parametrize(
    ("answer", "lives"), [(b"HTTP/1.1 200 OK\r\n", True), (b"HTTP/1.0 503 no\r\n", False)]
)
async def test_a_process_answers(tmp_path, answer, lives):
    async def served(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    path = str(tmp_path / "socket")
    async with (
        await asyncio.start_unix_server(served, path),
        await asyncio.start_server(served, "127.0.0.1", 0) as tcp,
    ):
        port = tcp.sockets[0].getsockname()[1]
        assert await answers(Member("u", path, 0), 10) is lives
        assert await answers(Member("u", "127.0.0.1", port), 10) is lives
    assert not await answers(Member("u", path, 0), 10)
    assert not await answers(Member("u", "127.0.0.1", port), 10)


async def test_a_frozen_process_does_not_answer(tmp_path):
    path = str(tmp_path / "socket")
    async with await asyncio.start_unix_server(lambda *_: None, path):
        assert not await answers(Member("u", path, 0), 0.05)


@pytest.mark.parametrize("urls", [[], ["http://a:1", "http://a:1"]])
def test_none_or_one_twice_prevent_the_start(urls):
    with pytest.raises(InvalidSettings, match="dn_urls"):
        StaticDiscovery(urls, clock=lambda: 0.0)
