"""About, info, probes and metrics."""

import pytest

import hsds


async def test_about(service):
    reply = await service.get("/about", domain="/nowhere/x.h5")
    assert reply.status == 200
    data = reply.json
    assert data["hsds_version"] == "1.0.2"
    assert data["version"] == hsds.__version__
    assert (data["username"], data["isadmin"], data["state"]) == ("test_user1", False, "READY")
    assert data["dn_ids"] == ["dn-001"]
    assert data["node_count"] == 1
    assert {"start_time", "name", "greeting", "about", "dn_urls"} <= set(data)


async def test_about_has_an_id_for_each_data_node_and_files_have_always_the_same(service):
    await service.make_domain("/home/test_user1/file.h5")
    for urls in ((), ("http://10.0.0.1:6101",), ("http://10.0.0.1:6101", "http://10.0.0.2:6101")):
        service.node.dn_urls = urls
        data = (await service.get("/about")).json
        assert data["dn_urls"] == list(urls)
        assert data["dn_ids"] == ["dn-001", "dn-002"][: len(urls)]
        assert data["node_count"] == len(urls)
        flushed = await service.put("/", domain="/home/test_user1/file.h5", json={"flush": 1, "getdnids": 1})
        assert flushed.json == {"dn_ids": ["dn-001"]}


async def test_about_tells_admins_and_strangers(service):
    assert (await service.get("/about", user="admin")).json["isadmin"]
    assert (await service.get("/about", user=None)).json["username"] == "anonymous"
    assert (await service.get("/about", user="mallory")).status == 401


async def test_info(service):
    data = (await service.get("/info", user=None)).json
    assert data["node"]["id"].startswith("sn-")
    assert data["node"]["type"] == "sn"
    assert "node_number" not in data["node"]
    assert data["cpu"]["cores"] >= 1
    assert set(data["memory"]) == {
        "phys_total", "phys_available", "swap_total", "swap_used", "swap_free", "percent"
    }  # fmt: skip
    assert data["req_count"]["num_tasks"] == 1


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/startupz"])
async def test_probes(service, path):
    assert (await service.get(path, user=None)).status == 200


async def test_not_ready_while_terminating(service):
    service.node.state = "TERMINATING"
    assert (await service.get("/readyz", user=None)).status == 503
    assert (await service.get("/livez", user=None)).status == 200
    assert (await service.get("/about", user=None)).json["state"] == "TERMINATING"


async def test_metrics_count_by_route(service):
    await service.get("/acls/test_user1", domain="/home/test_user1/none.h5")
    reply = await service.get("/metrics", user=None)
    assert reply.headers["Content-Type"].startswith("text/plain; version=")
    text = reply.body.decode()
    assert 'hsds_http_requests_total{method="GET",route="/acls/{user}",status="404"} 1.0' in text
    assert (
        'hsds_http_request_duration_seconds_count{method="GET",route="/acls/{user}",status="404"} 1.0' in text
    )
    assert "hsds_tasks_active 1.0" in text
    assert "hsds_node_ready 1.0" in text
    assert "process_resident_memory_bytes" in text


async def test_unknown_paths_are_one_route_in_metrics(service):
    for number in range(3):
        await service.get(f"/nothing/{number}")
    text = (await service.get("/metrics")).body.decode()
    assert 'hsds_http_requests_total{method="GET",route="unknown",status="404"} 3.0' in text


async def test_odd_methods_are_one_label(service):
    for method in ("PURGE", "REPORT"):
        assert (await service.request(method, "/about")).status == 405
    text = (await service.get("/metrics")).body.decode()
    assert 'hsds_http_requests_total{method="other",route="unknown",status="405"} 2.0' in text
