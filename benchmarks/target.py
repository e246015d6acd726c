"""A server being measured, as workloads see it: domains, datasets and values made with few words."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

from benchmarks.client import Connection, Request, WrongAnswerError, make, run
from benchmarks.servers import Bare, Ours, Server
from benchmarks.workload import Contestant, Figures, Turn, Workload

HOME = "/home/bench"
T = TypeVar("T")


class Target(Contestant):
    """One server, with a connection for what is not measured."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.name = server.name
        self.bare = isinstance(server, Bare)
        self._connection = Connection(server.address)
        self._count = 0
        self._kept: dict[str, Any] = {}
        if not self.bare:
            self._make_home()

    def takes(self, workload: Workload) -> bool:
        if workload.name in self.server.lacks:
            return False
        if self.bare or workload.prepare is None:
            return workload.bare
        return not isinstance(self.server, Ours) or self.server.durability == workload.durability

    def prepare(self, workload: Workload) -> Turn:
        assert workload.prepare is not None
        fresh, group = workload.prepare(self), self.server.group

        def turn() -> Figures:
            work = fresh()
            group.restart_peak()
            before = group.cpu_seconds()
            if work.instead:
                seconds = work.instead()
            else:
                seconds = run(self.server.address, work.requests, workload.clients)
            cpu = group.cpu_seconds() - before
            figures = Figures(seconds, cpu, group.peak())
            work.check()
            return figures

        return turn

    def memory(self) -> tuple[str, float]:
        return self.server.title, self.server.group.whole_peak()

    def once(self, what: str, make_: Callable[[], T]) -> T:
        """What ``make_`` returned when ``what`` was first asked for: workloads share stored data."""
        if what not in self._kept:
            self._kept[what] = make_()
        kept: T = self._kept[what]
        return kept

    def unique(self, stem: str) -> str:
        """A path that was not used before."""
        self._count += 1
        return f"{HOME}/{stem}{self._count}.h5"

    def ask(self, request: Request) -> bytearray:
        self._connection.renew()
        return self._connection.ask(request)

    def json(self, request: Request) -> Any:
        self._connection.renew()
        return self._connection.json(request)

    def checked(self, request: Request, right: Callable[[Any], bool]) -> Request:
        """The request with the answer that must come back: the one that comes now, if its JSON is right."""
        answer = bytes(self.ask(request))
        if not right(json.loads(answer)):
            raise WrongAnswerError(f"{request.line}: {answer[:300]!r}")
        return Request(request.head, request.body, answer, request.status)

    def domain(self, stem: str) -> tuple[str, str]:
        """Make a domain; its path and root id."""
        path = self.unique(stem)
        return path, self.json(make("PUT", "/", {"domain": path}, body={}))["root"]

    def root(self, domain: str) -> str:
        """Id of a domain's root group."""
        return str(self.json(make("GET", "/", {"domain": domain}))["root"])

    def dataset(self, domain: str, **body: Any) -> str:
        """Make a dataset; its id."""
        return str(self.json(make("POST", "/datasets", {"domain": domain}, body=body))["id"])

    def write(self, domain: str, dataset: str, data: Any, step: int = 0) -> None:
        """Write a whole dataset, ``step`` rows at a time."""
        rows = len(data)
        for start in range(0, rows, step or rows):
            stop = min(rows, start + (step or rows))
            select = "[" + ",".join([f"{start}:{stop}", *(f"0:{extent}" for extent in data.shape[1:])]) + "]"
            body = memoryview(data[start:stop]).cast("B")
            self.ask(
                make("PUT", f"/datasets/{dataset}/value", {"domain": domain, "select": select}, body=body)
            )

    def flush(self, domain: str) -> Request:
        return Request(
            make("PUT", "/", {"domain": domain, "flush": 1}, body={}).head, b"{}", None, (200, 204)
        )

    def offer(self, request: Request) -> None:
        """Have the bare server answer ``request`` with what is expected of it."""
        assert request.expect is not None
        assert isinstance(self.server, Bare)
        self.server.offer(request.head.split(b" ", 2)[1].decode(), request.expect)

    def _make_home(self) -> None:
        for path in ("/home", HOME):
            request = make("PUT", "/", {"domain": path}, body={"folder": True, "owner": "bench"})
            admin = request.head.replace(
                request.head.split(b"Authorization: ")[1].split(b"\r\n")[0],
                b"Basic YWRtaW46YWRtaW4tcGFzc3dvcmQ=",
            )
            self._patiently(Request(admin, request.body, None, (200, 201, 409)))

    def _patiently(self, request: Request) -> None:
        """HSDS says READY before its data nodes answer one another."""
        for left in reversed(range(20)):
            try:
                self.ask(request)
            except WrongAnswerError:
                if not left:
                    raise
                time.sleep(0.5)
            else:
                return
