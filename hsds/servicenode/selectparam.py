"""Which elements a value request is about: ``select``, ``start/stop/step`` or, without any, all of them."""

from __future__ import annotations

from hsds.errors import InvalidInput
from hsds.hdf5.selection import Selection, whole
from hsds.hdf5.selecttext import from_start_stop_step, parse_select
from hsds.servicenode.valuerequest import ValueRequest


def selection_of(request: ValueRequest) -> Selection:
    """The selection that the URL or the body gives; ``InvalidInput`` when they give two."""
    url, body = request.call.text("select"), request.body.get("select")
    start, stop, step = (request.body.get(name) for name in ("start", "stop", "step"))
    given = [
        name for name, value in (("select", url or None), ("a select in the body", body)) if value is not None
    ]
    if start is not None or stop is not None or step is not None:
        if start is None or stop is None:
            raise InvalidInput("start and stop must be given together")
        given.append("start and stop")
    if len(given) > 1:
        raise InvalidInput(f"{' and '.join(given)} are both given")
    if not given:
        return whole(request.dims)
    if start is not None:
        return from_start_stop_step(start, stop, step, request.dims)
    return parse_select(body if body is not None else url, request.dims)


def has_selection(request: ValueRequest) -> bool:
    """Whether the request says which elements it is about."""
    return any(request.option(name) not in (None, "") for name in ("select", "start", "stop"))
