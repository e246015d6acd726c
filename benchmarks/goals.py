"""What must be reached, by workload: how many times HSDS 1.0.2's rate, what share of the bare server's."""

from __future__ import annotations

from benchmarks.workload import Goal

MEMORY = 4.0
"""HSDS's peak memory over ours, after the whole run."""

POSIX = {
    "bulk read, warm, 1 client": Goal(2.5, 0.6),
    "bulk read, warm, 4 clients": Goal(3, 0.6),
    "gzip read, warm": Goal(3, 0.6),
    "bulk write until flushed, 1 client": Goal(12),
    "bulk write until flushed, 4 clients": Goal(12),
    "small reads, 1 client": Goal(2.7),
    "small reads, 32 clients": Goal(3.5),
    "small writes, flush, 1 client": Goal(2),
    "small writes, flush, 32 clients": Goal(2),
    "scattered points read": Goal(20),
    "strided read": Goal(10),
    "gzip write until flushed": Goal(6),
    "groups created": Goal(5),
    "datasets created": Goal(5),
    "domains created": Goal(5),
    "groups deleted": Goal(5),
    "datasets deleted": Goal(5),
    "domains deleted": Goal(5),
    "groups created, 300 at once": Goal(5),
    "datasets created, 300 at once": Goal(5),
    "attributes read": Goal(3),
    "attributes written": Goal(2),
    "JSON read": Goal(4),
    "vlen strings read, JSON": Goal(4),
    "vlen strings read, binary": Goal(10),
    "vlen strings written until flushed": Goal(5),
    "compound query": Goal(2),
    "10,000 chunks of 4 KiB read": Goal(10),
    "h5pyd: load": Goal(2),
    "h5pyd: walk": Goal(2),
    "h5pyd: read": Goal(2),
}

S3 = {
    "domains created": Goal(10),
    "domains deleted": Goal(10),
    "groups deleted": Goal(10),
    "groups created": Goal(5),
    "datasets created": Goal(5),
    "bulk write until flushed, 1 client": Goal(5),
    "bulk write until flushed, 4 clients": Goal(5),
    "bulk read, cold, 1 client": Goal(3),
    "bulk read, cold, 4 clients": Goal(3),
}

CLUSTER = {name: Goal(2 if name.startswith(("bulk read", "small reads")) else 1) for name in POSIX}
