"""Rates of requests, under a clock that tests set."""

import pytest

from hsds.rate import Rate


@pytest.mark.parametrize("start", [0.0, 17.25, 99.9])
def test_it_follows_what_happens(start):
    now = start
    rate = Rate(lambda: now)
    assert rate.per_second() == 0.0
    for step in range(200):  # 20 seconds of 10 a second
        now = start + step / 10
        rate.count()
    assert rate.per_second() == pytest.approx(10.0, abs=0.3)
    now += 4
    assert rate.per_second() == pytest.approx(6.0, abs=0.8)
    now += 10
    assert rate.per_second() == 0.0
    now += 1e6
    rate.count()
    assert 0.0 < rate.per_second() <= 0.2


def test_a_first_second_is_not_taken_for_more():
    now = 5.0
    rate = Rate(lambda: now)
    rate.count()
    assert rate.per_second() == 1.0
