"""Request ids."""

import pytest

from hsds.servicenode.requestid import given_id, make_ids

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"X-Request-ID": "abc-1.2:3"}, "abc-1.2:3"),
        ({"X-Request-ID": "a b"}, None),
        ({"X-Request-ID": "x" * 129}, None),
        ({"X-Request-ID": "", "traceparent": PARENT}, "4bf92f3577b34da6a3ce929d0e0e4736"),
        ({"traceparent": PARENT.upper()}, None),
        ({"traceparent": "00-" + "0" * 32 + "-00f067aa0ba902b7-01"}, None),
        ({"traceparent": "nonsense"}, None),
    ],
)
def test_given_id(headers, expected):
    assert given_id(headers) == expected


def test_ids_differ():
    new, other = make_ids(), make_ids()
    assert len({new(), new(), other(), other()}) == 4
