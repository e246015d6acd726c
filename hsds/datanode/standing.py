"""What a data node process knows of itself and of the cluster, as its HTTP app tells it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from hsds.cluster.membership import Word
from hsds.cluster.view import View

Json = dict[str, Any]


class Standing(ABC):
    """The state of the process beside its data."""

    @property
    @abstractmethod
    def started(self) -> bool:
        """Whether start-up is over."""

    @property
    @abstractmethod
    def ready(self) -> bool:
        """Whether the node is a member and has taken over its slots."""

    @property
    @abstractmethod
    def view(self) -> View | None:
        """The newest view known."""

    @abstractmethod
    async def newer(self, epoch: int) -> View:
        """Wait for a view newer than ``epoch``."""

    @abstractmethod
    def hear(self, word: Word) -> Word:
        """A peer has sent its word; the answer is ours."""

    @abstractmethod
    def info(self) -> Json:
        """For pings and people: uid, version, state, epoch, lease, slots."""

    def pinged(self, sender: Json) -> Json:
        """A service node has said who it is; the answer is ``info``."""
        return self.info()
