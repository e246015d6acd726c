"""What Prometheus is told of a data node's membership."""

from __future__ import annotations

from collections.abc import Callable

from hsds.cluster.membership import Membership
from hsds.metrics import Metrics


def tell_of_membership(metrics: Metrics, membership: Membership, clock: Callable[[], float]) -> None:
    """Show lease, view and slots of one data node. ``clock`` is the membership's."""
    takeover = membership.takeover

    def epoch() -> float:
        return membership.view.epoch if membership.view is not None else -1

    def age() -> float:
        seconds = membership.lease.age(clock())
        return float("nan") if seconds is None else seconds

    figures = metrics.figures
    figures.gauge("hsds_lease_age_seconds", "Since the start of the GET that leases", lambda: {(): age()})
    figures.gauge(
        "hsds_leased", "1 while this data node may serve", lambda: {(): membership.lease.held(clock())}
    )
    figures.gauge("hsds_view_epoch", "Of the newest view known, -1 for none", lambda: {(): epoch()})
    figures.counter(
        "hsds_view_changes_total", "Views that this data node has learned of", lambda: {(): takeover.changes}
    )
    figures.gauge("hsds_slots_owned", "In the newest view", lambda: {(): takeover.owned.bit_count()})
    figures.gauge("hsds_slots_live", "Taken over and served", lambda: {(): takeover.live_slots.bit_count()})
