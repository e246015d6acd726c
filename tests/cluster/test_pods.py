"""Who is there, from listings and events in any order."""

import random

import pytest

from hsds.cluster.pods import Roster, Sign, member_of, port_of, sign_of, why_unseen
from hsds.cluster.view import Member
from tests.tools import kubepods


def pod_at(stage, **arguments):
    pod = kubepods.new_pod(namespace="t", labels={}, **arguments)
    stages = [
        lambda p: p,
        kubepods.scheduled,
        kubepods.starting,
        lambda p: kubepods.running(p, "10.0.0.7", "fd00::7"),
        kubepods.ready,
        kubepods.terminating,
        kubepods.ended,
    ]
    for step in stages[: stage + 1]:
        pod = step(pod)
    return pod


@pytest.mark.parametrize(
    ("stage", "sign"),
    [(0, Sign.COMING), (1, Sign.COMING), (2, Sign.COMING), (3, Sign.PRESENT), (4, Sign.PRESENT),
     (5, Sign.GONE), (6, Sign.GONE)],
)  # fmt: skip
def test_present_is_running_with_an_ip_and_not_terminating(stage, sign):
    assert sign_of(pod_at(stage)) is sign


@pytest.mark.parametrize("pod", [{}, {"metadata": {}, "status": None}, {"status": {"phase": "Unknown"}}])
def test_what_says_nothing_is_coming(pod):
    assert sign_of(pod) is Sign.COMING
    assert port_of(pod) is None


def test_the_member_has_the_primary_ip_and_the_named_port():
    pod = pod_at(4, port=7007)
    assert member_of(pod) == Member(pod["metadata"]["uid"], "10.0.0.7", 7007)
    assert member_of(pod_at(4, port_name="http")) is None
    pod["spec"]["containers"].insert(0, {"name": "sidecar"})
    pod["spec"]["containers"][1]["ports"].insert(0, {"containerPort": 1})
    assert member_of(pod).port == 7007


def test_why_a_data_node_is_not_seen():
    pod = pod_at(4) | {}
    uid = pod["metadata"]["uid"]
    pod["metadata"]["labels"] = {"b": "2", "a": "1"}
    assert why_unseen(pod, uid) == "its labels are a=1,b=2"
    assert why_unseen(None, uid) == "the API server knows no pod of that name in this namespace"
    assert why_unseen(pod, "other") == f"POD_UID is other, but the pod's uid is {uid}"
    nameless = pod_at(4, port_name="http")
    assert why_unseen(nameless, nameless["metadata"]["uid"]) == "no container of it declares a port named dn"
    for stage in (0, 1, 2, 5, 6):  # it will be seen, or will be no more
        early = pod_at(stage)
        assert why_unseen(early, early["metadata"]["uid"]) is None


def test_a_late_event_brings_nobody_back_and_takes_nobody_away():
    roster = Roster()
    pod = pod_at(4)
    uid = pod["metadata"]["uid"]
    roster.event("MODIFIED", pod, now=1)
    roster.event("MODIFIED", kubepods.starting(kubepods.new_pod(namespace="t", labels={}) | pod), now=2)
    assert roster.uids == {uid}
    roster.event("MODIFIED", kubepods.terminating(pod), now=3)
    assert roster.uids == frozenset()
    roster.event("MODIFIED", pod, now=4)
    assert roster.listing([pod], started=5, now=6) == {}
    assert roster.uids == frozenset()
    assert roster.changes == 2


def test_a_force_deleted_pod_leaves_though_it_runs():
    roster, pod = Roster(), pod_at(4)
    roster.event("ADDED", pod, now=1)
    roster.event("DELETED", pod, now=2)
    assert roster.uids == frozenset()


def test_a_listing_removes_who_is_not_in_it_unless_they_came_after_it_was_asked_for():
    roster, old, new = Roster(), pod_at(4), pod_at(4)
    roster.event("ADDED", old, now=1)
    roster.event("ADDED", new, now=12)
    assert roster.listing([], started=10, now=13) == {}
    assert roster.uids == {new["metadata"]["uid"]}
    assert roster.listing([], started=20, now=21) == {}
    assert roster.uids == frozenset()


def test_a_listing_tells_who_was_there_whatever_events_say_later():
    roster = Roster()
    pods = [pod_at(stage) for stage in range(7)]
    there = roster.listing(pods, started=1, now=2)
    assert list(there) == [pod["metadata"]["uid"] for pod in pods[3:5]]
    assert roster.uids == set(there)


@pytest.mark.parametrize("seed", range(30))
def test_each_uid_comes_once_and_goes_once_in_any_order_of_news(seed):
    rng, roster = random.Random(seed), Roster()
    lives = [[pod_at(0)] for _ in range(4)]
    for life in lives:
        for step in (
            kubepods.scheduled,
            kubepods.starting,
            lambda p: kubepods.running(p, "10.0.0.1"),
            kubepods.ready,
            kubepods.terminating,
            kubepods.ended,
        ):
            life.append(step(life[-1]))
    turns = dict.fromkeys((life[0]["metadata"]["uid"] for life in lives), 0)
    before = roster.uids
    for now in range(200):
        if rng.random() < 0.8:
            kind = rng.choice(["ADDED", "MODIFIED", "MODIFIED", "MODIFIED", "DELETED"])
            life = rng.choice(lives)
            roster.event(kind, life[-1] if kind == "DELETED" else rng.choice(life), now=now)
        else:
            listed = [rng.choice(life) for life in rng.sample(lives, rng.randrange(5))]
            roster.listing(listed, started=now - rng.randrange(3), now=now)
        for uid in before ^ roster.uids:
            turns[uid] += 1
        before = roster.uids
    assert all(turn <= 2 for turn in turns.values())
