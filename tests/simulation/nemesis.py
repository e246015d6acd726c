"""Faults at random, from the world's seed. Each run has a temper: which faults it has, and how many."""

import gc
import random

from tests.simulation.cluster import Cluster
from tests.simulation.world import Faults


class Nemesis:
    """Does one thing after another to a cluster until it is told to stop."""

    def __init__(self, cluster: Cluster):
        self.cluster = cluster
        self.random = cluster.random
        self.stopped = False
        self.done = []
        deeds = [
            self.start, self.start, self.delete, self.roll, self.restart, self.restart, self.force_delete,
            self.lose_node, self.freeze, self.freeze, self.cut_from_store, self.cut_from_peers,
            self.cut_from_all_but_clients, self.cut_from_api, self.store_outage, self.api_outage,
            self.rough_store, self.rough_network, self.bounce,
        ]  # fmt: skip
        self.deeds = self.random.sample(deeds, self.random.randint(3, len(deeds)))
        self.pause = self.random.choice((0.5, 1.5, 3.0, 6.0))

    def begin(self):
        self.cluster.loop.outside(self.random.expovariate(1 / self.pause), self._next)

    def _next(self):
        if self.stopped:
            return
        deed = self.random.choice(self.deeds)
        uids = [uid for uid in self.cluster.pods if not self.cluster.nodes[uid].process.dead]
        if deed in (self.start, self.store_outage, self.api_outage, self.rough_store, self.rough_network):
            self._note(deed, None)
            deed()
        elif uids:
            uid = self.random.choice(uids)
            self._note(deed, uid)
            deed(uid)
        self.cluster.loop.outside(self.random.expovariate(1 / self.pause), self._next)

    def _note(self, deed, uid):
        self.done.append(f"{self.cluster.loop.now:.3f} {deed.__name__} {uid or ''}")

    def start(self):
        if len(self.cluster.pods) < 6:
            self.cluster.start_pod()

    def delete(self, uid):
        if len(self.cluster.pods) > 1:
            self.cluster.delete_pod(uid)

    def roll(self, uid):
        self.cluster.start_pod()
        self.cluster.loop.outside(self.random.uniform(0, 2), self._delete_later, uid)

    def _delete_later(self, uid):
        if uid in self.cluster.pods and len(self.cluster.pods) > 1 and not self.stopped:
            self.cluster.delete_pod(uid)

    def restart(self, uid):
        self.cluster.restart(uid, self.random.choice((0.05, 0.5, 2.0)))

    def force_delete(self, uid):
        self.cluster.force_delete(uid, self.random.uniform(0, 30))
        self.cluster.start_pod()

    def lose_node(self, uid):
        self.cluster.lose_node(uid, self.random.uniform(0, 10))
        self.cluster.start_pod()

    def freeze(self, uid):
        self.cluster.freeze(uid, self.random.choice((0.3, 3.0, 9.0, 11.0, 16.0)))

    def _seconds(self):
        return self.random.choice((0.5, 3.0, 8.0, 14.0))

    def cut_from_store(self, uid):
        self.cluster.separate([self.cluster.nodes[uid].process.name], ["store"], self._seconds())

    def cut_from_api(self, uid):
        self.cluster.separate([self.cluster.nodes[uid].process.name], ["api"], self._seconds())

    def cut_from_peers(self, uid):
        peers = [node.process.name for node in self.cluster.nodes.values()]
        self.cluster.separate([self.cluster.nodes[uid].process.name], peers, self._seconds())

    def cut_from_all_but_clients(self, uid):
        """The old owner goes on serving those who reach it, and learns nothing."""
        peers = [node.process.name for node in self.cluster.nodes.values()]
        self.cluster.separate(
            [self.cluster.nodes[uid].process.name], [*peers, "store", "api"], self._seconds()
        )
        if self.random.random() < 0.5:
            self.cluster.force_delete(uid, self.random.uniform(5, 30))
            self.cluster.start_pod()

    def bounce(self, uid):
        """Slots go to another pod and come back while their owner sleeps."""
        self.cluster.freeze(uid, self.random.choice((2.0, 9.0, 14.0)))
        guest = self.cluster.start_pod()
        self.cluster.loop.outside(self.random.uniform(0.5, 13), self._delete_later, guest)

    def store_outage(self):
        self._for_a_while("store_down", True, self._seconds())

    def api_outage(self):
        self._for_a_while("api_down", True, self._seconds())

    def rough_store(self):
        seconds = self._seconds()
        for name, value in (
            ("busy", 0.1),
            ("spurious", 0.1),
            ("lost_reply", 0.15),
            ("late_write", 0.15),
            ("slow", 1.5),
        ):
            if self.random.random() < 0.5:
                self._for_a_while(name, value, seconds)

    def rough_network(self):
        seconds = self._seconds()
        for name, value in (
            ("late_message", 0.1),
            ("lost_message", 0.05),
            ("api_lag", 3.0),
            ("lost_events", 0.5),
        ):
            if self.random.random() < 0.5:
                self._for_a_while(name, value, seconds)

    def _for_a_while(self, name, value, seconds):
        faults = self.cluster.faults
        setattr(faults, name, value)
        self.cluster.loop.outside(seconds, setattr, faults, name, getattr(Faults(), name))


def run_seed(seed, *, parts=None, length=30.0, keep=None):
    """One run: a cluster, its clients, random faults for ``length`` seconds, then peace, and a verdict."""
    random.seed(seed)  # pauses in the program itself
    gc.disable()  # a third of the time, for nothing that could be freed
    try:
        return _run(seed, parts, length, keep)
    finally:
        gc.enable()


def _run(seed, parts, length, keep):
    cluster = Cluster(seed, parts=parts)
    if keep is not None:
        keep.append(cluster)
    cluster.nemesis = nemesis = Nemesis(cluster)
    for _ in range(cluster.random.randint(1, 4)):
        cluster.start_pod()
    cluster.run(cluster.random.choice((0.5, 4.0)))
    nemesis.begin()
    cluster.run(length)
    nemesis.stopped = True
    cluster.finish()
    return cluster
