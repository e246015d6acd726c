"""What Prometheus is told of a service node's way to the data nodes."""

from __future__ import annotations

from hsds.metrics import Metrics
from hsds.transport.routing import Router, Views


def tell_of_routing(metrics: Metrics, router: Router, views: Views) -> None:
    """Show how long requests are held while data nodes change, and the view that they go by."""

    def epoch() -> float:
        return -1 if views.view is None else views.view.epoch

    figures = metrics.figures
    figures.gauge(
        "hsds_held_requests",
        "Requests that wait for a data node that can answer",
        lambda: {(): router.holding},
    )
    figures.counter(
        "hsds_held_seconds_total",
        "Seconds that requests have waited so, all together",
        lambda: {(): router.held_seconds},
    )
    figures.counter(
        "hsds_held_operations_total", "Operations that were sent again", lambda: {(): router.held}
    )
    figures.gauge("hsds_routed_epoch", "Of the view that requests go by, -1 for none", lambda: {(): epoch()})
