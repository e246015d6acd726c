"""What one node makes of the record, LISTs and words, without a store or a clock."""

import pytest

from hsds.cluster.discovery import Presence
from hsds.cluster.membership import Membership, Timing, Word
from hsds.cluster.view import Member, changed, first_view
from hsds.errors import InvalidSettings

T = Timing()


def member(n):
    return Member(f"uid-{n}", f"10.0.0.{n}", 6101)


def joining(n=1):
    membership = Membership(member(n), "c", timing=T, first_epoch=lambda: 1000)
    membership.ready = True
    return membership


def present(started, *numbers):
    return Presence(started, {member(n).uid: member(n) for n in numbers})


ONE = changed(first_view("c", epoch=0), join=member(1))
TWO = changed(ONE, join=member(2))


def running(n=2, at=1.0):
    """A member that joined at ``at``."""
    node = joining(n)
    before = changed(TWO, remove=[f"uid-{n}"])
    node.read(before, "e0", started=at - 0.2, now=at - 0.1)
    node.listed(present(at, 1, 2))
    write = node.desire(at)
    node.wrote(write, "e1", started=at, now=at)
    return node


def test_nobody_joins_before_a_list_shows_it():
    node = joining(2)
    node.read(ONE, "e", started=0.0, now=0.1)
    assert node.wants_list(0.1)
    node.listed(present(0.05, 1, 2))
    assert node.desire(0.2) is None, "the LIST began before the record was read"
    node.listed(present(0.3, 1))
    assert node.desire(0.4) is None
    node.listed(present(0.5, 1, 2))
    write = node.desire(0.6)
    assert write.view.uids == {"uid-1", "uid-2"}
    assert (write.view.epoch, write.etag) == (ONE.epoch + 1, "e")


def test_the_lease_counts_from_the_start_of_the_get():
    node = running(at=1.0)
    view = node.view
    node.read(view, "e1", started=5.0, now=6.9)
    assert node.lease.held(14.9)
    assert not node.lease.held(15.0)


def test_a_taken_put_is_as_good_as_a_get():
    assert running(at=1.0).lease.held(10.9)


def test_a_process_that_finds_its_own_uid_raises_the_epoch_first():
    node = joining(1)
    node.read(TWO, "e", started=0.0, now=0.1)
    assert (node.member, node.lease.held(0.1), node.takeover.owned) == (False, False, 0)
    write = node.desire(0.2)
    assert (write.view.epoch, write.view.uids) == (TWO.epoch + 1, TWO.uids)
    node.wrote(write, "e2", started=0.2, now=0.3)
    assert node.member


def test_departures_are_gathered():
    node = running(at=1.0)
    node.listed(present(2.0, 2))
    assert node.desire(2.0) is None
    write = node.desire(2.5)
    assert write.view.uids == {"uid-2"}
    assert "uid-1" not in write.view.left


def test_an_old_list_removes_nobody():
    node = running(at=1.0)
    node.listed(present(0.9, 2))
    assert node.desire(2.0) is None


def test_hints_ask_for_lists_but_decide_nothing():
    node = running(at=1.0)
    node.hinted(frozenset({"uid-1", "uid-2"}), now=1.1)
    assert not node.wants_list(1.2)
    node.hinted(frozenset({"uid-2"}), now=1.3)
    assert node.wants_list(1.4)
    assert node.desire(5.0) is None


def test_who_leaves_is_marked_and_never_comes_back():
    node = running(at=1.0)
    assert node.leave()
    write = node.desire(1.5)
    assert write.view.left == {"uid-2": write.view.epoch}
    node.wrote(write, "e2", started=1.5, now=1.6)
    node.listed(present(2.0, 1, 2))
    assert node.desire(2.1) is None


def test_settled_moves_on_when_every_older_lease_has_run_out():
    node = running(at=1.0)
    epoch = node.view.epoch
    node.listed(present(1.1, 1, 2))
    assert node.desire(1.0 + T.wait - 0.01) is None
    write = node.desire(1.0 + T.wait + 1)
    assert (write.view.epoch, write.view.settled) == (epoch, epoch - 1)


def test_a_record_that_vanished_is_written_again_when_nobody_can_be_leased():
    node = running(at=1.0)
    node.missing(now=3.0)
    node.listed(present(3.1, 1, 2))
    assert node.desire(3.0 + T.wait - 0.01) is None
    write = node.desire(3.0 + T.wait)
    assert write.etag is None
    assert write.view.epoch > 1000
    assert write.view.uids == {"uid-2"}


def test_a_bucket_that_was_never_used_needs_no_wait():
    node = joining(1)
    node.unused = True
    node.missing(now=0.1)
    node.listed(present(0.2, 1))
    assert node.desire(0.3) is not None


def test_a_record_that_went_back_is_not_believed():
    node = running(at=1.0)
    node.read(ONE, "old", started=2.0, now=2.1)
    assert node.view.epoch > ONE.epoch
    assert not node.lease.held(11.0), "the lease was not renewed"
    node.listed(present(2.2, 1, 2))
    write = node.desire(2.1 + T.wait)
    assert (write.etag, write.view.epoch > 1000) == ("old", True)


def test_another_clusters_record_is_refused():
    with pytest.raises(InvalidSettings):
        joining().read(changed(first_view("other", epoch=0), join=member(9)), "e", started=0.0, now=0.1)


def test_words_bring_views_and_releases():
    node = running(at=1.0)
    newer = changed(node.view)
    node.heard(Word("uid-1", newer, newer.epoch), now=2.0)
    assert node.view == newer
    assert node.takeover.live_slots == node.takeover.owned
