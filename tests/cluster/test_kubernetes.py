"""Discovery through the double of an API server: news, all its ways to fail, and rotating credentials."""

import asyncio
import logging
import subprocess
import sys
import time
from contextlib import asynccontextmanager, suppress

import pytest

from hsds.errors import InvalidSettings, Unavailable
from tests.tools import kubepods
from tests.tools.kubeaccount import USER, Authority, ServiceAccountFolder, pod_environment, role_manifest
from tests.tools.kubeapi import KubeApi

kubernetes = pytest.importorskip("hsds.cluster.kubernetes", reason="the extra kubernetes is not installed")
FAST = kubernetes.WatchTiming(silence=0.4, relist=30, answer=1.0, first_pause=0.02, longest_pause=0.2)


@pytest.fixture
async def api(authority, tmp_path):
    async with KubeApi(authority) as api:
        api.access.let_watch(tmp_path, "token-1")
        yield api


@pytest.fixture
def account(authority, tmp_path):
    return ServiceAccountFolder(tmp_path / "account", namespace="t", token="token-1", ca=authority.ca)


@asynccontextmanager
async def discovering(api, account, *, timing=FAST, run=True, **arguments):
    arguments = {"selector": "app=hsds", "namespace": None} | arguments
    discovery = kubernetes.KubernetesDiscovery(
        environ=pod_environment(api.port),
        folder=account.folder,
        clock=time.monotonic,
        timing=timing,
        **arguments,
    )
    task = asyncio.create_task(discovery.run()) if run else None
    try:
        yield discovery
    finally:
        if task is not None:
            assert not task.done(), "the loop ends for nothing"
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await discovery.close()


@pytest.fixture
async def discovery(api, account):
    async with discovering(api, account) as discovery:
        yield discovery


async def until(condition, seconds=5.0):
    """Wait for it; how long that took."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, "it does not come true"
        await asyncio.sleep(0.005)
    return time.monotonic() - started


async def shows(discovery, *uids, seconds=5.0):
    return await until(lambda: discovery.hint() == set(uids), seconds)


# -- news --------------------------------------------------------------------------------------------


async def test_pods_come_and_go(api, discovery):
    await shows(discovery)
    changes = []
    discovery.on_hint(lambda: changes.append(discovery.hint()))
    uid = api.create()
    for stage in (kubepods.scheduled, kubepods.starting):
        api.change(uid, stage)
    await asyncio.sleep(0.1)
    assert changes == [], "a pod without an IP is not there yet"
    api.change(uid, kubepods.running, "10.0.0.1")
    assert await shows(discovery, uid) < 0.5
    api.change(uid, kubepods.ready)
    api.terminate(uid)
    assert await shows(discovery) < 0.5
    api.finish(uid)
    await asyncio.sleep(0.1)
    assert changes == [{uid}, frozenset()], "each uid comes once and goes once"


async def test_a_force_deleted_pod_is_gone_at_once(api, discovery):
    uid = api.run("10.0.0.1")
    await shows(discovery, uid)
    api.force_delete(uid)
    assert await shows(discovery) < 0.5


async def test_a_list_is_complete_and_says_when_it_was_asked_for(api, account):
    uids = {api.run(f"10.0.0.{n}", port=7000 + n) for n in range(1, 8)}
    api.run("10.0.1.1", labels={"app": "other"})
    api.run("10.0.1.2", port_name="http")
    api.run("10.0.1.3", namespace="other")
    async with discovering(api, account, run=False, page=3) as discovery:
        assert discovery.hint() is None
        before = time.monotonic()
        presence = await discovery.list()
        assert before <= presence.started <= time.monotonic()
        assert set(presence.members) == uids
        assert {m.port - 7000 for m in presence.members.values()} == set(range(1, 8))
        assert all(m.address == f"10.0.0.{m.port - 7000}" for m in presence.members.values())
        assert discovery.hint() == uids
    assert api.count("list") == 3


async def test_a_page_of_a_forgotten_version_is_no_answer(api, account):
    for n in range(1, 4):
        api.run(f"10.0.0.{n}")
    async with discovering(api, account, run=False, page=2) as discovery:
        api.forgets_pages = True
        with pytest.raises(Unavailable, match="has forgotten the version"):
            await discovery.list()
        assert discovery.hint() is None
        api.forgets_pages = False
        assert len((await discovery.list()).members) == 3


async def test_the_namespace_can_be_named(api, account):
    api.access.grant(USER, "other", [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]}])
    uid = api.run("10.0.0.1", namespace="other")
    async with discovering(api, account, namespace="other") as discovery:
        await shows(discovery, uid)


async def test_why_a_pod_is_not_shown(api, account):
    uid = api.run("10.0.0.1", labels={"app": "other"})
    name = api.pods[uid]["metadata"]["name"]
    async with discovering(api, account, run=False) as discovery:
        assert await discovery.why_unseen(name, uid) == (
            f"pod {name} is not among those labelled app=hsds: its labels are app=other"
        )
        told = await discovery.why_unseen("gone", uid)
        assert told.endswith("the API server knows no pod of that name in this namespace")
        assert api.access.used == {("get", "pods")}
        api.access.grant(USER, "t", [])
        with pytest.raises(Unavailable, match="does not let this pod get pods in namespace t"):
            await discovery.why_unseen(name, uid)


async def test_a_quiet_cluster_costs_little(api, account):
    api.bookmarks = 0.1
    async with discovering(api, account):
        await until(lambda: api.count("watch") == 1)
        await asyncio.sleep(1.0)
        assert (api.count("list"), api.count("watch")) == (1, 1), "bookmarks keep a stream alive"
        assert api.access.used == {("list", "pods"), ("watch", "pods")}


async def test_there_is_a_list_now_and_then_whatever_the_stream_says(api, account):
    timing = kubernetes.WatchTiming(silence=5, relist=0.3, first_pause=0.02)
    async with discovering(api, account, timing=timing):
        await until(lambda: api.count("list") >= 4)


# -- streams and versions ----------------------------------------------------------------------------


async def test_a_closed_stream_ends_in_a_new_list(api, discovery):
    await until(lambda: api.count("watch") == 1)
    for n in range(1, 4):
        api.close_streams()
        uid = api.run(f"10.0.0.{n}")
        await until(lambda uid=uid: uid in discovery.hint())
    assert api.count("list") >= 2
    assert len(discovery.hint()) == 3


async def test_a_silent_stream_is_given_up_and_goes_on_where_it_was(api, discovery):
    await until(lambda: api.count("watch") == 1)
    for n in range(1, 4):
        api.mute_streams()
        uid = api.run(f"10.0.0.{n}")
        assert await until(lambda uid=uid: uid in discovery.hint()) < FAST.silence + 0.5
    assert api.count("list") == 1, "nothing was missed, and nothing had to be listed"
    assert discovery.watch.problem is None


async def test_a_server_that_falls_silent_altogether(api, discovery):
    await until(lambda: api.count("watch") == 1)
    api.silent = True
    uid = api.run("10.0.0.1")
    await until(lambda: discovery.watch.problem is not None)
    api.silent = False
    await shows(discovery, uid)


@pytest.mark.parametrize("by_status", [False, True])
async def test_a_forgotten_version(api, discovery, by_status, caplog):
    api.http_410 = by_status
    await until(lambda: api.count("watch") == 1)
    for n in range(1, 4):  # a second 410 after the first, and a third
        api.silent = True
        uid = api.run(f"10.0.0.{n}")
        api.forget()
        await asyncio.sleep(FAST.silence + 0.1)
        api.silent = False
        await until(lambda uid=uid: uid in discovery.hint())
    await until(lambda: discovery.watch.problem is None)


async def test_what_happened_while_the_stream_was_down_is_seen(api, discovery):
    gone, stays = api.run("10.0.0.1"), api.run("10.0.0.2")
    await shows(discovery, gone, stays)
    await api.stop()
    api.force_delete(gone)
    new = api.run("10.0.0.3")
    api.forget()
    await api.start()
    await shows(discovery, stays, new)


# -- outages -----------------------------------------------------------------------------------------


async def test_an_api_server_that_is_gone_changes_nothing_until_it_is_back(api, discovery, caplog):
    caplog.set_level(logging.INFO)
    uid = api.run("10.0.0.1")
    await shows(discovery, uid)
    await api.stop()
    await until(lambda: discovery.watch.problem is not None)
    with pytest.raises(Unavailable, match="the API server is not reached"):
        await discovery.list()
    await asyncio.sleep(0.5)
    assert discovery.hint() == {uid}
    await api.start()
    await until(lambda: discovery.watch.problem is None)
    new = api.run("10.0.0.2")
    await shows(discovery, uid, new)
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("hsds")]
    assert 1 <= sum("not reached" in line for line in lines) <= 3, "an outage is told, not chanted"
    assert sum("answers again" in line for line in lines) == 1


async def test_an_api_server_that_is_gone_at_the_start(authority, account, tmp_path):
    api = KubeApi(authority)
    await api.start()
    await api.stop()
    api.access.users["token-1"] = USER
    api.access.bind(role_manifest(tmp_path, "list", "watch"), name="hsds", user=USER, namespace="t")
    async with discovering(api, account) as discovery:
        await until(lambda: discovery.watch.problem is not None)
        assert discovery.hint() is None
        await api.start()
        await shows(discovery)
    await api.stop()


async def test_an_api_server_that_does_not_answer(api, account):
    api.silent = True
    async with discovering(api, account) as discovery:
        with pytest.raises(Unavailable, match="does not answer to list pods in time"):
            await discovery.list()
        api.silent = False
        await shows(discovery)


async def test_errors_of_the_server_are_waited_out(api, account):
    api.failures = [(500, {}), (503, {}), (429, {"Retry-After": "1"}), (504, {})]
    uid = api.run("10.0.0.1")
    async with discovering(api, account) as discovery:
        await shows(discovery, uid)
    verbs = [verb for verb, _ in api.requests]
    assert verbs[:5] == ["list"] * 5


async def test_the_server_says_how_long_to_wait(api, account):
    api.failures = [(429, {"Retry-After": "1"})]
    timing = kubernetes.WatchTiming(first_pause=0.01, longest_pause=5.0)
    async with discovering(api, account, timing=timing) as discovery:
        assert await shows(discovery) > 0.9
        await until(lambda: api.count("watch") == 1)
        api.failures = [(429, {"Retry-After": "7"})]
        with pytest.raises(Unavailable, match="answers 429") as caught:
            await discovery.list()
        assert caught.value.retry_after == 7.0


async def test_a_server_that_ends_every_stream_at_once_is_not_hammered(api, discovery):
    await until(lambda: api.count("watch") == 1)
    deadline = time.monotonic() + 1.0
    before = api.count("list")
    while time.monotonic() < deadline:
        api.close_streams()
        await asyncio.sleep(0.005)
    assert api.count("list") - before < 25


# -- who we are --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("verbs", "missing"), [((), "list"), (("list",), "watch")])
async def test_a_missing_rule_is_named_and_its_coming_is_noticed(api, account, tmp_path, verbs, missing):
    api.access.grant(USER, "t", [{"apiGroups": [""], "resources": ["pods"], "verbs": list(verbs)}])
    async with discovering(api, account) as discovery:
        await until(lambda: discovery.watch.problem is not None)
        problem = discovery.watch.problem
        assert f"does not let this pod {missing} pods in namespace t" in problem
        assert 'a Role with apiGroups [""], resources [pods], verbs [get, list, watch]' in problem
        assert f'"{USER}" cannot {missing} resource "pods"' in problem
        api.access.bind(
            role_manifest(tmp_path, "get", "list", "watch"), name="hsds", user=USER, namespace="t"
        )
        uid = api.run("10.0.0.1")
        await shows(discovery, uid)
        await until(lambda: discovery.watch.problem is None)


async def test_tokens_rotate(api, account, discovery):
    uid = api.run("10.0.0.1")
    await shows(discovery, uid)
    for n in range(2, 4):
        api.access.users = {f"token-{n}": USER}
        with pytest.raises(Unavailable, match="does not take the token of this pod"):
            await discovery.list()
        account.replace(token=f"token-{n}\n")
        assert set((await discovery.list()).members) == {uid}
    api.close_streams()
    new = api.run("10.0.0.2")
    await shows(discovery, uid, new)


async def test_the_authority_rotates(api, account, discovery, tmp_path):
    uid = api.run("10.0.0.1")
    await shows(discovery, uid)
    other = Authority(tmp_path / "other")
    api.present(other)
    await api.stop()
    await api.start()
    with pytest.raises(Unavailable, match="certificate"):
        await discovery.list()
    account.replace(ca=other.ca)
    assert set((await discovery.list()).members) == {uid}
    await until(lambda: discovery.watch.problem is None)


async def test_an_unknown_authority_is_not_trusted(api, account, tmp_path):
    account.replace(ca=Authority(tmp_path / "other").ca)
    async with discovering(api, account, run=False) as discovery:
        with pytest.raises(Unavailable, match="certificate"):
            await discovery.list()
    assert api.requests == []


async def test_outside_of_a_cluster(tmp_path, account):
    def make(environ, folder):
        return kubernetes.KubernetesDiscovery(
            selector="app=hsds", namespace=None, environ=environ, folder=folder, clock=time.monotonic
        )

    with pytest.raises(InvalidSettings, match="needs the service account of a pod"):
        make({}, account.folder)
    with pytest.raises(InvalidSettings, match="needs the service account of a pod"):
        make(pod_environment(1), tmp_path / "missing")


def test_the_library_is_imported_only_when_it_is_asked_for():
    look = "import sys, hsds.cli, hsds.datanode.app; sys.exit('kubernetes_asyncio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0


async def test_nothing_secret_is_shown(api, account, discovery, caplog):
    caplog.set_level(logging.DEBUG)
    api.access.users = {}
    with pytest.raises(Unavailable) as caught:
        await discovery.list()
    shown = " ".join([repr(discovery), str(caught.value), *(r.getMessage() for r in caplog.records)])
    assert "token-1" not in shown
