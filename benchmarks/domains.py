"""Workloads of domains and folders."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.client import make
from benchmarks.objects import gone
from benchmarks.target import Target
from benchmarks.workload import Fresh, Work, Workload


def created(count: int) -> Callable[[Target], Fresh]:
    def prepare(target: Target) -> Fresh:
        def fresh() -> Work:
            paths = [target.unique("d") for _ in range(count)]
            gets = [make("GET", "/", {"domain": path}) for path in paths[::10]]

            def check() -> None:
                for get in gets:
                    target.ask(get)

            return Work([make("PUT", "/", {"domain": path}, body={}) for path in paths], check)

        return fresh

    return prepare


def deleted(count: int) -> Callable[[Target], Fresh]:
    def prepare(target: Target) -> Fresh:
        def fresh() -> Work:
            paths = [target.domain("gone")[0] for _ in range(count)]
            deletes = [make("DELETE", "/", {"domain": path}) for path in paths]
            return Work(deletes, gone(target, paths[0], ["/"]))

        return fresh

    return prepare


def opened(target: Target) -> Fresh:
    domain, root = target.domain("open")
    request = target.checked(make("GET", "/", {"domain": domain}), lambda answer: answer["root"] == root)
    return lambda: Work([request] * 300)


def listed(count: int) -> Callable[[Target], Fresh]:
    """All domains of a folder, with what each is."""

    def prepare(target: Target) -> Fresh:
        folder = target.unique("folder")
        target.ask(make("PUT", "/", {"domain": folder}, body={"folder": True}))
        for i in range(count):
            target.ask(make("PUT", "/", {"domain": f"{folder}/d{i:04}.h5"}, body={}))
        request = make("GET", "/domains", {"domain": f"{folder}/"})
        request = target.checked(request, lambda answer: len(answer["domains"]) == count)
        return lambda: Work([request] * 3)

    return prepare


def changes(count: int = 100, clients: int = 1) -> tuple[Workload, ...]:
    """``count`` created and deleted by so many clients."""
    after = "" if clients == 1 else f", {clients} clients"
    return (
        Workload(f"domains created{after}", "1/s", count, clients, created(count)),
        Workload(f"domains deleted{after}", "1/s", count, clients, deleted(count)),
    )


def reads(count: int = 500) -> tuple[Workload, ...]:
    """``count``: how many the folder has."""
    return (
        Workload("domains opened", "1/s", 300, 1, opened),
        Workload(f"a folder of {count} domains listed", "domains/s", 3 * count, 1, listed(count)),
    )
