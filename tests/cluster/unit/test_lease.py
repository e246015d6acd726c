"""The lease: counted from the start of the newest GET."""

from hsds.cluster.lease import Lease


def test_it_ends_its_duration_after_the_start_of_the_newest_get():
    lease = Lease(10.0)
    assert not lease.held(0.0)
    lease.renew(5.0)
    lease.renew(3.0)
    assert lease.held(14.999)
    assert not lease.held(15.0)
    assert lease.age(6.0) == 1.0


def test_it_can_be_lost_and_had_again():
    lease = Lease(10.0)
    lease.renew(5.0)
    lease.lose()
    assert not lease.held(5.1)
    assert lease.age(5.1) is None
    lease.renew(6.0)
    assert lease.held(6.1)
