"""A simulated cluster: starts and ends processes, asserts the invariant, and gives the verdict."""

import gc
import itertools

import orjson

from hsds.cluster.slots import slots_in
from tests.simulation.history import History, Violation
from tests.simulation.nodes import TIMING, ClientProcess, DataNodeProcess, Parts, log_key, pod
from tests.simulation.world import Faults, World


class Cluster(World):
    """A world with data nodes and clients in it."""

    def __init__(self, seed, *, parts=None, paths=4, services=3, **client_options):
        super().__init__(seed)
        self.parts = parts or Parts()
        self.history = History()
        self.numbers = itertools.count(1)
        self.nodes = {}
        """Uid -> the process of the pod that was started last."""
        self.everyone = []
        self.doomed = set()
        """Pods of lost machines that the API still shows."""
        self.paths = [f"/sim/{n}" for n in range(paths)]
        self.clients = [
            ClientProcess(self, f"sn-{n}", self.history, self.paths, **client_options)
            for n in range(services)
        ]

    # -- life and death ---------------------------------------------------------------------------------

    def start_pod(self):
        member = pod(next(self.numbers))
        self.appear(member)
        self.start_process(member)
        return member.uid

    def start_process(self, member):
        node = DataNodeProcess(self, member, self.parts)
        self.nodes[member.uid] = self.hosts[member.address] = node
        self.everyone.append(node)

    def restart(self, uid, after):
        """The container dies and is started in place."""
        node = self.nodes[uid]
        node.process.kill()

        def again():
            if uid in self.pods and self.nodes[uid] is node:
                self.start_process(node.member)

        self.loop.outside(after, again)

    def delete_pod(self, uid):
        """As ``kubectl delete pod`` does."""
        self.vanish(uid)
        node = self.nodes[uid]
        self.loop.outside(self.random.uniform(0, 0.2), node.terminate)
        self.loop.outside(15, node.process.kill)

    def force_delete(self, uid, lives_on):
        """The API forgets the pod at once; its process does not know."""
        self.vanish(uid)
        self.loop.outside(lives_on, self.nodes[uid].process.kill)

    def lose_node(self, uid, shown):
        """The machine is gone; the API shows the pod for a while yet."""
        self.nodes[uid].process.kill()
        self.doomed.add(uid)
        self.loop.outside(shown, self.vanish, uid)

    def freeze(self, uid, seconds):
        process = self.nodes[uid].process
        process.freeze()
        self.loop.outside(seconds, process.thaw)

    def separate(self, names, others, seconds):
        pairs = {frozenset((one, other)) for one in names for other in others if one != other}
        self.cut |= pairs
        self.loop.outside(seconds, lambda: self.cut.difference_update(pairs))

    # -- judgement --------------------------------------------------------------------------------------

    def check_owners(self):
        """At most one live process a slot."""
        taken = 0
        for node in self.everyone:
            serving = node.serving()
            if serving & taken:
                both = slots_in(serving & taken)
                raise Violation(f"{self.loop.now:.3f}: slots {both[:5]}... are live twice: {self.everyone}")
            taken |= serving

    def heal(self):
        """All faults stop. Frozen processes go on, and dead containers of present pods are started."""
        self.faults = Faults()
        self.cut.clear()
        for uid in sorted(self.doomed & set(self.pods)):
            self.vanish(uid)
        for uid, node in list(self.nodes.items()):
            if node.process.frozen:
                node.process.thaw()
            if uid in self.pods and node.process.dead:
                self.start_process(node.member)
        if not self.pods:
            self.start_pod()

    def run(self, seconds):
        """Let virtual time pass."""
        try:
            self.loop.run(self.loop.now + seconds)
        except BaseException:
            self.loop.close()
            raise

    def finish(self, *, quiet=TIMING.wait + 14):
        """Heal, let clients go on for a while, stop them, and judge all that they saw."""
        healed = self.loop.now
        self.heal()
        self.run(quiet)
        for client in self.clients:
            client.stopped = True
        self.run(8)
        try:
            self.judge(healed)
        finally:
            self.loop.close()

    def judge(self, healed):
        for fault in self.loop.faults:
            if fault.get("exception") is not None:
                raise Violation("a fault in the program") from fault["exception"]
        finals = {path: self.final(path) for path in self.paths}
        self.history.check(finals)
        for call in self.history.calls:
            if not hasattr(call, "answered"):
                raise Violation(f"never answered: {call}; healed at {healed:.3f}; {self.everyone}")
            late = call.answered - max(call.start, healed)
            if call.start >= healed and call.error:
                raise Violation(f"refused after all was well: {call}")
            if late > TIMING.wait + 9:
                raise Violation(f"answered {late:.1f} s after all was well at {healed:.3f}: {call}")

    def final(self, path):
        try:
            self.store.get(*log_key(path)).send(None)
        except StopIteration as stop:
            return orjson.loads(stop.value.data)["log"]
        except LookupError:
            return []
        raise AssertionError


def collect():
    """Free what finished simulations left: coroutines that never end hold on to one another."""
    gc.collect()
