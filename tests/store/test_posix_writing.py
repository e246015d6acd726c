"""Large files leave the page cache where room in it is dear; their bytes are the same either way."""

import os
from pathlib import Path

import pytest

from hsds.store import posix_writing
from hsds.store.posix_spares import SMALL
from hsds.store.posix_writing import Writing

LARGE = os.urandom(SMALL + 1)


class Times:
    """A clock of a thread that moves on by ``step`` whenever it is read; and the flags of all writes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, step: float) -> None:
        self.step, self.now = step, 0.0
        self.flags: list[int] = []
        self.refuse: int | None = None
        monkeypatch.setattr("time.thread_time", self._read)
        self._pwritev = os.pwritev
        monkeypatch.setattr("os.pwritev", self._write)

    def _read(self) -> float:
        self.now += self.step
        return self.now

    def _write(self, file: int, parts: list[memoryview], at: int, flags: int = 0) -> int:
        self.flags.append(flags)
        if self.refuse is not None:
            raise OSError(self.refuse, os.strerror(self.refuse))
        return self._pwritev(
            file, [parts[0][:40_000]], at
        )  # in several pieces, and no flag the system refuses


def write(writing: Writing, path: Path, data: bytes, present: int = 0) -> bytes:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        writing.write(file, data, present=present)
    finally:
        os.close(file)
    return path.read_bytes()


@pytest.fixture
def dear(monkeypatch: pytest.MonkeyPatch) -> Times:
    return Times(monkeypatch, 1.0)


@pytest.mark.skipif(not Writing()._can_pass, reason="only Linux has the flag")
def test_dear_pages_are_given_back_and_tried_again(dear: Times, tmp_path: Path) -> None:
    writing = Writing()
    for i in range(posix_writing._AGAIN):
        assert write(writing, tmp_path / "f", LARGE) == LARGE
        assert (posix_writing._DONT_CACHE in dear.flags) == (i > 0)
    dear.flags.clear()
    dear.step = 0.0  # cheap again
    for _ in range(3):
        assert write(writing, tmp_path / "f", LARGE) == LARGE
    assert dear.flags == []


def test_cheap_pages_stay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    times = Times(monkeypatch, 0.0)
    writing = Writing()
    for _ in range(3):
        assert write(writing, tmp_path / "f", LARGE) == LARGE
    assert times.flags == []


def test_small_files_and_files_with_pages_stay(dear: Times, tmp_path: Path) -> None:
    writing = Writing()
    write(writing, tmp_path / "f", LARGE)
    assert write(writing, tmp_path / "f", LARGE[:-1]) == LARGE[:-1]
    assert write(writing, tmp_path / "f", LARGE, present=len(LARGE)) == LARGE
    assert dear.flags == []


@pytest.mark.skipif(not Writing()._can_pass, reason="only Linux has the flag")
def test_a_file_system_without_it_is_asked_once(dear: Times, tmp_path: Path) -> None:
    writing = Writing()
    dear.refuse = next(iter(posix_writing._REFUSED))
    for _ in range(4):
        assert write(writing, tmp_path / "f", LARGE) == LARGE
    assert len(dear.flags) == 1


@pytest.mark.skipif(not Writing()._can_pass, reason="only Linux has the flag")
def test_a_full_disk_is_an_error(dear: Times, tmp_path: Path) -> None:
    writing = Writing()
    write(writing, tmp_path / "f", LARGE)
    dear.refuse = 28  # ENOSPC
    with pytest.raises(OSError, match="space"):
        write(writing, tmp_path / "f", LARGE)
