"""Who is there, as the cluster's outside says: pods that run, or addresses from the configuration."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hsds.cluster.view import Member


@dataclass(frozen=True, slots=True)
class Presence:
    """A complete and consistent answer: all data nodes that were there at one moment after ``started``."""

    started: float
    """When the question was sent, in seconds of the node's clock."""
    members: Mapping[str, Member]
    """By uid. Each uid is there once: it comes once and goes once."""


class Discovery(ABC):
    """Finds data nodes. ``list`` is the truth, and costs a request; ``hint`` is quick and may be wrong."""

    @abstractmethod
    async def list(self) -> Presence:
        """Ask anew. Raises ``Unavailable`` when there is no answer."""

    @abstractmethod
    def hint(self) -> frozenset[str] | None:
        """Uids that are there as far as the last ``list`` and events since tell; None before the first."""

    @abstractmethod
    def on_hint(self, changed: Callable[[], None]) -> None:
        """Have ``changed`` called whenever ``hint`` has changed."""

    async def why_unseen(self, name: str, uid: str) -> str | None:
        """Why a data node that runs is not shown: that of this process. None if it cannot be told.

        ``name`` is that of its pod. Raises ``Unavailable`` when there is no answer.
        """
        return None

    async def run(self) -> None:  # noqa: B027 - who has nobody to ask has nothing to follow
        """Follow what happens, for the hints, until cancelled or for ever."""
