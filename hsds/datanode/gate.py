"""Whether this node may serve a key: asked before anything is read, and again after everything is written."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from hsds.errors import NotOwner

Key = tuple[str, str]
"""Bucket and key."""


@dataclass(frozen=True, slots=True)
class Hold:
    """The right to work on a slot, from one tenure of it. Work begun in an earlier tenure must not go on."""

    slot: int
    tenure: int


class Gate(ABC):
    """Says which keys this node owns at present. The cluster's form follows views, leases and takeovers."""

    @abstractmethod
    def hold(self, key: Key) -> Hold:
        """The right to work on ``key``. Raises ``NotOwner`` where this node is not live in its slot."""

    @abstractmethod
    def valid(self, hold: Hold) -> bool:
        """Whether the node is leased, and still in the tenure of the slot that ``hold`` is from."""

    def check(self, hold: Hold) -> None:
        """Raise ``NotOwner`` unless ``hold`` is valid."""
        if not self.valid(hold):
            raise NotOwner("this data node does not own the key any more")


class OpenGate(Gate):
    """For a node that is alone and owns every key."""

    _HOLD = Hold(0, 0)

    def hold(self, key: Key) -> Hold:
        return self._HOLD

    def valid(self, hold: Hold) -> bool:
        return True
