"""READY: what is missing is named."""

import pytest

from hsds.cluster.view import Member, changed, first_view
from hsds.transport.pinging import Answer, missing

VIEW = changed(first_view("c", epoch=4), join=Member("a", "10.0.0.1", 6101))
GOOD = {"uid": "a", "epoch": 5, "leased": True, "live_slots": 4096, "owned_slots": 4096}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(9.0, GOOD), ""),
        (None, "data node 0 at 10.0.0.1 does not answer"),
        (Answer(9.0, None), "data node 0 at 10.0.0.1 does not answer"),
        (Answer(1.0, GOOD), "data node 0 at 10.0.0.1 does not answer"),
        (Answer(9.0, GOOD | {"leased": False}), "data node 0 at 10.0.0.1 has no lease"),
        (Answer(9.0, GOOD | {"epoch": 4}), "data node 0 at 10.0.0.1 is at epoch 4, not 5"),
        (Answer(9.0, GOOD | {"live_slots": 7}), "data node 0 at 10.0.0.1 has taken over 7 of 4096 slots"),
    ],
)
def test_what_is_missing(answer, reason):
    assert missing(VIEW, {} if answer is None else {"a": answer}, now=10.0) == reason


def test_without_data_nodes():
    assert missing(first_view("c", epoch=4), {}, now=10.0) == "there is no data node"
