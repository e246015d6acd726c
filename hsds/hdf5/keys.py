"""Names of objects in the store: HSDS schema v2, relative to a bucket (contract, sections 2.2 and 2.4).

Where the bytes of a domain, object or chunk are, and back: what a key found in a listing stands for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from hsds.errors import InvalidInput
from hsds.hdf5.ids import is_root, root_of

Kind = Literal["domain", "group", "dataset", "datatype", "chunk", "info", "summary"]

DOMAIN_FILE: Final = ".domain.json"
_OBJECT_FILES: Final = {"g": ".group.json", "d": ".dataset.json", "t": ".datatype.json"}
_PRIMES: Final = (29, 31, 37, 41, 43, 47, 53, 59, 61, 67)
_ROOT: Final = r"db/(?P<root>[0-9a-f]{8}-[0-9a-f]{8})/"
_ROOT_KEY: Final = re.compile(_ROOT + r"\.(?P<kind>group|info|summary)\.json")
_OBJECT_KEY: Final = re.compile(
    _ROOT + r"(?P<letter>[gdt])/(?P<rest>[0-9a-f]{4}-[0-9a-f]{6}-[0-9a-f]{6})/"
    r"(?:\.(?P<kind>group|dataset|datatype)\.json|(?:p[0-9]+/)?(?P<index>[0-9]+(?:_[0-9]+)*))",
    re.ASCII,
)
_KIND_OF_LETTER: Final[dict[str, Kind]] = {"g": "group", "d": "dataset", "t": "datatype"}


@dataclass(frozen=True, slots=True)
class StoredKey:
    """What a key stands for. ``id`` is an object's id (a chunk's: its dataset's; a scan result's: the root's)
    or a domain's path; ``index`` is a chunk's index.
    """

    kind: Kind
    id: str
    index: tuple[int, ...] | None = None


def domain_key(path: str) -> str:
    """Key of the domain or folder at an absolute path, e.g. ``home/joe/x.h5/.domain.json``."""
    return f"{_relative(path)}/{DOMAIN_FILE}"


def folder_prefix(path: str) -> str:
    """Prefix of all keys below a folder: ``home/joe/``; the empty prefix for ``/``."""
    return "" if path == "/" else f"{_relative(path)}/"


def root_prefix(id_: str) -> str:
    """Prefix of everything in the domain that an object belongs to."""
    return f"db/{id_[2:19]}/"


def object_key(id_: str) -> str:
    """Key of the JSON of a group, dataset or committed datatype."""
    file = _OBJECT_FILES[id_[0]]
    return root_prefix(id_) + file if is_root(id_) else object_prefix(id_) + file


def object_prefix(id_: str) -> str:
    """Prefix of the keys of an object that is no root group."""
    return f"db/{id_[2:19]}/{id_[0]}/{id_[20:]}/"


def dataset_prefix(id_: str) -> str:
    """Prefix of the keys of a dataset and its chunks."""
    return object_prefix(id_)


def chunk_key(dataset_id: str, index: Sequence[int], partition_count: int = 1) -> str:
    """Key of one chunk of a dataset. A scalar dataset has the one chunk ``(0,)``."""
    return dataset_prefix(dataset_id) + chunk_name(index, partition_count)


def chunk_name(index: Sequence[int], partition_count: int = 1) -> str:
    """What follows the dataset's prefix in a chunk's key, e.g. ``0_3`` or ``p7/0_3``."""
    name = "_".join(map(str, index))
    if partition_count <= 1:
        return name
    partition = sum(i * _PRIMES[axis % len(_PRIMES)] for axis, i in enumerate(index)) % partition_count
    return f"p{partition}/{name}"


def info_key(root: str) -> str:
    """Key of the result of HSDS's scan of a root."""
    return f"{root_prefix(root)}.info.json"


def summary_key(root: str) -> str:
    """Key of HSDS 1.x's consolidated metadata of a root."""
    return f"{root_prefix(root)}.summary.json"


def parse_key(key: str) -> StoredKey | None:
    """What a key stands for; None for a key that is none of ours."""
    if match := _OBJECT_KEY.fullmatch(key):
        letter, index = match["letter"], match["index"]
        id_ = f"{letter}-{match['root']}-{match['rest']}"
        if index is not None:
            return StoredKey("chunk", id_, tuple(map(int, index.split("_")))) if letter == "d" else None
        kind = _KIND_OF_LETTER[letter]
        return StoredKey(kind, id_) if match["kind"] == kind else None
    if match := _ROOT_KEY.fullmatch(key):
        return StoredKey(match["kind"], root_of(f"g-{match['root']}-"))  # type: ignore[arg-type]  # _ROOT_KEY finds Kinds only
    if key.endswith("/" + DOMAIN_FILE):
        return StoredKey("domain", "/" + key[: -len(DOMAIN_FILE) - 1])
    return None


def _relative(path: str) -> str:
    """A path without its leading slash; ``InvalidInput`` unless it names something below ``/``."""
    if not path.startswith("/") or path.endswith("/"):
        raise InvalidInput(f"not an absolute path of a domain: {path!r}")
    return path[1:]
