"""Whatever goes wrong, and however much is logged: no secret is in a log line, an answer or a metric."""

import asyncio
import base64
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.cluster.processes import Cluster

SN, DN = "127.0.47.1", "127.0.47.2"
PASSWORD, GUESS, TOKEN = "pass-open-sesame", "guess-open-barley", "token-open-wheat"
NODE_SECRET, WRONG_NODE_SECRET = "node-secret-of-the-test", "node-secret-of-nobody"
WRONG_KEY = "key-that-no-store-takes"


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def ask(url, method="GET", body=None, **headers):
    """Status and all that is told, headers too; None where nobody listens."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urlopen(Request(url, body, given, method=method), timeout=60) as answer:
            return answer.status, f"{answer.headers}{answer.read()!r}"
    except HTTPError as error:
        return error.code, f"{error.headers}{error.reason}{error.read()!r}"
    except OSError:
        return None, ""


@pytest.fixture(params=["json", "text"])
def cluster(request, tmp_path, s3_server, s3_bucket):
    """A service node and a data node that log all they can."""
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "aws_access_key_id").write_text(s3_server.access_key)
    (keys / "aws_secret_access_key").write_text(s3_server.secret_key)
    storage = ("--aws-s3-gateway", s3_server.endpoint, "--bucket-name", s3_bucket)
    found = ("--discovery", "static", "--dn-urls", f"http://{DN}:6101", "--hold-timeout", "3")
    with Cluster(
        tmp_path, *found, "--log-format", request.param, "--log-level", "DEBUG",
        storage=(*storage, "--aws-credentials-dir", str(keys)),
    ) as cluster:  # fmt: skip
        (tmp_path / "secret").write_text(f"{NODE_SECRET}\n")
        (tmp_path / "passwd").write_text(f"joe:{PASSWORD}\nadmin:admin-{PASSWORD}\n")
        yield cluster


def replace(path, text):
    new = path.with_name(f"{path.name}.new")
    new.write_text(text)
    new.replace(path)


async def until(condition):
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110 - it is looked for from outside
            await asyncio.sleep(0.1)


def use(domain):
    """All kinds of requests with all kinds of credentials; what was answered."""
    good, place = basic("joe", PASSWORD), f"http://{SN}:5101"
    where = f"domain={domain}"
    asked = [
        ask(f"{place}/?{where}", "PUT", b"", Authorization=good),
        ask(f"{place}/?{where}", Authorization=good, X_Request_ID="r1"),
        ask(f"{place}/?{where}", Authorization=basic("joe", GUESS)),
        ask(f"{place}/?{where}", Authorization=basic(GUESS, "nobody")),
        ask(f"{place}/?{where}", Authorization=f"Bearer {TOKEN}"),
        ask(f"{place}/?{where}", Authorization=f"Basic {TOKEN}"),
        ask(f"{place}/datasets/none?{where}", Authorization=good),
        ask(f"{place}/?{where}", "POST", b"{", Authorization=good),
        ask(f"http://{DN}:6101/execute", "POST", b"x"),
        ask(f"http://{DN}:6101/word", "POST", b"{}", Authorization=good),
    ]
    ports = {SN: (5101, 9100), DN: (6101, 9100)}
    paths = ("/about", "/info", "/metrics", "/nodes", "/readyz")
    asked += [
        ask(f"http://{address}:{port}{path}", Authorization=good)
        for address in ports
        for port in ports[address]
        for path in paths
    ]
    return asked


@pytest.mark.timeout(180)
async def test_no_secret_is_told(cluster, tmp_path, s3_server):
    cluster.start("sn", SN)
    cluster.start("dn", DN)
    await until(lambda: ask(f"http://{SN}:5101/readyz")[0] == 200)
    await until(lambda: ask(f"http://{DN}:6101/readyz")[0] == 200)
    answers = await asyncio.to_thread(use, "/home/joe/good.h5")
    assert {200, 201, 400, 401} <= {status for status, _ in answers}

    replace(tmp_path / "keys" / "aws_secret_access_key", WRONG_KEY)  # the store refuses
    await until(lambda: "the object store does not answer" in cluster.log(DN))
    answers += await asyncio.to_thread(use, "/home/joe/refused.h5")
    replace(tmp_path / "keys" / "aws_secret_access_key", s3_server.secret_key)

    assert cluster.stop(DN) == 0
    wrong = tmp_path / "wrong"
    wrong.write_text(f"{WRONG_NODE_SECRET}\n")
    cluster.start("dn", DN, "--node-secret-file", str(wrong))  # nodes refuse one another
    await until(lambda: "refused:" in cluster.log(DN))
    answers += await asyncio.to_thread(use, "/home/joe/unsigned.h5")

    told = cluster.log(SN) + cluster.log(DN) + "".join(text for _, text in answers)
    assert cluster.stop(SN) == 0
    secrets = [PASSWORD, GUESS, TOKEN, NODE_SECRET, WRONG_NODE_SECRET, WRONG_KEY, s3_server.secret_key]
    encoded = [basic("joe", PASSWORD), basic("joe", GUESS), basic(GUESS, "nobody")]
    found = [secret for secret in (*secrets, *(text.split()[1] for text in encoded)) if secret in told]
    assert not found
