"""Taking over: who is waited for, for how long, and what is kept."""

from dataclasses import replace

from hsds.cluster.slots import slots_in
from hsds.cluster.takeover import ALL, Takeover
from hsds.cluster.view import Member, changed, first_view, settled

WAIT = 10.2


def member(n):
    return Member(f"uid-{n}", f"10.0.0.{n}", 6101)


def taking(n):
    return Takeover(f"uid-{n}", wait=WAIT)


ONE = changed(first_view("c", epoch=0), join=member(1))
TWO = changed(ONE, join=member(2))


def test_the_first_member_waits_for_nobody():
    one = taking(1)
    assert one.adopt(ONE, 0.0) == (ALL, 0)
    assert one.live_slots == ALL
    assert one.tenure(0) == 1


def test_a_newcomer_waits_for_the_word_of_the_former_owner():
    one, two = taking(1), taking(2)
    one.adopt(ONE, 0.0)
    _, lost = one.adopt(TWO, 5.0)
    gained, _ = two.adopt(TWO, 5.0)
    assert lost == gained != 0
    assert (one.live_slots, two.live_slots) == (ALL & ~lost, 0)
    two.released("uid-1", 1)
    assert two.live_slots == 0, "the word is older than the gain"
    two.released("uid-1", 2)
    assert two.live_slots == gained


def test_without_a_word_time_has_to_pass():
    two = taking(2)
    two.adopt(TWO, 5.0)
    assert two.next_deadline() == 5.0 + WAIT
    two.tick(5.0 + WAIT - 0.001)
    assert two.live_slots == 0
    two.tick(5.0 + WAIT)
    assert two.live_slots == two.owned


def test_who_left_has_released_and_who_was_removed_has_not():
    for after, live in ((changed(TWO, leave="uid-1"), True), (changed(TWO, remove=["uid-1"]), False)):
        two = taking(2)
        two.adopt(settled(TWO, 1), 0.0)
        two.adopt(after, 1.0)
        assert two.owned == ALL
        assert (two.live_slots == ALL) is live


def test_a_mark_of_having_left_ends_a_wait_that_began_before():
    three, view = taking(3), changed(changed(TWO, join=member(3)), join=member(4))
    three.adopt(view, 0.0)
    assert three.awaited() == {"uid-1", "uid-2"}
    three.adopt(changed(view, leave="uid-1"), 1.0)
    assert three.awaited() == {"uid-2"}


def test_a_wait_keeps_its_place():
    two = taking(2)
    two.adopt(TWO, 0.0)
    waiting = two.owned
    two.adopt(changed(TWO), 6.0)
    two.tick(WAIT)
    assert two.live_slots == waiting
    assert two.tenure(int(slots_in(waiting)[0])) == TWO.epoch


def test_a_wait_that_another_began_is_not_begun_anew():
    """Slots of a lost member went to a newcomer, which leaves before its wait is over."""
    one, two = taking(1), changed(changed(ONE, join=member(3)), join=member(4))
    one.adopt(settled(two, 2), 0.0)
    lost = changed(settled(two, 2), remove=["uid-3"])
    one.adopt(lost, 1.0)
    back = changed(lost, leave="uid-4")
    one.adopt(back, 9.0)
    assert one.owned == ALL
    assert one.awaited() == {"uid-3"}
    one.tick(1.0 + WAIT)
    assert one.live_slots == ALL


def test_what_went_and_came_while_asleep_is_taken_over_anew():
    one, away = taking(1), changed(ONE, join=member(2))
    one.adopt(ONE, 0.0)
    back = changed(away, remove=["uid-2"])
    gained, lost = one.adopt(back, 20.0)
    assert gained == lost == away.masks()["uid-2"]
    assert one.live_slots == ALL & ~gained
    assert one.awaited() == {"uid-2"}


def test_where_the_history_does_not_reach_nothing_is_kept_and_nobody_is_believed():
    one = taking(1)
    one.adopt(ONE, 0.0)
    later = replace(ONE, epoch=9, settled=3, history={9: ONE.uids})
    assert one.adopt(later, 20.0) == (ALL, ALL)
    one.released("uid-2", 9)
    assert one.live_slots == 0
    one.tick(20.0 + WAIT)
    assert one.live_slots == ALL


def test_nobody_is_waited_for_whose_lease_has_run_out():
    two = taking(2)
    two.adopt(settled(changed(TWO, remove=["uid-1"]), 2), 0.0)
    assert two.live_slots == ALL


def test_a_new_process_owns_nothing_at_the_epoch_that_it_found():
    one = Takeover("uid-1", wait=WAIT, born=TWO.epoch)
    assert one.adopt(TWO, 0.0) == (0, 0)
    raised = changed(TWO)
    one.adopt(raised, 1.0)
    assert one.owned == raised.masks()["uid-1"]
    assert one.tenure(int(slots_in(one.owned)[0])) == raised.epoch


def test_older_views_change_nothing():
    one = taking(1)
    one.adopt(TWO, 0.0)
    assert one.adopt(ONE, 1.0) == (0, 0)
    assert one.epoch == TWO.epoch


def test_who_closes_owns_nothing_ever_again():
    one = taking(1)
    one.adopt(ONE, 0.0)
    assert one.close() == ALL
    one.adopt(changed(ONE), 1.0)
    assert (one.owned, one.live_slots) == (0, 0)
