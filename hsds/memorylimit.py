"""How much memory the container allows, and sizes of caches and budgets that fit into it.

The limit is that of the control group (version 2 or 1) in which the process is. Where nothing limits it, or a
size is set, nothing is changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from hsds.config import MIB, Settings

_NONE: Final = 1 << 60
"""Version 1 says some such number for no limit."""
_PROCESS: Final = 128 * MIB
"""What a process takes that has nothing to do: Python, numpy and the libraries of clouds."""
_SPARE: Final = 0.3
"""Share of the rest for what is copied on its way, not counted exactly, or not given back by malloc."""
_BUDGETS: Final = {"sn": 2, "dn": 4}
"""How often ``request_memory_size`` may be held: by values and bodies of a service node; by requests,
answers, changes and loads of a data node."""
_LARGEST_BUDGET: Final = 256 * MIB
"""Beyond that memory is of more use to caches."""

Role = Literal["sn", "dn"]


@dataclass(frozen=True, slots=True)
class Sizes:
    """Settings of the same names, in bytes."""

    metadata_mem_cache_size: int
    chunk_mem_cache_size: int
    request_memory_size: int


def container_limit(root: Path = Path("/")) -> int | None:
    """Bytes of memory that this process may take together with the others of its container.

    None where nobody limits it. ``root`` is where ``/proc`` and ``/sys`` are. Of the groups from its own
    to the outermost that is visible the tightest counts.
    Source: https://docs.kernel.org/admin-guide/cgroup-v2.html, .../cgroup-v1/memory.html
    """
    found = [limit for file in _limit_files(root) if (limit := _number(file)) is not None]
    return min(found, default=None)


def fitted(settings: Settings, limit: int | None, roles: Collection[Role], *, processes: int = 1) -> Settings:
    """``settings`` with caches and budgets that fit into ``limit`` bytes; sizes that were set are kept.

    Several ``processes`` share the limit with one more that supervises them; the sizes are those of each.
    """
    if limit is None:
        return settings
    share = limit if processes == 1 else max(0, limit - _PROCESS) // processes
    sizes = asdict(sizes_for(share, roles))
    wanted = set(sizes_used(roles)) - settings.model_fields_set
    return settings.model_copy(update={key: sizes[key] for key in wanted})


def sizes_used(roles: Collection[Role]) -> tuple[str, ...]:
    """The settings that say how much memory nodes of these roles hold.

    A service node has no caches, but ``chunk_mem_cache_size`` tells it how large a chunk may be.
    """
    names = tuple(field.name for field in fields(Sizes))
    return names if "dn" in roles else ("request_memory_size",)


def sizes_for(limit: int, roles: Collection[Role]) -> Sizes:
    """Shares of ``limit`` bytes: half for requests under way, half for caches, most of these for chunks.

    A service node has no caches.
    """
    usable = max(limit // 4, int((limit - _PROCESS) * (1 - _SPARE)))
    count = sum(_BUDGETS[role] for role in roles)
    request = min(_LARGEST_BUDGET, usable // (2 * count))
    caches = usable - count * request if "dn" in roles else 0
    return Sizes(caches // 3, caches - caches // 3, request)


def _limit_files(root: Path) -> Iterator[Path]:
    """Where limits may stand: for each hierarchy of groups, from the process's own outwards.

    In a container the path of the group may be that of the host, which is not to be seen there; what is
    mounted is then the container's own group.
    """
    groups = root / "sys/fs/cgroup"
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers == "":
            base, name = groups, "memory.max"
        elif "memory" in controllers.split(","):
            base, name = groups / "memory", "memory.limit_in_bytes"
        else:
            continue
        own = PurePosixPath(path.lstrip("/"))
        for group in (own, *own.parents):
            yield base / group / name


def _number(file: Path) -> int | None:
    text = _text(file).strip()
    if not text.isdecimal():  # "max", or there is no such file
        return None
    limit = int(text)
    return limit if 0 < limit < _NONE else None


def _text(file: Path) -> str:
    try:
        return file.read_text("ascii", "replace")
    except OSError:
        return ""
