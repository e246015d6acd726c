"""One h5pyd client, a writer or a reader; it verifies every byte.

    clients.py DIRECTORY ENDPOINT KIND NUMBER WRITERS

Each writer has a file. What it has sent and what was acknowledged stands on a board in shared memory: serial
numbers by block. A reader looks at the board before and after: what it reads must be whole, at least what was
acknowledged or seen before, and nothing that was not sent. A line for each operation goes to a file; a file
``stop`` ends everybody, and then each writer reads all that it wrote.
"""

import json
import os
import random
import sys
import time
from pathlib import Path

import h5pyd
import numpy as np
import requests

BLOCKS, ROWS, WIDTH = 32, 8, 256
SENT, ACKNOWLEDGED, SEEN = 0, 1, 2
PAUSE = float(os.environ.get("PAUSE", "0.05"))
"""Seconds between two operations of a client, on average."""
TRIES = int(os.environ.get("TRIES", "1"))
"""How often it is tried to make the file, and to open it for the verdict: neither is what is judged."""


class Stopwatch:
    """The longest request since it was asked last. Repeats that h5pyd makes by itself count as one."""

    def __init__(self):
        self.longest = 0.0
        send = requests.Session.send

        def timed(session, request, **options):
            began = time.monotonic()
            try:
                return send(session, request, **options)
            finally:
                self.longest = max(self.longest, time.monotonic() - began)

        requests.Session.send = timed

    def take(self):
        longest, self.longest = self.longest, 0.0
        return longest


class Client:
    """What writers and readers share."""

    def __init__(self, folder, endpoint, kind, number, writers):
        self.folder, self.number, self.writers = folder, number, writers
        self.options = {
            "endpoint": endpoint,
            "username": os.environ["HS_USERNAME"],
            "password": os.environ["HS_PASSWORD"],
        }
        self.board = np.memmap(folder / "board", np.int64, "r+", shape=(writers, BLOCKS + 1, 3))
        """The last place of each writer is that of its attribute."""
        self.log = (folder / f"operations-{kind}-{number}").open("w", buffering=1)
        self.random = random.Random(f"{kind} {number}")
        self.watch = Stopwatch()

    def path(self, writer):
        return f"/home/{self.options['username']}/writer-{writer}.h5"

    def go_on(self):
        return not (self.folder / "stop").exists()

    def note(self, work):
        """Carry out one operation, which says what it found to be wrong, and write down how it went."""
        began, error, wrong = time.monotonic(), None, None
        self.watch.take()
        try:
            wrong = work()
        except Exception as found:  # noqa: BLE001 - whatever a client meets counts
            error = f"{type(found).__name__}: {found}"
        line = [began, time.monotonic(), self.watch.take(), work.__name__, error, wrong]
        self.log.write(json.dumps(line) + "\n")
        time.sleep(self.random.expovariate(1 / PAUSE) if error is None else 0.2)
        return error is None

    def check_block(self, file, writer, block):
        """Read a block: None, or what is wrong."""
        before = self.oldest(writer, block)
        found = file["x"][block * ROWS : (block + 1) * ROWS]
        serial = int(found.flat[0] >> 24)
        if not np.array_equal(found, content(writer, block, serial)):
            return f"block {block} of writer {writer}: not all of it is {serial}"
        return self.check(writer, block, before, serial)

    def check_attribute(self, file, writer, before):
        """``before`` is from before the file was opened: h5pyd reads attributes early."""
        return self.check(writer, BLOCKS, before, int(file["x"].attrs["serial"]))

    def oldest(self, writer, place):
        """What a read that begins now must show at least."""
        return int(max(self.board[writer, place, ACKNOWLEDGED], self.board[writer, place, SEEN]))

    def check(self, writer, place, before, serial):
        if before <= serial <= int(self.board[writer, place, SENT]):
            self.board[writer, place, SEEN] = max(serial, self.board[writer, place, SEEN])
            return None
        return f"place {place} of writer {writer}: {serial}, where {before} was acknowledged or seen"


class Writer(Client):
    """Changes its file: blocks of a dataset, an attribute, new groups."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.serial = 0
        self.groups = set()
        self.file = None

    def create(self):
        with h5pyd.File(self.path(self.number), "w", **self.options) as file:
            shape = (BLOCKS * ROWS, WIDTH)
            dataset = file.create_dataset("x", shape, "i8", chunks=(4 * ROWS, WIDTH))
            dataset[...] = np.concatenate([content(self.number, block, 0) for block in range(BLOCKS)])
            dataset.attrs["serial"] = 0

    def run(self):
        self.again(self.create)
        (self.folder / f"ready-{self.number}").touch()
        works = (self.block, self.block, self.attribute, self.group, self.own)
        while self.go_on():
            if not self.note(self.random.choice(works)):
                self.file = None
        self.again(self.verdict)

    def again(self, work):
        for _ in range(TRIES - 1):
            try:
                return work()
            except OSError:
                time.sleep(2)
        return work()

    def opened(self):
        if self.file is None:
            self.file = h5pyd.File(self.path(self.number), "a", **self.options)
        return self.file

    def place(self, where):
        """The next serial number, written on the board as sent."""
        self.serial += 1
        self.board[self.number, where, SENT] = self.serial
        return self.serial

    def block(self):
        file, block = self.opened(), self.random.randrange(BLOCKS)
        serial = self.place(block)
        file["x"][block * ROWS : (block + 1) * ROWS] = content(self.number, block, serial)
        file.flush()  # h5pyd sends nothing before
        self.board[self.number, block, ACKNOWLEDGED] = serial

    def attribute(self):
        file = self.opened()
        serial = self.place(BLOCKS)
        file["x"].attrs["serial"] = serial
        file.flush()
        self.board[self.number, BLOCKS, ACKNOWLEDGED] = serial

    def group(self):
        file = self.opened()
        self.serial += 1
        file.create_group(f"g{self.serial}")
        file.flush()
        self.groups.add(f"g{self.serial}")

    def own(self):
        """As another client, which has nothing in its memory."""
        with h5pyd.File(self.path(self.number), "r", **self.options) as file:
            return self.check_block(file, self.number, self.random.randrange(BLOCKS))

    def verdict(self):
        """What was acknowledged and is not there."""
        before = self.oldest(self.number, BLOCKS)
        with h5pyd.File(self.path(self.number), "r", **self.options) as file:
            faults = [self.found(self.check_block, file, self.number, block) for block in range(BLOCKS)]
            faults.append(self.found(self.check_attribute, file, self.number, before))
            missing = sorted(self.groups - set(file))
        found = [fault for fault in faults if fault] + [f"group {name} is missing" for name in missing]
        (self.folder / f"verdict-{self.number}").write_text(json.dumps(found))

    def found(self, check, *arguments):
        try:
            return check(*arguments)
        except OSError as error:
            return f"{arguments[1:]} cannot be read: {error}"


class Reader(Client):
    """Reads what writers write meanwhile, each time as a client that has nothing in its memory."""

    def run(self):
        while self.go_on():
            self.note(self.read)

    def read(self):
        writer = self.random.randrange(self.writers)
        before = self.oldest(writer, BLOCKS)
        with h5pyd.File(self.path(writer), "r", **self.options) as file:
            wrong = self.check_block(file, writer, self.random.randrange(BLOCKS))
            return wrong or self.check_attribute(file, writer, before)


def content(writer, block, serial):
    """Values that tell what they are, and where."""
    places = np.arange(ROWS * WIDTH, dtype="i8").reshape(ROWS, WIDTH)
    return (serial << 24) + (writer << 20) + (block << 12) + places


if __name__ == "__main__":
    kinds = {"writer": Writer, "reader": Reader}
    folder, endpoint, kind, number, of = sys.argv[1:]
    kinds[kind](Path(folder), endpoint, kind, int(number), int(of)).run()
