"""What datasets were like when they were last used: enough to guess what will be asked, never an answer."""

from __future__ import annotations

from collections import OrderedDict

from hsds.transport.ops import Json

_MOST = 1024
Asker = tuple[str | None, str, str]
"""User, bucket and domain."""


class Guesses:
    """The JSON of the datasets last used, by who was allowed to and id, as it was then."""

    def __init__(self) -> None:
        self._datasets: OrderedDict[tuple[Asker, str], Json] = OrderedDict()

    def get(self, asker: Asker, dataset: str) -> Json | None:
        """What a dataset was like."""
        return self._datasets.get((asker, dataset))

    def remember(self, asker: Asker, json: Json) -> None:
        """What a dataset is like now."""
        place = asker, json["id"]
        self._datasets[place] = json
        self._datasets.move_to_end(place)
        if len(self._datasets) > _MOST:
            self._datasets.popitem(last=False)
