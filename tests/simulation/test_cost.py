"""What the protocol costs stays what ``docs/ownership.md`` says."""

from tests.simulation.cost import cost
from tests.simulation.nodes import TIMING

NODES = 10


def test_ten_nodes():
    found = cost(NODES)
    quiet = found.pop("a second")
    assert abs(quiet["GETs"] - NODES / TIMING.renew) < 0.05 * NODES / TIMING.renew
    assert quiet["PUTs"] == quiet["LISTs"] == quiet["words"] == 0
    assert max(found[when]["words"] for when in ("one joins", "one leaves")) <= 3 * NODES
    assert found["one is lost"]["words"] <= NODES * (TIMING.wait / 0.25 + 3), "its heirs ask it to the end"
    for counts in found.values():
        assert counts["LISTs"] <= 2 * NODES
        assert counts["PUTs"] <= 2 * NODES
