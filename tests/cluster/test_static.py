"""Data nodes from the configuration."""

import pytest

from hsds.cluster.static import StaticDiscovery, member_of_url
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


async def test_all_are_there_always():
    discovery = StaticDiscovery(["http://10.0.0.1:6101", "http://10.0.0.2:6101"], clock=lambda: 5.0)
    presence = await discovery.list()
    assert presence.started == 5.0
    assert sorted(presence.members) == ["static-10.0.0.1-6101", "static-10.0.0.2-6101"]
    assert discovery.hint() == presence.members.keys()


@pytest.mark.parametrize("urls", [[], ["http://a:1", "http://a:1"]])
def test_none_or_one_twice_prevent_the_start(urls):
    with pytest.raises(InvalidSettings, match="dn_urls"):
        StaticDiscovery(urls, clock=lambda: 0.0)
