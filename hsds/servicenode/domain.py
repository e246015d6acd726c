"""A domain as requests name it and as it is stored: a bucket and a path; owner, ACLs, maybe a root."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from hsds.errors import InvalidInput, NotSupported
from hsds.hdf5.ids import is_legacy_id, is_object_id

_BUCKET_CHARS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")
_AZURE = ".blob.core.windows.net"
_RESERVED = frozenset({"db", ".hsds"})
"""First path segments under which the store keeps objects and bookkeeping."""
_SHORTEST = 3
"""Characters of a domain's name; HSDS refuses shorter ones too, so that it could not open what they name."""


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain or folder that exists. ``json`` is the data node's own copy: read it, never change it."""

    bucket: str
    path: str
    json: Mapping[str, Any]

    @property
    def is_folder(self) -> bool:
        return "root" not in self.json

    @property
    def root(self) -> str:
        """Id of the root group; ``InvalidInput`` for a folder, which has none."""
        root = self.json.get("root")
        if not isinstance(root, str):
            raise InvalidInput(f"{self.path} is a folder, not a domain with a root group")
        if is_legacy_id(root):
            raise NotSupported(f"{self.path} is stored in HSDS's schema v1, which is not supported")
        return root

    @property
    def has_data(self) -> bool:
        """Whether there is a root group that can be read here."""
        return is_object_id(self.json.get("root"))

    @property
    def owner(self) -> str:
        return str(self.json.get("owner", ""))

    @property
    def acls(self) -> Mapping[str, Any]:
        acls = self.json.get("acls")
        return acls if isinstance(acls, Mapping) else {}


@lru_cache(1024)
def parse_domain(text: str) -> tuple[str | None, str]:
    """Split ``/path``, ``hdf5://path`` or ``bucket/path`` into a bucket (None: not said) and ``/path``.

    A storage protocol before a bucket (``s3://``, ``file://``) is dropped: each service has one store.
    Raises ``InvalidInput`` for what cannot name a domain.
    """
    name = text
    if name.startswith("hdf5:/"):
        name = "/" + name[6:].lstrip("/")
    if len(name) < _SHORTEST:
        raise InvalidInput(
            f"Invalid domain name {text!r}: it has at least {_SHORTEST} characters, as /ab has"
        )
    bucket: str | None = None
    if not name.startswith("/"):
        _, _, rest = name.rpartition("://")
        if rest.partition("/")[0].endswith(_AZURE):
            raise NotSupported(f"{text} is in Azure storage, which is not supported")
        bucket, slash, path = rest.partition("/")
        if not slash or not bucket:
            raise InvalidInput(f"Invalid domain name {text!r}: give a path such as /home/user/file.h5")
        check_bucket(bucket)
        name = "/" + path
    check_path(name)
    return bucket, name


def parse_folder(text: str) -> tuple[str | None, str]:
    """As ``parse_domain`` for a place to list: a trailing slash is fine, and ``/`` is the top."""
    if text in {"", "/"}:
        return None, "/"
    name = text[:-1] if text.endswith("/") else text
    if "/" not in name:
        check_bucket(name)  # "bucket/": the top of another bucket
        return name, "/"
    return parse_domain(name)


def check_path(path: str) -> None:
    """Raise ``InvalidInput`` unless ``path``, which begins with a slash, can be a domain's or folder's."""
    fault = path_fault(path)
    if fault is not None:
        raise InvalidInput(f"Invalid domain name {path!r}: {fault}")


def path_fault(path: str) -> str | None:
    """Why ``path``, which begins with a slash, can be no domain's or folder's; None if it can."""
    if len(path) < 2 or path.endswith("/"):
        return "no name after the last slash"
    if "//" in path:
        return "an empty part between slashes"
    if "/." in path and any(part in {".", "..", ".domain.json"} for part in path.split("/")):
        return "no part may be '.', '..' or '.domain.json'"
    if path.split("/", 2)[1] in _RESERVED:
        return "it begins with a name reserved for storage"
    if not path.isprintable() or "\ufffd" in path:
        return _character_fault(path)
    return None


def _character_fault(path: str) -> str | None:
    # isprintable() also refuses rare but lawful characters, so that only what breaks keys is refused here;
    # U+FFFD is what decoding puts in the place of bytes that are no UTF-8
    if any(ord(char) < 32 or ord(char) in {127, 0xFFFD} or 0xD800 <= ord(char) <= 0xDFFF for char in path):
        return "control characters or text that is not UTF-8"
    return None


def check_bucket(bucket: str) -> str:
    """The name of a bucket, or ``InvalidInput``."""
    if not bucket or not _BUCKET_CHARS.issuperset(bucket) or bucket in {".", "..", ".hsds"}:
        raise InvalidInput(f"Invalid bucket name {bucket!r}: letters, digits, '.', '_' and '-' only")
    return bucket


def parent_of(path: str) -> str:
    """The folder that holds ``path``; ``/`` for the top."""
    return path.rpartition("/")[0] or "/"
