"""Each rule of the protocol left out, one at a time. Every one of these must be caught."""

from dataclasses import replace

from hsds.cluster.lease import Lease
from hsds.cluster.membership import Membership
from hsds.cluster.takeover import Takeover
from hsds.datanode.attempts import Attempts
from hsds.datanode.gatekeeper import Gatekeeper
from hsds.datanode.reader import Reader
from hsds.datanode.repeats import Repeats
from tests.simulation.nodes import Parts


class NoLease(Lease):
    def held(self, now):
        return True


class LeaseFromTheEnd(Membership):
    def read(self, view, etag, *, started, now):
        super().read(view, etag, started=now, now=now)

    def wrote(self, write, etag, *, started, now):
        super().wrote(write, etag, started=now, now=now)


class LeaseIsEnough(Gatekeeper):
    """After the PUT only the lease is looked at."""

    def valid(self, hold):
        return self._lease.held(self._clock())


class AnyTenure(Gatekeeper):
    """After the PUT the slot must be live, in whatever tenure."""

    def valid(self, hold):
        return self._lease.held(self._clock()) and self._takeover.live(hold.slot)


class NoWait(Takeover):
    def __init__(self, uid, *, wait, born=-1):
        super().__init__(uid, wait=0.0, born=born)


class NobodyBefore(Takeover):
    """A gained slot is live at once."""

    def _gain(self, view, gained, now):
        return []


class EpochsSkipped(Takeover):
    def _held_throughout(self, view):
        return self._owned


class LastOwnerOnly(Takeover):
    """Only the epoch before this one is asked for former owners."""

    def _gain(self, view, gained, now):
        return super()._gain(replace(view, settled=max(view.settled, view.epoch - 2)), gained, now)


class OldReleases(Takeover):
    def _let_go(self, uid, epoch):
        return super()._let_go(uid, 0)


class WaitsAnew(Takeover):
    """A slot that is still being taken over counts as live for who held it on to the next epoch."""

    def adopt(self, view, now):
        if view.epoch > self.epoch:
            self._gains = []
        return super().adopt(view, now)


class RestartKeepsTenure(Takeover):
    @property
    def born(self):
        return -1

    @born.setter
    def born(self, epoch):
        pass


class NothingDropped(Reader):
    """What was cached in an earlier tenure is served in a later one."""

    def _valid(self, key, cached, hold):
        return None if cached is None else cached[0]


class GetsOutlastTenures(Reader):
    """Who asks in a new tenure takes what a GET of an earlier one brings."""

    async def read_many(self, keys, codec, **kwargs):
        for key in keys:
            if key in self._loading:
                self._loading_tenures[key] = self._gate.hold(key).tenure
        return await super().read_many(keys, codec, **kwargs)


class OvertakenCached(Reader):
    def _void(self, key):
        pass


class LateAttempts(Gatekeeper):
    def admit(self, key):
        return self.hold(key)


class NoMemory(Repeats):
    async def run(self, attempt, op, work):
        return await work()


class Unconditional(Attempts):
    """Not checked after the PUT."""

    def _answer(self, applied):
        for change, result in applied.waiting:
            change.succeed(result)
        self._batch = []


class ShortHistory(Takeover):
    """What the history does not tell did not happen."""

    def adopt(self, view, now):
        kept = {epoch: uids for epoch, uids in view.history.items() if epoch >= view.epoch - 1}
        return super().adopt(replace(view, history=kept), now)

    def _held_throughout(self, view):
        held = self._owned
        for epoch in range(self.epoch + 1, view.epoch):
            at = view.masks_at(epoch)
            held &= held if at is None else at.get(self.uid, 0)
        return held

    def _gain(self, view, gained, now):
        return [replace(gain, unknown=0) for gain in super()._gain(view, gained, now)]


MUTANTS = {
    "no lease": Parts(lease=NoLease),
    "lease counted from the GET's end": Parts(membership=LeaseFromTheEnd),
    "lease without slot": Parts(gate=LeaseIsEnough),
    "any tenure": Parts(gate=AnyTenure, reader=GetsOutlastTenures),
    "no takeover wait": Parts(takeover=NoWait),
    "nobody before": Parts(takeover=NobodyBefore),
    "skipped epochs ignored": Parts(takeover=EpochsSkipped),
    "last owner only": Parts(takeover=LastOwnerOnly),
    "short history": Parts(takeover=ShortHistory),
    "old releases counted": Parts(takeover=OldReleases),
    "waits cut short": Parts(takeover=WaitsAnew),
    "restart keeps tenure": Parts(takeover=RestartKeepsTenure),
    "nothing dropped": Parts(reader=NothingDropped),
    "overtaken GET cached": Parts(reader=OvertakenCached),
    "late attempts applied": Parts(gate=LateAttempts),
    "no memory of attempts": Parts(repeats=NoMemory),
    "no check after the PUT": Parts(attempts=Unconditional),
}
