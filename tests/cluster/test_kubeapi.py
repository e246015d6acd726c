"""The API server double answers as a real server did: its answers beside the recordings."""

import json
import os
import ssl
from pathlib import Path

import aiohttp
import pytest

from tests.tools import kubepods
from tests.tools.kubeaccount import USER, role_manifest
from tests.tools.kubeapi import KubeApi

RECORDINGS = Path(os.environ.get("HSDS_TEST_KUBE") or Path(__file__).parents[3] / "shared" / "kube")
PODS = "/api/v1/namespaces/t/pods"


@pytest.fixture(scope="module")
def recordings():
    if not RECORDINGS.is_dir():
        pytest.skip("HSDS_TEST_KUBE names no folder with recordings of a real API server")
    return RECORDINGS


def recorded(path):
    """Status, headers and body of a recording."""
    head, _, body = path.read_text().replace("\r", "").partition("\n\n")
    first, *lines = head.split("\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(first.split()[1]), headers, json.loads(body)


@pytest.fixture
async def api(authority, tmp_path):
    async with KubeApi(authority) as api:
        api.access.let_watch(tmp_path, "good")
        yield api


@pytest.fixture
async def ask(api, authority):
    """Ask the double: status, headers and text of the answer, the text of a stream up to a line or more."""
    context = ssl.create_default_context(cafile=authority.ca)
    async with aiohttp.ClientSession(f"https://127.0.0.1:{api.port}") as session:

        async def ask(token="good", lines=None, **query):
            headers = {"Authorization": f"Bearer {token}"}
            async with session.get(PODS, params=query, headers=headers, ssl=context) as response:
                if lines is None:
                    return response.status, response.headers, await response.text()
                text = [await response.content.readline() for _ in range(lines)]
                return response.status, response.headers, b"".join(text).decode()

        yield ask


def structure(value):
    """The keys of JSON at all depths, without what they hold."""
    if isinstance(value, dict):
        return {key: structure(item) for key, item in value.items()}
    return [structure(value[0])] if isinstance(value, list) and value else type(value).__name__


async def test_refusals(ask, api, recordings):
    for name, token in (("unauthorized-401.txt", "bad"), ("forbidden-403.txt", "norole")):
        api.access.users["norole"] = "system:serviceaccount:t:norole"
        status, headers, body = recorded(recordings / name)
        got_status, got_headers, text = await ask(token)
        assert (got_status, json.loads(text)) == (status, body)
        assert got_headers["Content-Type"].partition(";")[0] == headers["content-type"]


async def test_a_forgotten_version(ask, api, recordings):
    status, _, body = recorded(recordings / "gone-410.txt")
    api.version = 2
    api.forget()
    got, _, text = await ask(watch="true", resourceVersion="1")
    assert (got, json.loads(text)) == (status, body)


async def test_a_listing(ask, api, recordings):
    api.run("10.244.0.8", labels={"app": "hsds", "hsds.role": "dn", "pod-template-hash": "5bfc75946c"})
    _, _, listing = recorded(recordings / "list-1.txt")
    _, _, text = await ask(labelSelector="app=hsds")
    mine, (theirs,) = json.loads(text), listing["items"]
    (pod,) = mine.pop("items")
    assert structure(mine) == structure({k: v for k, v in listing.items() if k != "items"})
    assert_contained(structure(pod), structure(theirs), ("ownerReferences", "managedFields", "state"))
    assert "remainingItemCount" not in recorded(recordings / "list-limit.txt")[2]["metadata"]


def assert_contained(mine, theirs, besides):
    """All that the double says is said by a real server too, in the same form."""
    if isinstance(mine, dict):
        for key in mine.keys() - set(besides):
            assert key in theirs, key
            assert_contained(mine[key], theirs[key], besides)
    elif isinstance(mine, list):
        assert_contained(mine[0], theirs[0], besides)
    else:
        assert mine == theirs


def stage(event):
    """What of an event says where its pod is in its life."""
    pod = event["object"]
    meta, status = pod["metadata"], pod.get("status") or {}
    (container,) = status.get("containerStatuses") or [None]
    return (
        event["type"],
        status.get("phase"),
        "podIP" in status,
        pod["spec"].get("nodeName") is not None,
        {item["type"]: item["status"] for item in status.get("conditions", ())},
        container and (container["ready"], container["started"], *container["state"]),
        "deletionTimestamp" in meta,
        (meta.get("deletionGracePeriodSeconds") or 0) > 0,
    )


async def test_the_life_of_a_pod(ask, api, recordings):
    events = [json.loads(line) for line in (recordings / "watch-scale.jsonl").read_text().splitlines()]
    lives = {}
    for event in events[:-1]:
        lives.setdefault(event["object"]["metadata"]["uid"], []).append(stage(event))
    start = api.version
    gentle = api.run("10.0.0.1")
    api.terminate(gentle)
    api.finish(gentle)
    hard = api.run("10.0.0.2")
    api.force_delete(hard)
    _, _, text = await ask(lines=api.version - start, watch="true", resourceVersion=str(start))
    mine = {}
    for line in text.splitlines():
        event = json.loads(line)
        mine.setdefault(event["object"]["metadata"]["uid"], []).append(stage(event))
    seen = [without_unready(life) for life in lives.values()]
    assert without_unready(mine[gentle]) in seen
    assert without_unready(mine[hard]) in seen


def without_unready(stages):
    """The kubelet may see a pod run and be ready in one look; the double shows two."""
    return [one for one in stages if not (one[1] == "Running" and one[4]["Ready"] == "False")]


async def test_bookmarks(ask, api, recordings):
    (line,) = (recordings / "watch-scale.jsonl").read_text().splitlines()[-1:]
    api.bookmarks = 0.05
    _, _, text = await ask(
        lines=1, watch="true", allowWatchBookmarks="true", resourceVersion=str(api.version)
    )
    mine, theirs = json.loads(text), json.loads(line)
    assert structure(mine) == structure(theirs)
    assert mine["type"] == "BOOKMARK"


async def test_pages_are_of_one_version(ask, api):
    uids = [api.run(f"10.0.0.{n}") for n in range(1, 6)]
    first = json.loads((await ask(limit="2"))[2])
    api.force_delete(uids[4])
    rest = json.loads((await ask(limit="2", **{"continue": first["metadata"]["continue"]}))[2])
    last = json.loads((await ask(limit="2", **{"continue": rest["metadata"]["continue"]}))[2])
    pages = [first, rest, last]
    assert [len(page["items"]) for page in pages] == [2, 2, 1]
    assert len({page["metadata"]["resourceVersion"] for page in pages}) == 1
    assert "continue" not in last["metadata"]
    status, _, _ = await ask(**{"continue": "forgotten"})
    assert status == 410


async def test_labels_and_namespaces_select(ask, api):
    api.run("10.0.0.1")
    api.run("10.0.0.2", namespace="other")
    api.run("10.0.0.3", labels={"app": "else"})
    listing = json.loads((await ask(labelSelector="app=hsds"))[2])
    assert [pod["status"]["podIP"] for pod in listing["items"]] == ["10.0.0.1"]


async def test_rules_are_enforced_verb_by_verb(ask, api, tmp_path):
    api.access.bind(role_manifest(tmp_path, "list"), name="hsds", user=USER, namespace="t")
    assert (await ask())[0] == 200
    status, _, text = await ask(watch="true")
    assert status == 403
    assert "cannot watch resource" in text
    assert api.access.used == {("list", "pods")}


def test_a_restart_in_place_keeps_uid_and_address():
    pod = kubepods.ready(kubepods.running(kubepods.new_pod(namespace="t", labels={}), "10.0.0.1"))
    again = kubepods.restarted(pod)
    assert again["metadata"]["uid"] == pod["metadata"]["uid"]
    assert again["status"]["podIP"] == "10.0.0.1"
    assert again["status"]["containerStatuses"][0]["restartCount"] == 1
