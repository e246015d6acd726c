"""A domain of test_user1 as the tests of groups, links, attributes, datasets and datatypes use it."""

from dataclasses import dataclass
from typing import Any

from hsds.hdf5.ids import new_object_id

I32 = {"class": "H5T_INTEGER", "base": "H5T_STD_I32LE"}
SCALAR = {"class": "H5S_SCALAR"}


@dataclass
class File:
    """Requests on one domain; paths are below the service's root."""

    service: Any
    path: str
    root: str

    async def get(self, path, **options):
        return await self.service.get(path, domain=self.path, **options)

    async def put(self, path, **options):
        return await self.service.put(path, domain=self.path, **options)

    async def post(self, path, **options):
        return await self.service.post(path, domain=self.path, **options)

    async def delete(self, path, **options):
        return await self.service.delete(path, domain=self.path, **options)

    def new_id(self, collection="groups"):
        return new_object_id(self.root, collection)

    async def make(self, collection="groups", name=None, parent=None, **body):
        """Make an object, linked as ``name`` unless that is None, and return its id."""
        if collection != "groups":
            body.setdefault("type", "H5T_STD_I32LE")
        if name is not None:
            body["link"] = {"id": parent or self.root, "name": name}
        reply = await self.post(f"/{collection}", json=body)
        assert reply.status == 201, reply
        return reply.json["id"]

    async def link(self, group, title, **body):
        reply = await self.put(f"/groups/{group}/links/{title}", json=body)
        assert reply.status == 201, reply


async def make_file(service, path="/home/test_user1/file.h5", **body) -> File:
    return File(service, path, await service.make_domain(path, **body))
