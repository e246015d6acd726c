"""Which slot a key belongs to, and which member owns a slot. Frozen: every version must compute the same.

The key space is cut into 4,096 slots. The slot of an object is a hash of its bucket and key; the slot of a
chunk is its dataset's slot plus a mix of the chunk's index, so that a dataset spreads over all owners and
numpy finds the slots of 100,000 chunks at once. The owner of a slot is found by rendezvous hashing (Thaler
and Ravishankar, 1998): of all members the one whose uid, mixed with the slot, gives the largest number. A
member that joins n others takes 1/(n+1) of the slots from them and moves none between them.

``tests/cluster/unit/test_slots.py`` holds test vectors. To change anything here is to break rolling updates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsds.hdf5.keys import object_key, parse_key

SLOTS = 4096
_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_MIX1 = 0xBF58476D1CE4E5B9
_MIX2 = 0x94D049BB133111EB

Slots = NDArray[np.int64]
Mask = int
"""A set of slots: bit ``s`` stands for slot ``s``."""


def object_slot(bucket: str, key: str) -> int:
    """Slot of an object or domain, 0 to 4095."""
    digest = blake2b(f"{bucket}/{key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % SLOTS


@lru_cache(maxsize=1 << 16)
def key_slot(bucket: str, key: str) -> int:
    """Slot of whatever a key of the store stands for: a chunk's, or that of an object of its own."""
    parsed = parse_key(key)
    if parsed is None or parsed.index is None:
        return object_slot(bucket, key)
    return chunk_slot(object_slot(bucket, object_key(parsed.id)), parsed.index)


def chunk_slot(dataset_slot: int, index: Sequence[int]) -> int:
    """Slot of one chunk, given the slot of its dataset."""
    state = 0
    for i in index:
        state = _mix(state ^ (i & _MASK))
    return (dataset_slot + state) % SLOTS


def chunk_slots(dataset_slot: int, indices: NDArray[Any]) -> Slots:
    """Slots of many chunks at once: ``indices`` (n, rank) -> (n,) int64."""
    state = np.zeros(len(indices), np.uint64)
    for column in np.asarray(indices, np.int64).astype(np.uint64).T:
        state = _mix_array(state ^ column)
    return ((state + np.uint64(dataset_slot)) % np.uint64(SLOTS)).astype(np.int64)


def owners(uids: Iterable[str]) -> tuple[str, ...]:
    """The owner of each slot among members with these uids (at least one), in the order of slots.

    Of two equal numbers, which 64 bits make a matter of form, the smaller uid wins.
    """
    ordered = sorted(set(uids))
    seeds = [int.from_bytes(blake2b(uid.encode(), digest_size=8).digest(), "big") for uid in ordered]
    slots = _mix_array(np.arange(SLOTS, dtype=np.uint64))
    weights = np.stack([_mix_array(slots ^ np.uint64(seed)) for seed in seeds])
    return tuple([ordered[winner] for winner in weights.argmax(axis=0).tolist()])


def slots_in(mask: Mask) -> Slots:
    """The slots of a set, ascending."""
    data = np.frombuffer(mask.to_bytes(SLOTS // 8, "little"), np.uint8)
    return np.flatnonzero(np.unpackbits(data, bitorder="little"))


def owner_masks(owners_: Sequence[str]) -> dict[str, Mask]:
    """Which slots each owner has, given the owner of every slot."""
    uids = np.array(owners_)
    return {
        uid: int.from_bytes(np.packbits(uids == uid, bitorder="little").tobytes(), "little")
        for uid in dict.fromkeys(owners_)
    }


def _mix(x: int) -> int:
    """The finaliser of SplitMix64 (Steele, Lea, Flood, 2014): a bit of input moves half of the output."""
    x = (x + _GOLDEN) & _MASK
    x = ((x ^ (x >> 30)) * _MIX1) & _MASK
    x = ((x ^ (x >> 27)) * _MIX2) & _MASK
    return x ^ (x >> 31)


def _mix_array(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """``_mix`` of every element; numpy's unsigned integers wrap around as the mask does above."""
    x = x + np.uint64(_GOLDEN)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(_MIX1)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(_MIX2)
    return x ^ (x >> np.uint64(31))
