"""Schedules that random faults rarely meet, each with the rules without which it goes wrong."""

import pytest

from hsds.cluster.agent import RECORD
from hsds.cluster.slots import object_slot, owners
from hsds.datanode.change import Basis
from hsds.transport.base import Trace
from tests.simulation.cluster import Cluster
from tests.simulation.history import Violation
from tests.simulation.mutants import MUTANTS
from tests.simulation.nodes import Append, log_key, pod
from tests.simulation.world import BUCKET

PATH = "/sim/0"
KEY = log_key(PATH)[1]


class Stage(Cluster):
    """A cluster with clients that do only what they are told."""

    def __init__(self, *, parts=None, pods=2):
        super().__init__(7, parts=parts, paths=1, services=3, clients=0)
        self.uids = [self.start_pod() for _ in range(pods)]
        self.run(3)
        self.one, self.two, self.three = self.clients

    def owner(self):
        """The data node that serves the path, by the newest view of all."""
        view = max((node.membership.view for node in self.nodes.values()), key=lambda view: view.epoch)
        return self.nodes[view.owners()[self.slot()]]

    def slot(self):
        return object_slot(BUCKET, KEY)

    def guest_that_takes(self):
        """Start a pod that becomes the owner of the path. Returns its uid."""
        while True:
            number = next(self.numbers)
            uids = [*self.pods, pod(number).uid]
            if owners(uids)[self.slot()] == pod(number).uid:
                break
        self.appear(pod(number))
        self.start_process(pod(number))
        return pod(number).uid

    def append(self, client, token, basis=Basis.READ):
        async def ask():
            call = self.history.begin(PATH, token, self.loop.now)
            (result,) = await client.router.execute((Append(BUCKET, PATH, token, basis),), Trace(token))
            call.answered = self.loop.now
            if isinstance(result, Exception):
                call.error = str(result)
            else:
                call.end, call.log = self.loop.now, result

        return client.process.spawn(ask())

    def read(self, client):
        return client.process.spawn(client.read(PATH))

    def end(self):
        """Peace, and everybody asks once more."""
        self.loop.outside(
            1.0, lambda: [self.append(client, f"last-{client.name}") for client in self.clients]
        )
        self.loop.outside(2.0, lambda: [self.read(client) for client in self.clients])
        self.finish()


def lease_from_a_slow_get(parts):
    """The owner's GET shows it as a member, takes 1.9 s to come back, and is its last."""
    for offset in range(8):
        stage = Stage(parts=parts)
        owner = stage.owner()
        name = owner.process.name
        stage.run(offset * 0.25)
        stage.plan["reply", name, RECORD] = 1.9
        begun = stage.loop.now
        while ("reply", name, RECORD) in stage.plan and stage.loop.now < begun + 3:
            stage.run(0.01)
        stage.separate([name], ["to store", *(n for n in stage.hosts if n != name)], 30)
        stage.force_delete(owner.member.uid, 40)
        stage.run(16)
        stage.end()


def put_that_lands_after_the_takeover(parts):
    """The owner's PUT is 11 s on its way; by then another owner has read the old state."""
    stage = Stage(parts=parts)
    stage.store_timeout = 30.0
    for client in stage.clients:
        stage.append(client, f"first-{client.name}")
        stage.run(0.5)
    owner = stage.owner()
    name = owner.process.name
    others = [n for n in stage.hosts if n not in (name, "sn-0")]
    stage.separate(["sn-0"], others, 30)
    stage.plan["effect", name, KEY] = 11.6
    stage.append(stage.one, "late")
    stage.run(0.1)
    stage.separate([name], [n for n in stage.hosts if n != "sn-0"], 30)
    stage.separate([name], ["to store", "api"], 30)
    stage.force_delete(owner.member.uid, 40)
    for _ in range(150):
        stage.read(stage.two)
        stage.run(0.1)
    stage.end()


def owner_asleep_while_its_slot_goes_and_comes(parts):
    """A guest has the slot for longer than a lease, serves it, and leaves; then the owner wakes."""
    stage = Stage(parts=parts)
    stage.append(stage.one, "before")
    stage.run(1)
    owner = stage.owner()
    stage.freeze(owner.member.uid, 15)
    guest = stage.guest_that_takes()
    name = owner.process.name
    stage.separate([name], [host for host in stage.hosts if not host.startswith("sn-")], 15)
    stage.run(11.5)
    stage.append(stage.two, "during")
    stage.run(1)
    stage.delete_pod(guest)
    stage.run(2)
    for _ in range(60):
        stage.read(stage.two)
        stage.run(0.05)
    stage.append(stage.three, "after")
    stage.run(2)
    stage.end()


def attempt_that_meets_a_restarted_owner(parts):
    """The first attempt is 7 s on its way. The second has been answered when the owner starts anew."""
    stage = Stage(parts=parts)
    stage.append(stage.two, "before")
    stage.run(1)
    owner = stage.owner()
    stage.plan["message", "sn-0", owner.process.name] = 7.0
    stage.append(stage.one, "twice")
    stage.run(4.5)
    stage.append(stage.two, "between")
    stage.run(0.3)
    stage.restart(owner.member.uid, 0.05)
    stage.run(6)
    stage.end()


def attempt_that_meets_a_later_tenure(parts):
    """The first attempt is 7 s on its way; the second goes to a guest that has the slot just then."""
    stage = Stage(parts=parts)
    stage.append(stage.two, "before")
    stage.run(1)
    owner = stage.owner()
    stage.plan["message", "sn-0", owner.process.name] = 7.0
    stage.append(stage.one, "twice")
    stage.run(0.2)
    guest = stage.guest_that_takes()
    stage.run(4.3)
    stage.append(stage.two, "between")
    stage.run(0.3)
    stage.delete_pod(guest)
    stage.run(6)
    stage.end()


def attempt_that_comes_after_the_next(parts):
    """The first attempt arrives in the same tenure, when the second has long been answered."""
    stage = Stage(parts=parts)
    stage.append(stage.two, "before")
    stage.run(1)
    stage.plan["message", "sn-0", stage.owner().process.name] = 7.0
    stage.append(stage.one, "twice")
    stage.run(5)
    stage.append(stage.two, "between")
    stage.run(4)
    stage.end()


def get_overtaken_by_a_put(parts):
    """A GET that found nothing comes back after the create has been answered."""
    stage = Stage(parts=parts)
    stage.plan["reply", stage.owner().process.name, KEY] = 1.0
    stage.read(stage.one)
    stage.run(0.05)
    stage.append(stage.two, "created", Basis.ABSENT)
    stage.run(2)
    stage.read(stage.three)
    stage.run(1)
    stage.end()


def get_from_an_earlier_tenure(parts):
    """A GET is on its way back while the slot goes to a guest, which changes the key, and comes again."""
    stage = Stage(parts=parts)
    stage.plan["reply", stage.owner().process.name, KEY] = 2.9
    stage.read(stage.one)
    stage.run(0.1)
    guest = stage.guest_that_takes()
    stage.run(0.7)
    stage.append(stage.two, "by the guest")
    stage.run(0.3)
    stage.delete_pod(guest)
    stage.run(0.7)
    stage.read(stage.three)
    stage.run(3)
    stage.end()


def restart_within_the_wait(parts):
    """The owner is lost, its successor restarts while it waits for the lease to run out."""
    stage = Stage(parts=parts, pods=3)
    stage.append(stage.one, "before")
    stage.run(1)
    owner = stage.owner()
    name = owner.process.name
    stage.separate([name], [n for n in stage.hosts if not n.startswith("sn-")] + ["store", "api"], 9)
    stage.force_delete(owner.member.uid, 40)
    stage.run(4)
    successor = stage.owner()
    stage.restart(successor.member.uid, 0.5)
    for _ in range(100):
        stage.read(stage.two)
        stage.run(0.1)
    stage.append(stage.three, "after")
    stage.run(5)
    stage.end()


def many_epochs_within_a_lease(parts):
    """The owner is cut off from all but clients while others come and go, one epoch after another."""
    stage = Stage(parts=parts, pods=3)
    stage.append(stage.one, "before")
    stage.run(1)
    owner = stage.owner()
    name = owner.process.name
    stage.separate([name], [n for n in stage.hosts if not n.startswith("sn-")] + ["store", "api"], 25)
    stage.force_delete(owner.member.uid, 30)
    for n in range(22):
        uid = stage.start_pod()
        stage.separate([name], [stage.nodes[uid].process.name], 25)
        stage.run(0.3)
        stage.delete_pod(uid)
        stage.run(0.2)
        stage.read(stage.one)
        stage.append(stage.two, f"n{n}")
    stage.run(5)
    stage.end()


def late_removal_of_itself(parts):
    """A process leaves; its PUT is 5 s on its way; its container is killed and starts again meanwhile."""
    stage = Stage(parts=parts)
    stage.append(stage.one, "before")
    stage.run(1)
    owner = stage.owner()
    stage.plan["effect", owner.process.name, RECORD] = 5.0
    owner.terminate()
    stage.run(0.05)
    stage.restart(owner.member.uid, 0.3)
    for n in range(60):
        stage.append(stage.two, f"n{n}")
        stage.run(0.15)
        stage.read(stage.three)
    stage.end()


CATCHES = {
    lease_from_a_slow_get: ["no lease", "lease counted from the GET's end"],
    put_that_lands_after_the_takeover: ["no lease", "no check after the PUT"],
    owner_asleep_while_its_slot_goes_and_comes: ["skipped epochs ignored", "nothing dropped"],
    attempt_that_meets_a_restarted_owner: ["restart keeps tenure", "late attempts applied"],
    attempt_that_meets_a_later_tenure: ["late attempts applied"],
    attempt_that_comes_after_the_next: ["no memory of attempts"],
    get_overtaken_by_a_put: ["overtaken GET cached"],
    get_from_an_earlier_tenure: ["any tenure"],
    restart_within_the_wait: ["no takeover wait", "nobody before"],
    many_epochs_within_a_lease: ["short history", "last owner only", "waits cut short"],
    late_removal_of_itself: [],
}


@pytest.mark.parametrize("schedule", CATCHES, ids=lambda schedule: schedule.__name__)
def test_the_protocol_holds(schedule):
    schedule(None)


@pytest.mark.parametrize(
    ("schedule", "mutant"),
    [(schedule, name) for schedule, names in CATCHES.items() for name in names],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_the_rule_is_needed(schedule, mutant):
    with pytest.raises(Violation):
        schedule(MUTANTS[mutant])
