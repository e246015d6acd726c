"""Discovery by the Kubernetes API: the data-node pods of a namespace.

Needs the extra ``kubernetes``; nothing else imports this module unless ``discovery: kubernetes`` asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hsds.cluster.discovery import Discovery, Presence
from hsds.cluster.kubeclient import SERVICE_ACCOUNT, KubeClient, KubeError, Listing
from hsds.cluster.kubewatch import PodWatch, WatchTiming
from hsds.cluster.pods import Roster, why_unseen
from hsds.cluster.view import Member

Json = dict[str, Any]


class KubernetesDiscovery(Discovery):
    """Pods with a label that declare a container port named ``dn``.

    ``run`` follows them; ``list`` asks anew, whether it runs or not. Recovers from everything by itself.
    """

    def __init__(
        self,
        *,
        selector: str,
        namespace: str | None,
        environ: Mapping[str, str],
        clock: Callable[[], float],
        folder: Path = SERVICE_ACCOUNT,
        timing: WatchTiming | None = None,
        page: int = 500,
    ) -> None:
        """Raises ``InvalidSettings`` outside of a cluster."""
        self._client = KubeClient(environ=environ, namespace=namespace, folder=folder, page=page)
        self._selector = selector
        self._clock = clock
        timing = timing or WatchTiming()
        self._answer = timing.answer
        self._roster = Roster()
        self._listed_once = False
        self._told = 0
        self._callbacks: list[Callable[[], None]] = []
        self.watch = PodWatch(
            self._client,
            selector,
            listed=self._take_listing,
            event=self._take_event,
            clock=clock,
            timing=timing,
        )

    def __repr__(self) -> str:
        return f"<KubernetesDiscovery of {self._selector}: {self._roster!r}, {self.watch.problem or 'well'}>"

    async def run(self) -> None:
        """Follow the pods until cancelled."""
        await self.watch.run()

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def list(self) -> Presence:
        started = self._clock()
        listing = await self._client.list_pods(self._selector, seconds=self._answer)
        return Presence(started, self._take_listing(listing, started))

    async def why_unseen(self, name: str, uid: str) -> str | None:
        why = why_unseen(await self._client.get_pod(name, seconds=self._answer), uid)
        return why and f"pod {name} is not among those labelled {self._selector}: {why}"

    def hint(self) -> frozenset[str] | None:
        return self._roster.uids if self._listed_once else None

    def on_hint(self, changed: Callable[[], None]) -> None:
        self._callbacks.append(changed)

    def _take_listing(self, listing: Listing, started: float) -> Mapping[str, Member]:
        first, self._listed_once = not self._listed_once, True
        try:
            there = self._roster.listing(listing.pods, started=started, now=self._clock())
        except (KeyError, TypeError, ValueError) as error:
            raise KubeError(f"the API server lists what are no pods: {error!r}") from error
        self._tell(always=first)
        return there

    def _take_event(self, kind: str, pod: Json) -> None:
        self._roster.event(kind, pod, now=self._clock())
        self._tell()

    def _tell(self, *, always: bool = False) -> None:
        if always or self._roster.changes != self._told:
            self._told = self._roster.changes
            for changed in self._callbacks:
                changed()
