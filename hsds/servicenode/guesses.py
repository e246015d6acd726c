"""What datasets were like when they were last used: enough to guess what will be asked, never an answer."""

from __future__ import annotations

from collections import OrderedDict

from hsds.transport.ops import Json

_MOST = 1024


class Guesses:
    """The JSON of the datasets last used, by bucket and id, as it was then."""

    def __init__(self) -> None:
        self._datasets: OrderedDict[tuple[str, str], Json] = OrderedDict()

    def get(self, bucket: str, dataset: str) -> Json | None:
        """What a dataset was like."""
        return self._datasets.get((bucket, dataset))

    def remember(self, bucket: str, json: Json) -> None:
        """What a dataset is like now."""
        place = bucket, json["id"]
        self._datasets[place] = json
        self._datasets.move_to_end(place)
        if len(self._datasets) > _MOST:
            self._datasets.popitem(last=False)
