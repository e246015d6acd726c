"""Domains and folders as clients see them: members, limits and versions, statistics of the stored data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from hsds.errors import HsdsError, NotFound
from hsds.hdf5.jsontext import dumps
from hsds.servicenode.call import Call
from hsds.servicenode.domain import Domain
from hsds.transport.ops import GetRootStats
from hsds.transport.rootstats import RootStats

HSDS_VERSION: Final = "1.0.2"
"""Compatibility level that clients test for; this service's own version is ``about.version``."""
DN_IDS: Final = ("dn-001",)
"""Ids of data nodes as domains show them, however many there are; only ``/about`` counts.

Constant: h5pyd 0.24 fails a flush if they change."""
_COMPRESSORS: Final = ("blosclz", "lz4", "lz4hc", "gzip", "zstd", "deflate")

Json = dict[str, Any]


def domain_json(domain: Domain) -> Json:
    """Root (of domains only), class, owner and times."""
    stored = domain.json
    data: Json = {} if domain.is_folder else {"root": stored["root"]}
    created = stored.get("created", 0)
    return data | {
        "class": "folder" if domain.is_folder else "domain",
        "owner": domain.owner,
        "created": created,
        "lastModified": stored.get("lastModified", created),
    }


def abilities(call: Call) -> Json:
    """``limits``, ``compressors`` and ``version``: what the service can do, said with every domain."""
    settings = call.settings
    limits = {
        "min_chunk_size": settings.min_chunk_size,
        "max_chunk_size": settings.max_chunk_size,
        "max_request_size": settings.max_request_size,
    }
    return {"limits": limits, "compressors": _COMPRESSORS, "version": HSDS_VERSION}


async def statistics(call: Call, domains: Sequence[Domain], *, scan: bool = False) -> list[Json]:
    """The statistics members of each domain as they are now. Folders, and domains without data, have zeros.

    ``scan`` adds ``scan_info`` in full, which lists every dataset.
    """
    full = [domain for domain in domains if domain.has_data]
    for domain in full:
        await call.flush(domain.bucket, domain.root)
    ops = [GetRootStats(domain.bucket, domain.root, logical=scan) for domain in full]
    counted = await call.node.nodes.settle(ops, call.trace)
    by_root = {domain.root: stats for domain, stats in zip(full, counted, strict=True)}
    found = [by_root.get(domain.json.get("root", "")) for domain in domains]
    return [
        _statistics_json(domain, stats, call.now, scan=scan)
        for domain, stats in zip(domains, found, strict=True)
    ]


def _statistics_json(domain: Domain, stats: RootStats | HsdsError | None, now: float, *, scan: bool) -> Json:
    """As HSDS words them. ``scan_info`` is what its background scan would have written, finished just now."""
    if isinstance(stats, HsdsError) and not isinstance(stats, NotFound):
        raise stats
    if not isinstance(stats, RootStats):
        return dict.fromkeys(_COUNTS, 0) | {"num_objects": 0, "total_size": 0, "md5_sum": ""}
    counts: Json = {name: getattr(stats, name, 0) for name in _COUNTS} | {"md5_sum": stats.md5_sum}
    objects = stats.num_groups + stats.num_datasets + stats.num_datatypes + stats.num_chunks
    size = len(dumps(domain.json)) + stats.allocated_bytes + stats.metadata_bytes
    info = stats.to_json(domain.bucket, start=now, complete=now)
    if not scan:
        del info["datasets"], info["logical_bytes"]
    return counts | {
        "num_objects": objects,
        "total_size": size,
        "lastModified": max(stats.last_modified, domain.json.get("lastModified", 0)),
        "scan_info": info,
    }


_COUNTS: Final = (
    "num_groups",
    "num_datasets",
    "num_datatypes",
    "num_chunks",
    "num_linked_chunks",
    "allocated_bytes",
    "metadata_bytes",
    "linked_bytes",
)
"""Members with the names that ``RootStats`` has; nothing is linked here, so what it lacks is zero."""
