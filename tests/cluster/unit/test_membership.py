"""What one node makes of the record, LISTs and words, without a store or a clock."""

from dataclasses import replace

import pytest

from hsds.cluster.discovery import Presence
from hsds.cluster.membership import Membership, Timing, Word
from hsds.cluster.view import Member, View, changed, first_view, settled
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


def test_who_was_taken_out_before_it_leaves_is_marked_all_the_same():
    """Its pod was terminating, and had not been told to end yet."""
    node = running(at=1.0)
    without = changed(node.view, remove={"uid-2"})
    node.read(without, "e2", started=2.0, now=2.1)
    node.leave()
    assert not node.left
    write = node.desire(2.2)
    assert write.view.left == {"uid-2": without.epoch + 1}
    node.wrote(write, "e3", started=2.2, now=2.3)
    assert node.left
    assert node.desire(2.4) is None


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


OTHER = changed(first_view("other", epoch=5000), join=member(9))
"""The record of another cluster."""


def claiming(record=OTHER):
    """A node that has claimed another cluster's record at 1.0."""
    node = joining()
    node.read(record, "e0", started=0.0, now=0.1)
    write = node.desire(0.2)
    assert (write.etag, write.view.claim) == ("e0", "c")
    assert replace(write.view, claim="") == record, "nothing else changes"
    node.wrote(write, "e1", started=0.2, now=1.0)
    assert not node.lease.held(1.0)
    assert node.view is None
    return node, write.view


def test_another_clusters_record_that_nobody_renews_is_taken_over():
    node, claimed = claiming()
    assert node.wants_list(1.1)
    node.listed(present(1.2, 1))
    for at in (3.0, 9.0):
        node.read(claimed, "e1", started=at, now=at)
        assert node.desire(at) is None
    assert node.desire(1.0 + T.wait - 0.01) is None
    assert node.next_time(9.0) == pytest.approx(1.0 + T.wait)
    write = node.desire(1.0 + T.wait)
    assert (write.etag, write.view.cluster, write.view.uids) == ("e1", "c", {"uid-1"})
    assert write.view.epoch > claimed.epoch
    assert not write.view.claim
    node.wrote(write, "e2", started=11.3, now=11.4)
    assert node.lease.held(11.5)
    assert node.takeover.live_slots == node.takeover.owned != 0, "nobody is left to wait for"


def test_another_clusters_record_that_is_renewed_is_refused():
    node, claimed = claiming()
    with pytest.raises(
        InvalidSettings, match="belongs to the cluster other, not to c; its data nodes are running"
    ):
        node.read(replace(claimed, claim=""), "e2", started=3.0, now=3.1)
    assert not node.lease.held(3.1)


def test_the_wait_is_that_of_the_longer_leases():
    node, _ = claiming(replace(OTHER, lease=60.0))
    node.listed(present(1.2, 1))
    assert node.desire(61.0) is None
    assert node.desire(1.0 + 60 * 1.02).view.cluster == "c"


def test_nodes_of_one_cluster_claim_together():
    """The second begins its wait when it sees the claim; whoever is first makes the record theirs."""
    node = joining(2)
    node.read(replace(OTHER, claim="c"), "e1", started=4.0, now=4.1)
    node.listed(present(4.2, 1, 2))
    assert node.desire(4.0 + T.wait) is None
    assert node.desire(4.1 + T.wait).view.uids == {"uid-2"}
    node.read(changed(first_view("c", epoch=6000), join=member(1)), "e2", started=12.0, now=12.1)
    node.listed(present(12.2, 1, 2))
    assert node.desire(12.3).view.uids == {"uid-1", "uid-2"}


def test_two_clusters_do_not_claim_the_same():
    with pytest.raises(InvalidSettings, match="belongs to the cluster other"):
        joining().read(replace(OTHER, claim="third"), "e1", started=4.0, now=4.1)


def test_a_member_takes_a_claim_out_and_serves_no_longer_by_what_has_one():
    node = running(at=1.0)
    claimed = replace(node.record, claim="third")
    node.read(claimed, "e2", started=6.0, now=6.1)
    assert node.lease.held(10.9), "what began before goes on"
    assert not node.lease.held(11.1), "the claim counts on that it ends"
    write = node.desire(6.2)
    assert (write.etag, write.view) == ("e2", replace(claimed, claim=""))
    node.wrote(write, "e3", started=6.2, now=6.3)
    assert node.lease.held(16.1)
    assert node.desire(6.4) is None


def test_whoever_changes_the_record_takes_a_claim_out():
    claimed = replace(TWO, claim="third")
    assert not changed(claimed).claim
    assert not settled(claimed, 0).claim
    assert View.from_json(claimed.to_json()) == claimed


def patient(at=1.0):
    """A member where others may come back within 30 s."""
    timing = Timing(patience=30.0)
    node = Membership(member(2), "c", timing=timing, first_epoch=lambda: 1000)
    node.ready = True
    node.read(ONE, "e0", started=at, now=at)
    node.listed(present(at, 1, 2))
    node.wrote(node.desire(at), "e1", started=at, now=at)
    return node


def removes(node, now):
    """Whom the node would remove from the view."""
    write = node.desire(now)
    return frozenset() if write is None else node.view.uids - write.view.uids


def test_who_is_silent_for_long_is_gone():
    node = patient()
    node.hinted(frozenset({"uid-2"}), now=2.0)
    assert node.wants_list(2.1)
    node.listed(present(2.2, 2))
    assert not removes(node, 3.0)
    assert not removes(node, 33.4)
    assert node.next_time(32.0) <= 33.5
    assert removes(node, 33.5) == {"uid-1"}


def test_who_comes_back_is_not():
    node = patient()
    node.hinted(frozenset({"uid-2"}), now=2.0)
    node.listed(present(2.2, 2))
    assert not removes(node, 3.0)
    node.hinted(frozenset({"uid-1", "uid-2"}), now=20.0)
    assert node.wants_list(20.1)
    node.listed(present(20.2, 1, 2))
    assert not node.wants_list(20.3)
    assert not removes(node, 40.0)
    node.hinted(frozenset({"uid-2"}), now=41.0)
    node.listed(present(41.1, 2))
    assert not removes(node, 42.0), "it is waited for anew"
    assert not removes(node, 72.0)
    assert removes(node, 73.0) == {"uid-1"}


def test_words_bring_views_and_releases():
    node = running(at=1.0)
    newer = changed(node.view)
    node.heard(Word("uid-1", newer, newer.epoch), now=2.0)
    assert node.view == newer
    assert node.takeover.live_slots == node.takeover.owned
