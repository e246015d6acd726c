"""Views: what one record makes of the next."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsds.cluster.view import HISTORY, Member, View, changed, first_view, settled
from hsds.errors import InvalidInput


def member(n, address=None):
    return Member(f"uid-{n}", address or f"10.0.0.{n}", 6101)


def grown(*numbers):
    view = first_view("c", epoch=0)
    for n in numbers:
        view = changed(view, join=member(n))
    return view


def test_node_numbers_follow_addresses_as_numbers_ipv4_first():
    view = first_view("c", epoch=0)
    for n, address in enumerate(["fd00::1", "10.0.0.10", "10.0.0.9", "9.255.0.1"]):
        view = changed(view, join=member(n, address))
    assert [m.address for m in view.members] == ["9.255.0.1", "10.0.0.9", "10.0.0.10", "fd00::1"]
    assert view.number("uid-0") == 3


def test_the_record_survives_json():
    view = settled(changed(changed(grown(1, 2, 3), leave="uid-2"), remove=["uid-1"]), 3)
    assert View.from_json(orjson.loads(orjson.dumps(view.to_json()))) == view


@pytest.mark.parametrize("record", [None, {}, {"cluster": "c"}, [], {"epoch": "x"}])
def test_what_is_no_record_is_refused(record):
    with pytest.raises(InvalidInput):
        View.from_json(record)


def test_who_comes_again_has_not_left():
    view = changed(grown(1, 2), leave="uid-1")
    assert view.left == {"uid-1": 3}
    assert changed(view, join=member(1)).left == {}
    assert changed(view, remove=["uid-2"]).left == {"uid-1": 3}


def test_history_reaches_back_to_settled_and_beyond():
    view = grown(1)
    for _ in range(40):
        view = changed(view)
    assert set(view.history) == set(range(1, 42)) | set()
    view = settled(view, 39)
    assert min(view.history) == 41 - HISTORY + 1
    assert settled(view, 10).settled == 39
    assert settled(view, 99).settled == 40, "the present epoch is not superseded"


steps = st.lists(
    st.tuples(st.sampled_from(["join", "remove", "leave", "raise"]), st.integers(1, 6)), max_size=30
)


@given(steps)
def test_views_converge(steps):
    """Whoever has the newest record has the same members, numbers and owners, however it came about."""
    view = first_view("c", epoch=0)
    there = set()
    for what, n in steps:
        before = view
        if what == "join":
            view, there = changed(view, join=member(n)), there | {n}
        elif what == "remove":
            view, there = changed(view, remove=[f"uid-{n}"]), there - {n}
        elif what == "leave" and n in there:
            view, there = changed(view, leave=f"uid-{n}"), there - {n}
        else:
            view = changed(view)
        assert view.epoch == before.epoch + 1
        assert view.history[before.epoch] == before.uids
    assert view.uids == {f"uid-{n}" for n in there}
    assert not view.uids & set(view.left)
    again = View.from_json(orjson.loads(orjson.dumps(view.to_json())))
    assert again.owners() == view.owners()
    assert [m.uid for m in again.members] == [f"uid-{n}" for n in sorted(there)]
