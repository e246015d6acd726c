"""The place of a process among others that one supervisor has started, as the process sees it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from hsds.cluster.view import Member
from hsds.config import Settings
from hsds.servicenode.runner import Runner


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What a process is told by its supervisor before it does anything."""

    settings: Settings
    number: int
    """From 1."""
    cluster: str
    url: str
    """Of its data node."""
    public: tuple[str, ...]
    """URLs at which the service is found."""

    def to_bytes(self) -> bytes:
        """As sent. It may hold passwords."""
        told = {name: getattr(self, name) for name in ("number", "cluster", "url", "public")}
        return orjson.dumps(told | {"settings": self.settings.model_dump(mode="json")})

    @classmethod
    def from_bytes(cls, data: bytes) -> Orders:
        """As received."""
        told = orjson.loads(data)
        return cls(**told | {"settings": Settings.model_validate(told["settings"])})


class Post(ABC):
    """Who the process is, where its connections come from, and who decides when it ends."""

    me: Member
    """Its data node, at a Unix socket."""
    cluster: str
    """Id of the cluster that all these processes are."""
    name: str
    """How its service node is called."""

    @abstractmethod
    def take_up(self, stop: Callable[[], None]) -> None:
        """Listen to the supervisor; ``stop`` is to be called when the process should end."""

    @abstractmethod
    async def open_site(self, runner: Runner) -> list[str]:
        """Take connections from now on; the URLs at which the service is found."""

    @abstractmethod
    def ready(self) -> None:
        """It serves: connections may come."""

    @abstractmethod
    async def drained(self) -> None:
        """It has answered all requests: return when the others have, too, and need its data node no more."""
