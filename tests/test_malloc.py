"""What malloc does with freed memory, in processes of their own."""

import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another malloc")


def run(program: str, *words: str) -> list[int]:
    """The numbers that a program prints."""
    command = [sys.executable, "-c", program, *words]
    return [
        int(word)
        for word in subprocess.run(command, capture_output=True, check=True, text=True).stdout.split()
    ]


_FAULTS = """
import resource, sys
import numpy as np
from hsds.malloc import keep_freed
if sys.argv[1:]:
    keep_freed()
def use():
    values = [np.ones(1 << 20, np.uint8) for _ in range(5)]
use(), use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    use()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_what_is_freed_is_kept():
    (kept,), (given_back,) = run(_FAULTS, "keep"), run(_FAULTS)
    assert kept * 5 < given_back


_HOLES = """
import time
import hsds.malloc
from hsds.malloc import _resident, give_back_freed, use_few_arenas
hsds.malloc._LOOK_SECONDS = hsds.malloc._SELDOM_SECONDS = 0.05
use_few_arenas()
give_back_freed()
small = 100_000  # less than malloc takes from the system by itself
values = [b"x" * small for _ in range(2000)]
full = _resident()
del values[::2]
end = time.monotonic() + 20
while _resident() > full - 60_000_000 and time.monotonic() < end:
    time.sleep(0.05)
print(full, _resident())
"""


def test_what_is_free_between_values_is_given_back():
    full, rest = run(_HOLES)
    assert rest < full - 60_000_000
