"""Real HDF5 files go in with hsload, are walked beside the originals, and come out again with hsget.

Files are those of ``HSDS_TEST_DATA`` (default: ``shared/data`` beside the checkout, where that exists), and
those that ``samples`` makes. What a client cannot do with a file stands in ``KNOWN``, in its own words; with
HSDS 1.0.2 as the server it was no different.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import h5py
import pytest

from tests.clients.client import Client
from tests.clients.samples import SAMPLES

DATA = Path(os.environ.get("HSDS_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")
SUFFIXES = {".h5", ".hdf5", ".nxs", ".nx5", ".nc", ".hdf"}
FILES = sorted(path.name for path in DATA.iterdir() if path.suffix in SUFFIXES) if DATA.is_dir() else []


@dataclass(frozen=True)
class Known:
    """What a client fails at: parts of its own errors, or of the differences that it makes."""

    load: str = ""
    """hsload ends with this."""
    walk: tuple[str, ...] = ()
    """The walk finds these differences."""
    get: str = ""
    """hsget ends with this."""
    got: tuple[str, ...] = ()
    """What hsget brings has these differences."""


KNOWN: dict[tuple[str, str], Known] = {
    # texts in Latin-1, which it takes for UTF-8
    ("h5pyd1", "Sample_Stack_2021-03-16_128.hdf5"): Known(load="can't encode character '\\udcb5'"),
    # fixed strings outside ASCII: it reads JSON text into a numpy array of bytes
    ("h5pyd024", "Sample_Stack_2021-03-16_128.hdf5"): Known(
        walk=("UnicodeEncodeError('ascii'",), get="UnicodeEncodeError: 'ascii'"
    ),
    # region references: neither has a type for them
    ("h5pyd1", "regionref_dset.h5"): Known(load="ValueError: Unexpected metadata type"),
    ("h5pyd024", "regionref_dset.h5"): Known(load="ValueError: Unexpected metadata type"),
    # hsget writes references of attributes that refer to something else
    ("h5pyd1", "references.h5"): Known(got=("/@ref value",)),
    ("h5pyd024", "references.h5"): Known(got=("/@ref value",)),
    ("h5pyd1", "ex_image2.h5"): Known(got=("/image8bit@PALETTE value",)),
    ("h5pyd024", "ex_image2.h5"): Known(got=("/image8bit@PALETTE value",)),
    # hsget of elements without values
    ("h5pyd1", "gaps.h5"): Known(get="ended by signal 11"),
    # filters that are not among the compressors of the service
    ("h5pyd024", "lzf_and_szip.h5"): Known(load="ValueError: Unknown compression"),
}


@pytest.fixture(params=[*SAMPLES, *FILES])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    name: str = request.param
    if name not in SAMPLES:
        return DATA / name
    path = tmp_path / name
    with h5py.File(path, "w") as f:
        SAMPLES[name](f)
    return path


def test_a_file_goes_in_and_comes_out(client: Client, source: Path) -> None:
    known = KNOWN.get((client.name, source.name), Known())
    domain = client.folder + source.name
    if not ran(client, "hsload", str(source), client.folder, known=known.load):
        return
    walk(client, source, domain, known.walk)
    if ran(client, "hsget", domain, "got.h5", known=known.get):
        walk(client, source, str(client.work / "got.h5"), known.got)


def ran(client: Client, app: str, *args: str, known: str) -> bool:
    """Run an app: it must end well, or else with the fault that is known."""
    done = client.app(app, *args)
    text = done.text if done.status >= 0 else f"{done.text}\nended by signal {-done.status}"
    if known:
        assert known in text, f"{app}: not as known: {text[-3000:]}"
        return False
    assert done.status == 0, f"{app}: {text[-3000:]}"
    return True


def walk(client: Client, source: Path, other: str, known: tuple[str, ...]) -> None:
    """Compare: there must be no difference but those known, and these must be there."""
    differences = client.program("compare", str(source), other).json()
    left = [line for line in differences if not any(text in line for text in known)]
    assert not left, "\n".join(left)
    assert all(any(text in line for line in differences) for text in known), f"not as known: {differences}"


def test_names_in_the_table_are_of_files_that_exist() -> None:
    if FILES:
        assert {name for _, name in KNOWN} <= {*FILES, *SAMPLES}
