"""What a workload is, and what takes part in one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.client import Request

if TYPE_CHECKING:
    from benchmarks.target import Target


def nothing() -> None:
    """No check: what is asked says all."""


@dataclass(frozen=True, slots=True)
class Work:
    """What one run does: requests, or something else that tells its seconds; then a check, untimed."""

    requests: Sequence[Request] = ()
    check: Callable[[], None] = nothing
    instead: Callable[[], float] | None = None


Fresh = Callable[[], Work]
"""Work for one run; made while no clock runs."""


@dataclass(frozen=True, slots=True)
class Workload:
    """``prepare(target)`` returns what makes the work; ``amount`` is how much a run does, in ``unit``.

    Without ``prepare`` servers do not take part in it.
    """

    name: str
    unit: str
    amount: float
    clients: int
    prepare: Callable[[Target], Fresh] | None
    bare: bool = False
    """Whether the bare server can do it too."""
    durability: str = "stored"
    """Of the service that is measured."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one run: seconds, CPU seconds of the processes measured, and their peak memory in MiB."""

    seconds: float
    cpu: float
    memory: float


@dataclass(frozen=True, slots=True)
class Goal:
    """What must be reached: times HSDS's rate, share of the limit's."""

    ratio: float | None = None
    limit: float | None = None


Turn = Callable[[], Figures]
"""One run of a workload by one contestant."""


class Contestant(ABC):
    """Something that is measured. ``name`` is of its column."""

    name: str

    @abstractmethod
    def takes(self, workload: Workload) -> bool:
        """Whether it can do that."""

    @abstractmethod
    def prepare(self, workload: Workload) -> Turn:
        """Make all ready, while no clock runs."""

    @abstractmethod
    def memory(self) -> tuple[str, float]:
        """A title, and the peak memory of its processes over the whole run, MiB."""


@dataclass(frozen=True, slots=True)
class Suite:
    """Workloads, and who takes part in them."""

    name: str
    workloads: Sequence[Workload]
    contestants: Sequence[Contestant]
