"""A request about the values of one dataset: the dataset as it is now, and the options of URL and body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hsds.errors import InvalidInput
from hsds.hdf5.dataset import DatasetSpec
from hsds.hdf5.dataspace import Dataspace
from hsds.hdf5.datatype import Datatype
from hsds.hdf5.fields import select_fields
from hsds.hdf5.query import Query, parse_query
from hsds.hdf5.reasons import kind_of
from hsds.servicenode.call import Call, Domain
from hsds.servicenode.early import ask_early_for_values, asker
from hsds.servicenode.permissions import Action
from hsds.transport.ops import Json

_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ValueRequest:
    """What the handlers of values pass around. ``json`` is the dataset's stored JSON (read only)."""

    call: Call
    domain: Domain
    json: Json
    spec: DatasetSpec
    space: Dataspace
    body: Mapping[str, Any] = field(default_factory=dict)
    """The JSON body, whose members are options as those of the URL are; empty when there is none."""

    @property
    def bucket(self) -> str:
        return self.domain.bucket

    @property
    def dims(self) -> tuple[int, ...]:
        """Extents that selections are made of; a scalar has ``(1,)``."""
        return self.space.extents

    def option(self, name: str) -> Any:
        """An option's value as the body or, as text, the URL gives it. ``None`` when neither does."""
        value = self.body.get(name)
        return self.call.text(name) if value is None else value

    def text(self, name: str) -> str | None:
        """An option that must be text. Empty text counts as absent."""
        value = self.option(name)
        if value is not None and not isinstance(value, str):
            raise InvalidInput(f"{name} must be text, not {kind_of(value)}")
        return value or None

    def integer(self, name: str) -> int | None:
        """An option that must be an integer."""
        value = self.option(name)
        if isinstance(value, str):
            if not value:
                return None
            if not _INTEGER.fullmatch(value):
                raise InvalidInput(f"{name} must be an integer, got {value!r}"[:200])
            return int(value)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise InvalidInput(f"{name} must be an integer, not {kind_of(value)}")
        return value

    def fields(self) -> tuple[str, ...] | None:
        """Names of the members that the request is limited to: ``a:b`` or a list of names."""
        value = self.option("fields")
        if isinstance(value, str):
            return tuple(value.split(":")) if value else None
        if isinstance(value, list) and all(isinstance(name, str) for name in value):
            return tuple(value) or None
        if value is not None:
            raise InvalidInput("fields must be names joined by ':'")
        return None

    def datatype(self) -> Datatype:
        """The type of the values that go over the wire: the dataset's, or its members of ``fields``."""
        names = self.fields()
        return self.spec.datatype if names is None else select_fields(self.spec.datatype, names)

    def query(self) -> Query | None:
        """The query over the dataset's elements, if there is one."""
        text = self.call.text("query") or self.text("query")  # a member may be called query, too
        return None if text is None else parse_query(text, self.spec.datatype)

    def limit(self) -> int:
        """``Limit``: how many hits of a query are asked for; 0 for all."""
        limit = self.integer("Limit") or 0
        if limit < 0:
            raise InvalidInput(f"Limit must not be negative, got {limit}")
        return limit

    def forbid(self, what: str, *names: str) -> None:
        """``InvalidInput`` if any of these options is given; ``what`` they do not go with."""
        for name in names:
            if self.option(name) is not None:
                raise InvalidInput(f"{name} cannot be given with {what}")

    def hrefs(self) -> list[dict[str, str]]:
        """Links of an answer with values."""
        return self.call.hrefs(
            [
                ("self", self.call.request.path),
                ("root", f"/groups/{self.domain.root}"),
                ("home", "/"),
                ("owner", f"/datasets/{self.spec.id}"),
            ]
        )


async def open_values(call: Call, action: Action) -> ValueRequest:
    """The dataset named in the URL, for someone who may do ``action``. A null space has no values: 400."""
    await ask_early_for_values(call, read=call.request.method == "GET")
    domain = await call.file(action)
    state = await call.object(domain, call.path["id"], "datasets")
    call.node.guesses.remember(asker(call), state.json)
    space = Dataspace.from_json(state.json["shape"])
    if space.kind == "null":
        raise InvalidInput(f"dataset {state.json['id']} has a null dataspace: it holds no values")
    spec = call.node.specs.get(state.json)
    call.early.check(spec)
    return ValueRequest(call, domain, state.json, spec, space)
