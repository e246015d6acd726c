"""Attributes whose texts are not UTF-8, written as clients send them in JSON, are no stone in HSDS's way."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.timeout(300)
DOMAIN = "/home/interop/odd.h5"
TEXT = {
    "class": "H5T_STRING",
    "charSet": "H5T_CSET_UTF8",
    "strPad": "H5T_STR_NULLTERM",
    "length": "H5T_VARIABLE",
}


async def test_lone_surrogates(there, here):
    async with here() as rest:
        await rest.folder("/home/interop")
        path = f"/groups/{await rest.create(DOMAIN)}/attributes"
        await rest.ask("PUT", f"{path}/unit", DOMAIN, json={"type": TEXT, "value": "\udcb5m"})
        await rest.ask("PUT", f"{path}/plain", DOMAIN, json={"type": TEXT, "value": "µm"})
    for opened in (there, here):
        async with opened() as rest:
            assert (await rest.ask("GET", f"{path}/unit", DOMAIN))["value"] == "\udcb5m"
            assert (await rest.ask("GET", f"{path}/plain", DOMAIN))["value"] == "µm"
            shown = await rest.ask("GET", path, DOMAIN, params={"IncludeData": 1})
            assert sorted(item["value"] for item in shown["attributes"]) == ["µm", "\udcb5m"]
            assert (await rest.ask("GET", path.rpartition("/")[0], DOMAIN))["attributeCount"] == 2
