"""Prometheus families of a node, in a registry of its own. Names are HSDS's where they mean the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from hsds.budget import ByteBudget
from hsds.rate import Rate

METRICS_TYPE: Final = CONTENT_TYPE_LATEST
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

Read = Callable[[], Mapping[tuple[str, ...], float]]
"""Values of a family by the values of its labels, ``()`` where it has none."""


class Figures(Collector):
    """Families that are looked up when somebody reads the page: others count already, or it is a state."""

    def __init__(self) -> None:
        self._families: dict[
            str, tuple[type[GaugeMetricFamily | CounterMetricFamily], str, tuple[str, ...], Read]
        ] = {}

    def gauge(self, name: str, text: str, read: Read, *, labels: tuple[str, ...] = ()) -> None:
        """Add a family of figures that go up and down. One that is there already is replaced."""
        self._families[name] = GaugeMetricFamily, text, labels, read

    def counter(self, name: str, text: str, read: Read, *, labels: tuple[str, ...] = ()) -> None:
        """Add a family of figures that only grow; ``name`` ends with ``_total``."""
        self._families[name] = CounterMetricFamily, text, labels, read

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """For prometheus_client: all families as they are now."""
        for name, (kind, text, labels, read) in self._families.items():
            family = kind(name, text, labels=labels)
            for values, number in read().items():
                family.add_metric(values, number)
            yield family


class Metrics:
    """What is counted. Bytes are as sent and received, durations are seconds."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        self.figures = Figures()
        registry.register(self.figures)
        self.info = Gauge("hsds_info", "This node", ["node_type", "node_id", "version"], registry=registry)
        self.ready = Gauge("hsds_node_ready", "1 while the node is READY", registry=registry)
        self.start_time = Gauge(
            "hsds_start_time_seconds", "When the node started, since the epoch", registry=registry
        )
        self.active_dns = Gauge("hsds_active_dns", "Data nodes in use", registry=registry)
        self.in_flight = Gauge("hsds_tasks_active", "Requests being answered", registry=registry)
        self.requests = Counter(
            "hsds_http_requests_total", "Requests answered", ["method", "route", "status"], registry=registry
        )
        self.durations = Histogram(
            "hsds_http_request_duration_seconds",
            "Time from the head of a request to the end of its handler",
            ["method", "route", "status"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.bytes_in = Counter("hsds_http_request_bytes_total", "Bytes of request bodies", registry=registry)
        self.bytes_out = Counter(
            "hsds_http_response_bytes_total", "Bytes of response bodies", registry=registry
        )
        self.store_calls = Counter(
            "hsds_store_calls_total", "Calls of the object store", ["call", "status"], registry=registry
        )
        self.store_durations = Histogram(
            "hsds_store_call_duration_seconds",
            "Time that calls of the object store took",
            ["call"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.store_failing = Gauge(
            "hsds_store_failing_seconds",
            "For how long the object store has not answered; 0 while it does",
            registry=registry,
        )
        self.store_bytes = Counter(
            "hsds_store_bytes_total", "Bytes of objects read and written", ["call"], registry=registry
        )
        self.rate = Rate()
        """Of requests answered."""
        self._budgets: dict[str, ByteBudget] = {}
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._store_children: dict[tuple[str, str], tuple[Counter, Histogram, Counter]] = {}

    def observe(
        self, method: str, route: str, status: int, *, seconds: float, bytes_in: int, bytes_out: int
    ) -> None:
        """Count one answered request. ``route`` is the template of its path, never the path itself."""
        method = method if method in _METHODS else "other"  # there are dozens, and labels are kept for good
        key = (method, route, status)
        children = self._children.get(key)
        if children is None:  # labels() costs more than the counting
            labels = (method, route, str(status))
            children = self.requests.labels(*labels), self.durations.labels(*labels)
            self._children[key] = children
        self.rate.count()
        children[0].inc()
        children[1].observe(seconds)
        if bytes_in:
            self.bytes_in.inc(bytes_in)
        if bytes_out:
            self.bytes_out.inc(bytes_out)

    def tell_of_budgets(self, **budgets: ByteBudget) -> None:
        """Show memory budgets under their names, beside those that were told of before."""
        self._budgets |= budgets

        def each(read: Callable[[ByteBudget], float]) -> Read:
            return lambda: {(name,): read(budget) for name, budget in self._budgets.items()}

        figures, labels = self.figures, ("budget",)
        text = "Bytes of the memory budgets in use"
        figures.gauge("hsds_budget_held_bytes", text, each(lambda budget: budget.used), labels=labels)
        text = "Bytes of the memory budgets"
        figures.gauge("hsds_budget_limit_bytes", text, each(lambda budget: budget.limit), labels=labels)
        text = "Requests that wait for memory"
        figures.gauge("hsds_budget_waiting", text, each(lambda budget: budget.waiting), labels=labels)
        text = "Seconds that requests have waited for memory, all together"
        figures.counter(
            "hsds_budget_waited_seconds_total", text, each(lambda budget: budget.waited), labels=labels
        )

    def observe_store(self, call: str, seconds: float, status: str, nbytes: int) -> None:
        """Count one call of the object store, as ``hsds.store.observed`` tells of it."""
        children = self._store_children.get((call, status))
        if children is None:
            children = (
                self.store_calls.labels(call, status),
                self.store_durations.labels(call),
                self.store_bytes.labels(call),
            )
            self._store_children[call, status] = children
        children[0].inc()
        children[1].observe(seconds)
        if nbytes:
            children[2].inc(nbytes)

    def request_counts(self) -> dict[str, int]:
        """Requests answered by method, and under ``num_tasks`` those under way."""
        counts = dict.fromkeys(("GET", "POST", "PUT", "DELETE"), 0)
        for (method, _, _), (requests, _) in self._children.items():
            counts[method] = counts.get(method, 0) + int(_value(requests))
        return counts | {"num_tasks": int(_value(self.in_flight))}

    def render(self) -> bytes:
        """Everything in Prometheus' text form, of type ``METRICS_TYPE``."""
        return generate_latest(self.registry)


def _value(family: Counter | Gauge) -> float:
    """What a family without labels, or one child of a labelled one, stands at."""
    return next(sample.value for metric in family.collect() for sample in metric.samples)
