"""Pods come, go, freeze and die under writers that verify. ``tests/long`` has the long form."""

import asyncio
import threading
import time
from dataclasses import dataclass, field

import numpy as np

from tests.cluster.pods import pods

FILE = "?domain=/home/joe/rows.h5"
WRITERS, WIDTH = 4, 500
TIMES = ("--lease-time", "2")


@dataclass
class Writer(threading.Thread):
    """Writes a row again and again, and reads it back through any service node: nothing else may be there."""

    cluster: object
    sn: str
    path: str
    number: int
    stop: threading.Event
    faults: list = field(default_factory=list)
    acknowledged: int = 0
    longest: float = 0.0

    def __post_init__(self):
        super().__init__()

    __hash__ = threading.Thread.__hash__

    def run(self):
        place = f"{self.path}&select=[{self.number}:{self.number + 1},0:{WIDTH}]"
        while not self.stop.is_set():
            value, began = self.acknowledged + 1, time.monotonic()
            row = np.full(WIDTH, value, "<i4").tobytes()
            status, said = self.cluster.ask(self.sn, "PUT", place, row, binary=True)
            if status != 200:
                self.faults.append(f"write {value}: {status} {said}")
                return
            self.acknowledged = value
            status, found = self.cluster.ask(self.sn, "GET", place, binary=True)
            if (status, found) != (200, row):
                self.faults.append(f"read of {value}: {status} {found[:40]}")
                return
            self.longest = max(self.longest, time.monotonic() - began)


def make_rows(cluster, sn):
    assert cluster.ask(sn, "PUT", f"/{FILE}")[0] == 201
    layout = {"class": "H5D_CHUNKED", "dims": [WRITERS // 2, 100]}
    body = {"type": "H5T_STD_I32LE", "shape": [WRITERS, WIDTH], "creationProperties": {"layout": layout}}
    status, dataset = cluster.ask(sn, "POST", f"/datasets{FILE}", body)
    assert status == 201
    return f"/datasets/{dataset['id']}/value{FILE}"


async def test_pods_come_go_freeze_and_die(tmp_path, authority):
    async with pods(tmp_path, authority, *TIMES, net="127.0.52") as made:
        await asyncio.gather(made.join(), made.join_sn())
        await made.until_all_well()
        (sn,) = made.sns
        path = await asyncio.to_thread(make_rows, made.cluster, sn)
        stop = threading.Event()
        writers = [Writer(made.cluster, sn, path, number, stop) for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        try:
            await made.join(2)
            first, second, third = made.dns
            await made.freeze(second, 4)
            await made.restart(third, 0.5)
            await made.until_all_well()
            await asyncio.gather(made.lose(third, 1), made.leave(first))
            made.force_delete(second)
            await made.join()
            await made.until_all_well()
            counts = [writer.acknowledged for writer in writers]
            await asyncio.sleep(1)
        finally:
            stop.set()
            for writer in writers:
                await asyncio.to_thread(writer.join)
        assert [fault for writer in writers for fault in writer.faults] == []
        assert all(writer.acknowledged > count > 0 for writer, count in zip(writers, counts, strict=True))
