"""What the programs share. A program is a script of named checks, run by the client's own python::

    python groups.py FOLDER        # FOLDER is a domain path such as /home/ann/x/, which it makes

Its last line is JSON: for every check null, or the reason of the client for not offering what it checks, or
the traceback. Where to connect and as whom comes from h5pyd's environment (HS_ENDPOINT, HS_USERNAME, ...).
"""

from __future__ import annotations

import json
import re
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import h5pyd
import numpy as np

OLD = h5pyd.__version__.startswith("0.")
"""The generation of clients that talks to the server at each step; the later one keeps a file in memory."""


class NotOffered(Exception):
    """The client itself cannot do this, whatever the server. The text says how it fails."""


@dataclass(frozen=True)
class Box:
    """A folder to put domains in, of one check alone."""

    folder: str

    def path(self, name: str = "file.h5") -> str:
        return self.folder + name

    def open(self, mode: str, name: str = "file.h5", **options: Any) -> Any:
        """Open a domain. Readers do not use the copies that the old client keeps of whole files."""
        if OLD and mode == "r":
            options.setdefault("use_cache", False)
        return h5pyd.File(self.path(name), mode, **options)


Check = Callable[[Box], None]
_CHECKS: dict[str, Check] = {}


def check(function: Check) -> Check:
    """Make a function a check of its program."""
    _CHECKS[function.__name__] = function
    return function


def not_offered_by_old(reason: str) -> None:
    """Leave a check that the old client cannot pass."""
    if OLD:
        raise NotOffered(reason)


def not_offered_by_new(reason: str) -> None:
    """Leave a check that the new client cannot pass."""
    if not OLD:
        raise NotOffered(reason)


def raises(status: int | type[BaseException], call: Callable[[], Any]) -> BaseException:
    """Call, expecting an error: of a type, or an OSError with an HTTP status in errno."""
    try:
        call()
    except Exception as error:  # whatever is not expected is raised again
        expected = isinstance(error, status) if isinstance(status, type) else _status(error) == status
        if expected:
            return error
        raise
    raise AssertionError(f"no error, expected {status}")


def _status(error: BaseException) -> int | None:
    if not isinstance(error, OSError):
        return None
    told = re.search(r"status(?: code)?: (\d{3})", str(error))
    return error.errno or (int(told[1]) if told else None)


def equal(found: Any, expected: Any) -> None:
    """Assert equality, of arrays too, and show both."""
    if isinstance(expected, np.ndarray):
        found = np.asarray(found)
        assert found.dtype == expected.dtype, f"dtype {found.dtype}, expected {expected.dtype}"
        assert found.shape == expected.shape, f"shape {found.shape}, expected {expected.shape}"
        np.testing.assert_array_equal(found, expected)
    else:
        assert found == expected, f"{found!r}, expected {expected!r}"


def make_folder(path: str) -> None:
    h5pyd.Folder(path, mode="x").close()


def main() -> None:
    """Run every check of the program, or those named, and report."""
    folder, names = sys.argv[1], sys.argv[2:]
    make_folder(folder)
    report: dict[str, str | None] = {}
    for name, function in _CHECKS.items():
        if names and name not in names:
            continue
        box = Box(f"{folder}{name}/")
        try:
            make_folder(box.folder)
            function(box)
        except NotOffered as reason:
            report[name] = f"not offered: {reason}"
        except Exception:  # noqa: BLE001 - whatever it is, it is the result
            report[name] = traceback.format_exc()
        else:
            report[name] = None
    print(json.dumps(report))
