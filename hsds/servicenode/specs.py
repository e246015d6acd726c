"""What of datasets never changes, parsed once: type, layout, filters and fill value."""

from __future__ import annotations

from collections import OrderedDict

from hsds.hdf5.dataset import DatasetSpec
from hsds.transport.ops import Json

_FIXED = ("type", "creationProperties", "layout")


class SpecCache:
    """The specs of the datasets last used. A dataset deleted and made anew under its id is told apart by its
    JSON; extents are no part of a spec.
    """

    def __init__(self, size: int = 1024) -> None:
        self._size = size
        self._specs: OrderedDict[str, tuple[tuple[object, ...], DatasetSpec]] = OrderedDict()

    def __repr__(self) -> str:
        return f"<SpecCache {len(self._specs)}/{self._size}>"

    def get(self, json: Json) -> DatasetSpec:
        """The spec of a dataset's stored JSON."""
        fixed = tuple(json.get(name) for name in _FIXED)
        known = self._specs.get(json["id"])
        if known is not None and known[0] == fixed:  # mostly the very same objects, so this costs nothing
            self._specs.move_to_end(json["id"])
            return known[1]
        spec = DatasetSpec.from_json(json)
        self._specs[json["id"]] = fixed, spec
        if len(self._specs) > self._size:
            self._specs.popitem(last=False)
        return spec
