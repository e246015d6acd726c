"""The requests of HDF5's REST VOL connector, call by call of the C library, through the libcurl that it uses.

After its documentation and that of the REST API. It is a C program: it looks for certain members of the
answers, of certain types, and takes binary values into buffers of known size; so do the functions here.
"""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
import pycurl

JSON = "application/json"
BINARY = "application/octet-stream"
Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    status: int
    reason: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        assert self.headers["content-type"].startswith(JSON), self.headers
        return json.loads(self.body)


class CallFailed(Exception):
    """The connector's call returns a negative number; ``status`` is why."""

    def __init__(self, asked: str, answer: Answer) -> None:
        super().__init__(f"{asked}: {answer.status} {answer.reason}")
        self.status = answer.status


def member(data: Any, path: str, kind: type | tuple[type, ...]) -> Any:
    """A member of an answer that must be there, by names with dots between."""
    for name in path.split("."):
        assert isinstance(data, dict), f"{path}: {data!r}"
        assert name in data, f"{path}: {data!r}"
        data = data[name]
    assert isinstance(data, kind), f"{path}: {data!r}"
    return data


@dataclass
class Connector:
    """One process with the connector loaded: one curl handle for all requests, as in the connector."""

    url: str
    user: str
    password: str
    handle: pycurl.Curl = field(default_factory=pycurl.Curl)

    def send(
        self,
        method: str,
        path: str,
        file: str,
        *,
        body: Any = None,
        accept: str = JSON,
        params: Json | None = None,
    ) -> Answer:
        """One request; bytes are sent as binary values, anything else as JSON."""
        curl, received, head = self.handle, io.BytesIO(), []
        curl.reset()
        headers = [f"X-Hdf-domain: {file}", f"Accept: {accept}"]
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        if body is not None:
            headers.append(f"Content-Type: {BINARY if isinstance(body, bytes) else JSON}")
        match method:
            case "PUT":
                curl.setopt(pycurl.UPLOAD, 1)
                curl.setopt(pycurl.READFUNCTION, io.BytesIO(content).read)
                curl.setopt(pycurl.INFILESIZE_LARGE, len(content))
            case "POST":
                curl.setopt(pycurl.POST, 1)
                curl.setopt(pycurl.POSTFIELDS, content)
            case "DELETE":
                curl.setopt(pycurl.CUSTOMREQUEST, "DELETE")
        curl.setopt(pycurl.URL, f"{self.url}{path}" + (f"?{urlencode(params)}" if params else ""))
        curl.setopt(pycurl.USERPWD, f"{self.user}:{self.password}")
        curl.setopt(pycurl.HTTPHEADER, headers)
        curl.setopt(pycurl.USERAGENT, "libhdf5/1.14.0 (linux; rest-vol)")
        curl.setopt(pycurl.WRITEDATA, received)
        curl.setopt(pycurl.HEADERFUNCTION, lambda line: head.append(line.decode("latin-1").strip()))
        curl.setopt(pycurl.TIMEOUT, 60)
        curl.perform()
        while "100 Continue" in head[0]:
            del head[: head.index("") + 1]
        pairs = (line.partition(":") for line in head[1:] if line)
        fields = {name.lower(): value.strip() for name, _, value in pairs}
        reason = head[0].partition(" ")[2].partition(" ")[2]
        return Answer(curl.getinfo(pycurl.RESPONSE_CODE), reason, fields, received.getvalue())

    def ask(self, method: str, path: str, file: str, **more: Any) -> Answer:
        """A request of which any status but 2xx fails the call."""
        answer = self.send(method, path, file, **more)
        if answer.status // 100 != 2:
            raise CallFailed(f"{method} {path}", answer)
        return answer

    def exists(self, path: str, file: str, **more: Any) -> bool:
        """Whether there is something; neither 404 nor 410 fails the call."""
        answer = self.send("GET", path, file, **more)
        if answer.status not in (200, 404, 410):
            raise CallFailed(f"GET {path}", answer)
        return answer.status == 200

    # files

    def create_file(self, file: str, *, truncate: bool = True) -> Thing:
        """H5Fcreate with H5F_ACC_TRUNC or H5F_ACC_EXCL."""
        if truncate:
            deleted = self.send("DELETE", "/", file)
            if deleted.status not in (200, 404, 410):
                raise CallFailed("DELETE /", deleted)
        root = member(self.ask("PUT", "/", file).json(), "root", str)
        return Thing(self, file, "groups", root)

    def open_file(self, file: str) -> Thing:
        """H5Fopen."""
        answer = self.ask("GET", "/", file).json()
        member(answer, "version", str)
        return Thing(self, file, "groups", member(answer, "root", str))

    def flush_file(self, file: str) -> None:
        """H5Fflush."""
        self.ask("PUT", "/", file, params={"flush": 1})

    def delete_file(self, file: str) -> None:
        """H5Fdelete."""
        self.ask("DELETE", "/", file)


@dataclass(frozen=True)
class Thing:
    """An open object: its file, collection and id."""

    vol: Connector
    file: str
    collection: str
    id: str

    @property
    def path(self) -> str:
        return f"/{self.collection}/{self.id}"

    def ask(self, method: str, path: str, **more: Any) -> Answer:
        return self.vol.ask(method, path, self.file, **more)

    def info(self, **params: Any) -> Json:
        """H5Oget_info: the JSON, with what is read of it checked."""
        shown: Json = self.ask("GET", self.path, params=params or None).json()
        assert member(shown, "id", str) == self.id
        for name, kind in (
            ("attributeCount", int),
            ("created", float),
            ("lastModified", float),
            ("root", str),
        ):
            member(shown, name, kind)
        return shown

    # links

    def create(self, collection: str, name: str | None, **body: Any) -> Thing:
        """H5Gcreate, H5Dcreate and H5Tcommit; no name for their anonymous forms."""
        if name is not None:
            body["link"] = {"id": self.id, "name": name}
        answer = self.ask("POST", f"/{collection}", body=body or None)
        assert answer.status == 201
        return Thing(self.vol, self.file, collection, member(answer.json(), "id", str))

    def link(self, name: str, **to: str) -> None:
        """H5Lcreate_hard, _soft and _external, H5Olink."""
        assert self.ask("PUT", self._link(name), body=to).status in (200, 201)

    def link_exists(self, name: str) -> bool:
        """H5Lexists."""
        return self.vol.exists(self._link(name), self.file)

    def link_info(self, name: str) -> Json:
        """H5Lget_info and H5Lget_val."""
        answer = self.ask("GET", self._link(name)).json()
        match member(answer, "link.class", str):
            case "H5L_TYPE_HARD":
                assert member(answer, "link.collection", str) in ("groups", "datasets", "datatypes")
                member(answer, "link.id", str)
            case "H5L_TYPE_SOFT":
                member(answer, "link.h5path", str)
            case "H5L_TYPE_EXTERNAL":
                member(answer, "link.h5path", str)
                member(answer, "link.h5domain", str)
        member(answer, "created", float)
        return member(answer, "link", dict)

    def links(self, **params: Any) -> list[Json]:
        """H5Literate."""
        answer = self.ask("GET", f"{self.path}/links", params=params or None).json()
        items: list[Json] = member(answer, "links", list)
        for item in items:
            member(item, "title", str)
            member(item, "created", float)
            if member(item, "class", str) == "H5L_TYPE_HARD":
                member(item, "id", str)
                member(item, "collection", str)
        return items

    def delete_link(self, name: str) -> None:
        """H5Ldelete."""
        self.ask("DELETE", self._link(name))

    def move_link(self, name: str, new: str) -> None:
        """H5Lmove."""
        link = self.link_info(name)
        self.link(new, **{key: link[key] for key in ("id", "h5path", "h5domain") if key in link})
        self.delete_link(name)

    def _link(self, name: str) -> str:
        return f"{self.path}/links/{quote(name, safe='')}"

    def open(self, path: str) -> Thing:
        """H5Oopen, H5Gopen, H5Dopen, H5Topen: the type by the last link, then the object by its path."""
        before, _, name = path.rpartition("/")
        group = self.at("groups", before or "/") if before or path.startswith("/") else self
        link = group.link_info(name)
        match link["class"]:
            case "H5L_TYPE_HARD":
                return self.at(link["collection"], path)
            case "H5L_TYPE_SOFT":
                start = self.vol.open_file(self.file) if link["h5path"].startswith("/") else group
                return start.open(link["h5path"])
            case _:
                return self.vol.open_file(link["h5domain"]).open(link["h5path"])

    def at(self, collection: str, path: str) -> Thing:
        """The object of a collection at a path of hard links, absolute or relative to this group."""
        params = {"h5path": path}
        if collection == "groups" and not path.startswith("/"):
            answer = self.ask("GET", self.path, params=params)
        else:
            relative = {} if path.startswith("/") else {"grpid": self.id}
            answer = self.ask("GET", f"/{collection}/", params={**relative, **params})
        return Thing(self.vol, self.file, collection, member(answer.json(), "id", str))

    # attributes

    def create_attribute(self, name: str, **body: Any) -> None:
        """H5Acreate: without a value, that is H5Awrite's."""
        assert self.ask("PUT", self._attribute(name), body=body).status == 201

    def attribute(self, name: str) -> Json:
        """H5Aopen."""
        shown: Json = self.ask("GET", self._attribute(name)).json()
        assert member(shown, "name", str) == name
        member(shown, "shape.class", str)
        check_type(member(shown, "type", dict))
        return shown

    def attribute_exists(self, name: str) -> bool:
        """H5Aexists."""
        return self.vol.exists(self._attribute(name), self.file)

    def write_attribute(self, name: str, value: np.ndarray) -> None:
        """H5Awrite of a type of fixed size."""
        self.ask("PUT", f"{self._attribute(name)}/value", body=value.tobytes())

    def replace_attribute(self, name: str, **body: Any) -> None:
        """H5Awrite of strings of variable length: the attribute anew, with its value."""
        self.ask("PUT", self._attribute(name), body=body, params={"replace": 1})

    def read_attribute(self, name: str, like: np.ndarray) -> np.ndarray:
        """H5Aread into a buffer of a known type and size."""
        answer = self.ask("GET", f"{self._attribute(name)}/value", accept=BINARY)
        return into_buffer(answer, like)

    def attributes(self, **params: Any) -> list[Json]:
        """H5Aiterate, H5Aget_name_by_idx."""
        answer = self.ask("GET", f"{self.path}/attributes", params=params or None).json()
        items: list[Json] = member(answer, "attributes", list)
        for item in items:
            member(item, "name", str)
            member(item, "shape.class", str)
            check_type(member(item, "type", dict))
        return items

    def delete_attribute(self, name: str) -> None:
        """H5Adelete."""
        self.ask("DELETE", self._attribute(name))

    def _attribute(self, name: str) -> str:
        return f"{self.path}/attributes/{quote(name, safe='')}"

    # values

    def write(self, value: np.ndarray, select: str | None = None) -> None:
        """H5Dwrite of a type of fixed size, all or a hyperslab."""
        params = {"select": select} if select else None
        self.ask("PUT", f"{self.path}/value", body=value.tobytes(), params=params)

    def write_body(self, value: np.ndarray, **selection: Any) -> None:
        """H5Dwrite with the selection in a JSON body: ``start``, ``stop``, ``step``, or ``points``."""
        body = {**selection, "value_base64": base64.b64encode(value.tobytes()).decode()}
        self.ask("PUT", f"{self.path}/value", body=body)

    def write_json(self, value: Any, select: str | None = None) -> None:
        """H5Dwrite of what has a variable length."""
        params = {"select": select} if select else None
        self.ask("PUT", f"{self.path}/value", body={"value": value}, params=params)

    def read(self, like: np.ndarray, select: str | None = None) -> np.ndarray:
        """H5Dread of a type of fixed size, all or a hyperslab, into a buffer like this one."""
        params = {"select": select} if select else None
        return into_buffer(self.ask("GET", f"{self.path}/value", accept=BINARY, params=params), like)

    def read_points(self, points: list[Any], like: np.ndarray) -> np.ndarray:
        """H5Dread of a selection of points."""
        answer = self.ask("POST", f"{self.path}/value", body={"points": points}, accept=BINARY)
        return into_buffer(answer, like)

    def read_json(self, select: str | None = None) -> Any:
        """H5Dread of what has a variable length."""
        params = {"select": select} if select else None
        return self.ask("GET", f"{self.path}/value", params=params).json()["value"]

    def set_extent(self, *shape: int) -> None:
        """H5Dset_extent."""
        assert self.ask("PUT", f"{self.path}/shape", body={"shape": list(shape)}).status == 201

    def storage_size(self) -> int:
        """H5Dget_storage_size."""
        size: int = member(self.info(verbose=1), "allocated_size", int)
        return size


def into_buffer(answer: Answer, like: np.ndarray) -> np.ndarray:
    """A binary value that fills a buffer exactly."""
    assert answer.headers["content-type"] == BINARY
    assert len(answer.body) == like.nbytes
    return np.frombuffer(answer.body, like.dtype).reshape(like.shape)


def check_type(shown: Any) -> None:
    """That the connector can make an HDF5 type of it: objects at each level, with what the class needs."""
    match member(shown, "class", str):
        case "H5T_INTEGER" | "H5T_FLOAT":
            assert member(shown, "base", str).endswith(("LE", "BE"))
        case "H5T_STRING":
            member(shown, "charSet", str)
            member(shown, "strPad", str)
            member(shown, "length", (int, str))
        case "H5T_COMPOUND":
            for item in member(shown, "fields", list):
                member(item, "name", str)
                check_type(member(item, "type", dict))
        case "H5T_ARRAY":
            assert all(isinstance(n, int) for n in member(shown, "dims", list))
            check_type(member(shown, "base", dict))
        case "H5T_ENUM":
            assert all(isinstance(n, int) for n in member(shown, "mapping", dict).values())
            check_type(member(shown, "base", dict))
        case "H5T_VLEN":
            check_type(member(shown, "base", dict))
        case "H5T_REFERENCE":
            member(shown, "base", str)
        case "H5T_OPAQUE":
            member(shown, "size", int)
        case other:
            raise AssertionError(f"unknown class {other}")
