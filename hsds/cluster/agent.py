"""Does what ``membership`` decides: reads and writes the record, asks who is there, talks to peers.

One task sends all GETs and PUTs of the record, so that a process never has two PUTs on their way that it
does not know of. Another asks for LISTs, and short ones carry words to peers; none of them is waited for
by the first, because the lease depends on it.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import orjson

from hsds.cluster.discovery import Discovery
from hsds.cluster.membership import Membership, Word, Write
from hsds.cluster.slots import Mask
from hsds.cluster.view import Member, View
from hsds.errors import InvalidInput, KeyNotFound, NotModified, PreconditionFailed, StoreError, Unavailable
from hsds.store.base import Store

RECORD = ".hsds/cluster/view.json"
"""Key of the view record in the default bucket."""
_LOG = logging.getLogger(__name__)
_POLL = 0.25
"""Seconds between two questions to a former owner that has not released."""
_WRITES = 4
"""PUTs of the record after one another before the next GET is due anyway."""


class Peers(ABC):
    """The other nodes, as one node reaches them."""

    @abstractmethod
    async def exchange(self, member: Member, word: Word) -> Word:
        """Tell a data node a word and hear its own. Raises ``Unavailable``."""

    def inform(self, view: View) -> None:  # noqa: B027 - who has no service nodes to tell tells none
        """Tell service nodes of a new view, without waiting for them."""


class Agent:
    """Runs the membership of one data node process.

    ``lingering`` says whether work begun in an ended tenure is still on its way to the store;
    ``settled_down`` is to be called when that has changed to no.
    """

    def __init__(
        self,
        membership: Membership,
        store: Store,
        bucket: str,
        discovery: Discovery,
        peers: Peers,
        *,
        clock: Callable[[], float],
        lingering: Callable[[], bool],
    ) -> None:
        self.membership = membership
        self._store = store
        self._bucket = bucket
        self._discovery = discovery
        self._peers = peers
        self._clock = clock
        self._lingering = lingering
        self._timing = membership.timing
        self._wake = asyncio.Event()
        self._list_wake = asyncio.Event()
        self._left = asyncio.Event()
        self._read_now = True
        self._released = -1
        self._book: dict[str, Member] = {}
        self._seen_epoch = -1
        self._untold: set[str] = set()
        self._telling: dict[str, asyncio.Task[None]] = {}
        self._lost: Mask = 0

    def __repr__(self) -> str:
        return f"<Agent of {self.membership!r}>"

    async def run(self) -> None:
        """Run until cancelled. Raises ``InvalidSettings`` when the bucket is another cluster's."""
        self._discovery.on_hint(self._hinted)
        self.membership.hinted(self._discovery.hint(), now=self._clock())
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_record())
                group.create_task(self._keep_list())
                group.create_task(self._keep_asking())
        finally:
            for task in self._telling.values():
                task.cancel()

    def start_serving(self) -> None:
        """The node can serve from now on."""
        self.membership.ready = True
        self._stir()

    async def leave(self) -> None:
        """Stop serving, let what is in flight end, and leave the view; returns when that is agreed.

        The caller bounds the time: who does not get that far is removed by the others.
        """
        self.moved(0, self.membership.leave())
        self._read_now = True
        self._stir()
        await self._left.wait()

    def moved(self, _gained: Mask, lost: Mask) -> None:
        """Ownership has changed: who has these slots now waits for our word."""
        self._lost |= lost

    def settled_down(self) -> None:
        """Nothing that was begun in an ended tenure is on its way any more."""
        self._learned()

    def hear(self, word: Word) -> Word:
        """A peer has sent its word; ours is the answer."""
        self._heard(word)
        return self._word()

    # -- the record ----------------------------------------------------------------------------------

    async def _keep_record(self) -> None:
        due = self._clock()
        while True:
            if self._read_now or self._clock() >= due:
                due = self._clock() + self._timing.renew
                await self._read()
            for _ in range(_WRITES):
                write = None if self._busy_leaving() else self.membership.desire(self._clock())
                if write is None:
                    break
                await self._write(write)
            self._learned()
            self._check_left()
            now = self._clock()
            self.membership.takeover.tick(now)
            await self._sleep(min(due, self.membership.next_time(now), self._deadline(now)) - now)

    def _busy_leaving(self) -> bool:
        """Whether something must end before the record may say that all is released."""
        return self.membership.leaving and self._lingering()

    def _check_left(self) -> None:
        if self.membership.leaving and self.membership.left:
            self._left.set()

    def _deadline(self, now: float) -> float:
        deadline = self.membership.takeover.next_deadline()
        return now + self._timing.renew if deadline is None else deadline

    async def _sleep(self, seconds: float) -> None:
        """Until something happens, or so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.001, seconds)):
                await self._wake.wait()
        self._wake.clear()

    async def _read(self) -> None:
        """GET the record. The time that counts is that before the GET."""
        self._read_now = False
        membership, started = self.membership, self._clock()
        try:
            async with asyncio.timeout(self._timing.timeout):
                blob = await self._store.get(self._bucket, RECORD, if_none_match=membership.etag)
        except NotModified:
            membership.unchanged(started=started, now=self._clock())
        except KeyNotFound:
            await self._look_for_use()
            membership.missing(now=self._clock())
        except (TimeoutError, StoreError):
            return
        else:
            try:
                view = View.from_json(orjson.loads(bytes(blob.data)))
            except (InvalidInput, orjson.JSONDecodeError):
                membership.missing(now=self._clock())
                return
            membership.read(view, blob.etag, started=started, now=self._clock())
        self._learned()
        self._list_wake.set()

    async def _look_for_use(self) -> None:
        """Without a record: has the bucket ever been used?"""
        with suppress(TimeoutError, StoreError):
            async with asyncio.timeout(self._timing.timeout):
                first = await self._store.list(self._bucket, limit=1)
                self.membership.unused = not first.objects

    async def _write(self, write: Write) -> None:
        """PUT the record; after whatever else than success it is read again."""
        data = orjson.dumps(write.view.to_json())
        started = self._clock()
        try:
            async with asyncio.timeout(self._timing.timeout):
                etag = await self._store.put(
                    self._bucket, RECORD, data, if_match=write.etag, if_none_match=write.etag is None
                )
        except (TimeoutError, PreconditionFailed, StoreError):
            await self._read()
            return
        before, foreign = self.membership.view, self._foreign()
        self.membership.wrote(write, etag, started=started, now=self._clock())
        if foreign != self._foreign():
            _LOG.warning("took over the bucket of the cluster %s, of which nobody is left", foreign)
        if before is None or write.view.epoch > before.epoch:
            self._learned()
            self._peers.inform(write.view)
            known = {*self._book, *write.view.uids} - {self.membership.me.uid}
            self._tell(known)

    def _foreign(self) -> str | None:
        """Which other cluster the record belongs to."""
        record = self.membership.record
        return None if record is None or record.cluster == self.membership.cluster else record.cluster

    # -- who is there --------------------------------------------------------------------------------

    def _hinted(self) -> None:
        self.membership.hinted(self._discovery.hint(), now=self._clock())
        self._stir()

    async def _keep_list(self) -> None:
        while True:
            if self.membership.wants_list(self._clock()):
                with suppress(TimeoutError, Unavailable):
                    async with asyncio.timeout(self._timing.timeout):
                        self.membership.listed(await self._discovery.list())
                    self._wake.set()
                await asyncio.sleep(_POLL)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(self._timing.renew):
                    await self._list_wake.wait()
            self._list_wake.clear()

    # -- words to peers ------------------------------------------------------------------------------

    def _word(self) -> Word:
        return Word(self.membership.me.uid, self.membership.view, self._released)

    def _heard(self, word: Word) -> None:
        record = self.membership.record
        self.membership.heard(word, now=self._clock())
        if word.view is not None and (record is None or word.view.epoch > record.epoch):
            self._read_now = True
        self._learned()

    def _learned(self) -> None:
        """After anything was told to the membership: see what is new, and whom it concerns."""
        view = self.membership.view
        if view is None:
            return
        if view.epoch > self._seen_epoch:
            self._seen_epoch = view.epoch
            self._book.update({member.uid: member for member in view.members})
            self._stir()
        if self._released < view.epoch and not self._lingering():
            self._released = view.epoch
            gainers = {uid for uid, owned in view.masks().items() if owned & self._lost}
            self._lost = 0
            self._tell(gainers - {self.membership.me.uid})

    def _stir(self) -> None:
        self._wake.set()
        self._list_wake.set()

    def _tell(self, uids: set[str]) -> None:
        """Carry our word to these, one exchange at a time each."""
        self._untold |= uids
        for uid in sorted(uids):
            if uid in self._book and uid not in self._telling:
                task = asyncio.create_task(self._tell_one(uid))
                self._telling[uid] = task
                task.add_done_callback(partial(self._told, uid))

    def _told(self, uid: str, _: asyncio.Task[None]) -> None:
        self._telling.pop(uid, None)

    async def _tell_one(self, uid: str) -> None:
        until = self._clock() + self._timing.wait
        while uid in self._untold and self._clock() < until:
            self._untold.discard(uid)
            try:
                async with asyncio.timeout(self._timing.timeout):
                    self._heard(await self._peers.exchange(self._book[uid], self._word()))
            except (TimeoutError, Unavailable):
                if self._needed(uid):
                    self._untold.add(uid)
                await asyncio.sleep(_POLL)

    def _needed(self, uid: str) -> bool:
        """Whether somebody that does not answer should be told again."""
        view = self.membership.view
        return view is not None and (uid in view.uids or uid in self.membership.takeover.awaited())

    async def _keep_asking(self) -> None:
        """Words get lost: ask former owners until they have released, or their time is over."""
        while True:
            await asyncio.sleep(_POLL)
            self._tell(set(self.membership.takeover.awaited()))
