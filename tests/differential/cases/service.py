"""What the service says about itself, authentication, unknown routes and methods, CORS."""

from tests.differential.draw import Case, Draw
from tests.differential.exchange import Request

_UNKNOWN = "g-d1ff0000-00000000-c05e-000000-000000"


def about(draw: Draw) -> Case:
    """The service's own routes, by everybody."""
    for user in ("admin", "test_user1", None, "nobody"):
        yield Request("GET", "/about", user=user)
    yield Request("GET", "/info")
    yield Request("GET", "/info", user=None)
    file = draw.file()
    yield file.create()
    yield file.get("/about")


def credentials(draw: Draw) -> Case:
    """Headers of authentication that are not well formed, and users that do not exist."""
    file = draw.file()
    yield file.create()
    for header in (
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic dXNlcg==",
        "Basic OnB3",
        "Basic dXNlcjo=",
        "Digest abc",
        "basic dGVzdF91c2VyMTp0ZXN0MS1wdw==",
        "Basic dGVzdF91c2VyMTp3cm9uZw==",
    ):
        yield file.get("/", user=None, headers={"Authorization": header})
    for user in ("nobody", None, "test_user2", "admin"):
        yield file.get("/", user=user)
        yield file.get(f"/groups/{file.root}", user=user)
        yield file.post("/groups", {}, user=user)
        yield file.put("/", {"folder": True}, params={"domain": f"{file.path}x"}, user=user)
        yield file.delete(f"/groups/{file.root}/links", params={"titles": "x"}, user=user)


def unknown_routes(draw: Draw) -> Case:
    """Paths that are no route, and methods that a route does not have."""
    file = draw.file()
    yield file.create()
    for path in (
        "/nothing",
        "/groups/x/y/z",
        f"/groups/{file.root}/acls",
        f"/groups/{file.root}/value",
        f"/datasets/{file.root}/links",
        f"/groups/{file.root}/links/a/b",
        "/datasets//value",
        "/groups/",
        "/datasets/",
        "/datatypes/",
        "/acls/",
    ):
        yield file.get(path)
    for method, path in (
        ("PUT", "/groups"),
        ("DELETE", "/groups"),
        ("PUT", f"/groups/{file.root}"),
        ("POST", f"/groups/{file.root}"),
        ("DELETE", "/acls"),
        ("POST", "/acls"),
        ("PUT", "/domains"),
        ("POST", "/domains"),
        ("DELETE", "/about"),
        ("PATCH", "/"),
        ("POST", "/datasets/x"),
        ("DELETE", "/datasets/x/value"),
        ("POST", "/datasets/x/shape"),
        ("PUT", "/datasets/x/type"),
        ("POST", "/datasets/x/query"),
        ("POST", f"/groups/{file.root}/links/a"),
        ("POST", f"/groups/{file.root}/attributes/a"),
        ("DELETE", f"/groups/{file.root}/attributes/a/value"),
    ):
        yield file.ask(method, path)
    for path in (
        "/",
        "/domains",
        "/about",
        f"/groups/{file.root}",
        f"/groups/{file.root}/attributes/a/value",
    ):
        yield file.ask("HEAD", path)


def preflight(draw: Draw) -> Case:
    """OPTIONS of CORS, and the headers that answers to pages of another origin carry."""
    file = draw.file()
    yield file.create()
    origin = {"Origin": "http://example.org"}
    for path in ("/", "/about", f"/groups/{file.root}", "/datasets", "/acls/u"):
        method = draw.choice(["GET", "PUT", "POST", "DELETE"])
        yield file.ask("OPTIONS", path, headers=origin | {"Access-Control-Request-Method": method})
    yield file.ask("OPTIONS", "/", headers=origin)
    yield file.ask("OPTIONS", "/", headers={"Access-Control-Request-Method": "GET"})
    yield file.get("/", headers=origin)
    yield file.get(f"/groups/{file.root}", headers=origin)
    yield file.get(f"/groups/{_UNKNOWN}", headers=origin)


def bodies(draw: Draw) -> Case:
    """Bodies that are no JSON, no object, or of an unknown content type, on every route that takes one."""
    file = draw.file()
    yield file.create()
    group, made = file.group()
    yield made
    dataset, made = file.dataset([3], "H5T_STD_I32LE")
    yield made
    routes = [
        ("PUT", "/"),
        ("POST", "/"),
        ("PUT", "/acls/test_user2"),
        ("POST", "/groups"),
        ("POST", "/datasets"),
        ("POST", "/datatypes"),
        ("POST", f"/groups/{group}/links"),
        ("PUT", f"/groups/{group}/links"),
        ("PUT", f"/groups/{group}/links/a"),
        ("POST", f"/groups/{group}/attributes"),
        ("PUT", f"/groups/{group}/attributes"),
        ("PUT", f"/groups/{group}/attributes/a"),
        ("PUT", f"/datasets/{dataset}/shape"),
        ("PUT", f"/datasets/{dataset}/value"),
        ("POST", f"/datasets/{dataset}/value"),
    ]
    for method, path in routes:
        for text in (b"", b"{", b"[1]", b'"text"', b"7", b"null", b"\xff\xfe", b"[]"):
            if draw.maybe(0.6):
                yield file.ask(method, path, data=text, headers={"Content-Type": "application/json"})
        if draw.maybe():
            yield file.ask(method, path, data=b"{}", headers={"Content-Type": "text/xml"})


def domains_named(draw: Draw) -> Case:
    """The ways to name a domain and a bucket, and the wrong ones."""
    file = draw.file()
    yield file.create()
    bare = Request("GET", f"/groups/{file.root}")
    for domain in (
        file.path,
        f"hdf5:/{file.path}",
        f"hsdstest{file.path}",
        f"hdf5:/{file.path[1:]}",
        file.path[1:],
        f"{file.path}/",
        "x",
        "",
        "a.b.c",
        "/",
        "//home",
        f"{file.path}//x",
        "/home/../home",
        f"nobucket{file.path}",
    ):
        yield Request("GET", bare.path, {"domain": domain}, tags=frozenset({"odd name"}))
        yield Request("GET", "/", {"domain": domain}, tags=frozenset({"odd name"}))
    for name in ("X-Hdf-domain", "x-hdf-domain"):
        yield Request("GET", bare.path, headers={name: file.path}, tags=frozenset({"odd name"}))
    for bucket in ("hsdstest", "b", "no_such_bucket", "bad bucket", "..", ".", "a/b", ""):
        odd = frozenset({"odd bucket"})
        yield Request("GET", bare.path, {"domain": file.path, "bucket": bucket}, tags=odd)
        header = {"X-Hdf-bucket": bucket} if bucket else {}
        yield Request("GET", "/", {"domain": file.path}, headers=header, tags=odd)
    yield bare
    for method, path in (
        ("POST", "/groups"),
        ("GET", "/acls"),
        ("DELETE", "/"),
        ("PUT", "/"),
        ("GET", "/datasets"),
    ):
        yield Request(method, path)
    yield Request("GET", "/", {"host": file.path})


CASES = [about, credentials, unknown_routes, preflight, bodies, domains_named]
