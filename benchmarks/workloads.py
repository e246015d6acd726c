"""What is measured: the list of all workloads."""

from __future__ import annotations

from benchmarks import objects, values
from benchmarks.prepared import F32, GZIP, Fresh, Workload

__all__ = ["WORKLOADS", "Fresh", "Workload"]

WORKLOADS = (
    Workload("bulk read, warm, 1 client", "MiB/s", 128, 1, values.bulk_read, bare=True),
    Workload("bulk read, warm, 4 clients", "MiB/s", 128, 4, values.bulk_read, bare=True),
    Workload("gzip read, warm", "MiB/s", 64, 1, values.gzip_read, bare=True),
    Workload("lz4 (Blosc) read, warm", "MiB/s", 64, 1, values.filtered_read("lz4", 32004)),
    Workload("zstd (Blosc) read, warm", "MiB/s", 64, 1, values.filtered_read("zstd", 32015)),
    Workload("bulk read, cold", "MiB/s", 256, 1, values.cold_read),
    Workload("small reads, 1 client", "1/s", 500, 1, values.small_reads(500), bare=True),
    Workload("small reads, 32 clients", "1/s", 2000, 32, values.small_reads(2000), bare=True),
    Workload("fancy read", "1/s", 1, 1, values.fancy_read, bare=True),
    Workload("strided read", "1/s", 1, 1, values.strided_read, bare=True),
    Workload("scattered points read", "points/s", 50_000, 1, values.points_read),
    Workload("10,000 chunks of 4 KiB read", "MiB/s", 39, 1, values.many_chunks_read, bare=True),
    Workload("JSON read", "values/s", 200_000, 1, values.json_read),
    Workload("bulk write until flushed", "MiB/s", 64, 1, values.bulk_write(flush=True)),
    Workload("gzip write until flushed", "MiB/s", 32, 1, values.bulk_write(flush=True, filters=GZIP)),
    Workload("bulk write until flushed, 4 clients", "MiB/s", 64, 4, values.bulk_write(flush=True)),
    Workload(
        "lz4 (Blosc) write until flushed", "MiB/s", 32, 1, values.bulk_write(True, filters=values.lz4())
    ),
    Workload("small writes, 1 client", "1/s", 200, 1, values.small_writes(200)),
    Workload("small writes, 32 clients", "1/s", 400, 32, values.small_writes(400)),
    Workload("groups created", "1/s", 200, 1, objects.creates("groups", 200)),
    Workload("datasets created", "1/s", 200, 1, objects.creates("datasets", 200, type=F32, shape=[10])),
    Workload("groups created, 300 at once", "1/s", 300, 1, objects.batch_create("groups")),
    Workload("datasets created, 300 at once", "1/s", 300, 1, objects.batch_create("datasets")),
    Workload("groups deleted", "1/s", 200, 1, objects.deletes("groups")),
    Workload("datasets deleted", "1/s", 200, 1, objects.deletes("datasets", type=F32, shape=[10])),
    Workload("links inserted", "1/s", 200, 1, objects.link_inserts),
    Workload("links read", "1/s", 300, 1, objects.link_reads),
    Workload("a domain of 10,000 groups walked", "objects/s", 10_000, 1, objects.walk(10_000)),
    Workload("a folder of 500 domains listed", "1/s", 5, 1, objects.folder_list(500)),
    Workload("domains created", "1/s", 100, 1, objects.domain_creates),
    Workload("domains opened", "1/s", 300, 1, objects.domain_opens),
    Workload("domains deleted", "1/s", 100, 1, objects.domain_deletes),
    Workload("attributes written", "1/s", 200, 1, objects.attribute_writes),
    Workload("attributes read", "1/s", 300, 1, objects.attribute_reads),
    Workload("vlen strings read, binary", "strings/s", 20_000, 1, values.vlen_read(binary=True)),
    Workload("vlen strings read, JSON", "strings/s", 20_000, 1, values.vlen_read(binary=False)),
    Workload("vlen strings written until flushed", "strings/s", 20_000, 1, values.vlen_write),
    Workload("compound query", "rows/s", 500_000, 1, values.compound_query),
)
