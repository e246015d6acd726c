"""The named suites: which servers stand side by side, what they are asked, what must be reached."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import bulk, domains, endtoend, goals, members, objects, s3, selections, texts
from benchmarks.program import Local, Program
from benchmarks.servers import Hsds102, OurCluster, Ours, Server, limits
from benchmarks.storage import S3Keys, S3Place
from benchmarks.target import Target
from benchmarks.workload import Contestant, Goal, Suite, Workload


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says of those that take part."""

    hsds_env: Path | None = None
    """Environment with HSDS 1.0.2."""
    beside_env: Path | None = None
    """Environment with h5py and zarr."""
    h5pyd_env: Path | None = None
    """Environment with h5pyd 1.x."""
    files: Sequence[Path] = ()
    """HDF5 files for h5pyd, after one that is made."""
    s3: S3Place | None = None
    """None: a Ceph gateway is started."""
    gibibyte: bool = False


GOALS: Mapping[str, Mapping[str, Goal]] = {"posix": goals.POSIX, "s3": goals.S3, "cluster": goals.CLUSTER}
MEMORY_GOALS: Mapping[str, float] = {"posix": goals.MEMORY}


@contextmanager
def running(name: str, options: Options, words: Sequence[str]) -> Iterator[Suite]:
    """A suite with all that takes part running; of its workloads those whose name holds one of the words."""
    with ExitStack() as stack:
        clients: tuple[Workload, ...] = ()
        if options.h5pyd_env:
            program = stack.enter_context(Program(options.h5pyd_env, "with_h5pyd"))
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
            clients = endtoend.workloads(program, [endtoend.made(folder / "made.h5"), *options.files])
        chosen = [w for w in (*_WORKLOADS[name](options), *clients) if _named(w, words)]
        wanted = {workload.durability for workload in chosen}
        contestants = list(_CONTESTANTS[name](options, stack, wanted))
        yield Suite(name, chosen, contestants)


@contextmanager
def growing(options: Options) -> Iterator[list[Target]]:
    """This service and HSDS over directories, for the suite ``growth``."""
    with ExitStack() as stack:
        servers: list[Server] = [Ours()]
        if options.hsds_env:
            servers.append(Hsds102(options.hsds_env))
        yield [Target(stack.enter_context(server)) for server in servers]


def workloads(name: str) -> tuple[Workload, ...]:
    """Those of a suite that need no further environment."""
    return _WORKLOADS[name](Options())


def names(name: str, words: Sequence[str]) -> list[str]:
    return [w.name for w in workloads(name) if _named(w, words)]


def _named(workload: Workload, words: Sequence[str]) -> bool:
    return not words or any(word in workload.name for word in words)


def _values(options: Options) -> tuple[Workload, ...]:
    """Everything that a service over fast storage is asked."""
    return (
        *bulk.workloads(),
        *(bulk.gibibyte() if options.gibibyte else ()),
        *selections.workloads(),
        *texts.workloads(),
        *objects.workloads(),
        *objects.batches(),
        *objects.walks(),
        *members.workloads(),
        *domains.changes(),
        *domains.reads(),
    )


def _over_s3(_: Options) -> tuple[Workload, ...]:
    """Less of it: HSDS creates 4 domains a second over S3."""
    kept = ("bulk", "gzip write", "small", "scattered", "vlen strings written")
    values = [*bulk.workloads(), *selections.workloads(), *texts.workloads()]
    return (
        *s3.workloads(),
        *(w for w in values if w.name.startswith(kept) and w.durability == "stored"),
        *objects.workloads(12),
        *objects.workloads(48, clients=8),
        *objects.batches(),
        *domains.changes(4),
        *domains.changes(16, clients=8),
        *domains.reads(30),
    )


def _targets(stack: ExitStack, servers: Sequence[Server | None]) -> list[Contestant]:
    return [Target(stack.enter_context(server)) for server in servers if server is not None]


def _locals(stack: ExitStack, options: Options, **environ: str) -> list[Contestant]:
    if options.beside_env is None:
        return []
    modules = {"zarr": "with_zarr"} if environ else {"h5py": "with_h5py", "zarr": "with_zarr"}
    return [
        Local(name, stack.enter_context(Program(options.beside_env, module, **environ)))
        for name, module in modules.items()
    ]


def _posix(options: Options, stack: ExitStack, durabilities: set[str]) -> list[Contestant]:
    servers: list[Server | None] = [Ours(durability=durability) for durability in sorted(durabilities)]
    servers.append(Hsds102(options.hsds_env) if options.hsds_env else None)
    return [*_targets(stack, [*servers, *limits()]), *_locals(stack, options)]


def _cluster(options: Options, stack: ExitStack, durabilities: set[str]) -> list[Contestant]:
    servers: list[Server | None] = [OurCluster(durability=durability) for durability in sorted(durabilities)]
    servers.append(Hsds102(options.hsds_env, data_nodes=2) if options.hsds_env else None)
    return _targets(stack, [*servers, *limits()])


def _s3(options: Options, stack: ExitStack, _: set[str]) -> list[Contestant]:
    place = stack.enter_context(s3.s3_server(options.s3))
    keys = S3Keys(place)
    stack.callback(keys.remove)
    told = {
        "bucket": keys.bucket,
        "endpoint": place.endpoint,
        "access_key_id": place.access_key,
        "secret_access_key": place.secret_key,
        "region": "us-east-1",
        "client_options": {"allow_http": True},
    }
    servers = [Ours(place), Hsds102(options.hsds_env, place) if options.hsds_env else None, *limits()]
    return [
        *_targets(stack, servers),
        s3.Direct(keys),
        *_locals(stack, options, BENCH_S3=json.dumps(told)),
    ]


_WORKLOADS: Mapping[str, Callable[[Options], tuple[Workload, ...]]] = {
    "posix": _values,
    "cluster": _values,
    "s3": _over_s3,
}
_CONTESTANTS: Mapping[str, Callable[[Options, ExitStack, set[str]], list[Contestant]]] = {
    "posix": _posix,
    "cluster": _cluster,
    "s3": _s3,
}
SUITES = tuple(_WORKLOADS)
