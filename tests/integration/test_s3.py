"""The service over a real S3 server: restart, TLS, and what is said when the server cannot be used."""

import asyncio
import ssl

import numpy as np

from tests.integration.rest import Rest
from tests.integration.service import Service, failed_start
from tests.tools.careless import careless_gateway
from tests.tools.ceph import S3Server
from tests.tools.faultproxy import FaultProxy
from tests.tools.kubeaccount import Authority

DOMAIN = "/home/s3.h5"


def flags(server, bucket: str, secret: str | None = None) -> tuple[str, ...]:
    return (
        *("--s3-endpoint", server.endpoint, "--bucket", bucket),
        *("--aws-access-key-id", server.access_key, "--aws-secret-access-key", secret or server.secret_key),
    )


async def test_everything_is_there_after_a_kill(tmp_path, s3_server, s3_bucket):
    data = np.arange(100_000, dtype="<i4")
    with Service(tmp_path, *flags(s3_server, s3_bucket)) as service:
        async with Rest(service.url) as rest:
            await rest.create(DOMAIN)
            dataset = await rest.dataset(DOMAIN, [100_000], chunks=[10_000], gzip=True)
            await rest.write(DOMAIN, dataset, data)
        service.kill()
        service.start()
        async with Rest(service.url) as rest:
            assert await rest.read(DOMAIN, dataset) == data.tobytes()
        assert service.stop() == 0
    assert not (tmp_path / "hsds-data").exists()


def test_missing_bucket(tmp_path, s3_server):
    said = failed_start(tmp_path, *flags(s3_server, "no-such-bucket-here"))
    assert "there is no bucket no-such-bucket-here" in said


def test_wrong_key(tmp_path, s3_server, s3_bucket):
    said = failed_start(tmp_path, *flags(s3_server, s3_bucket, secret="sesame-open"))
    assert f"bucket {s3_bucket} cannot be used" in said
    assert "sesame" not in said


async def test_tls_with_a_private_authority_and_keys_in_files(tmp_path, s3_server, s3_bucket):
    authority = Authority(tmp_path / "authority")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(authority.cert, authority.key)
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "aws_access_key_id").write_text(s3_server.access_key)
    (keys / "aws_secret_access_key").write_text(s3_server.secret_key)
    data = np.arange(1_000_000, dtype="<i4")
    async with FaultProxy(s3_server.endpoint, tls=tls) as front:
        where = ("--s3-endpoint", front.endpoint, "--bucket", s3_bucket, "--aws-credentials-dir", str(keys))
        said = await asyncio.to_thread(failed_start, tmp_path, *where)
        assert "the certificate of S3 is not trusted; see aws_s3_ca_bundle" in said
        async with Service(tmp_path, *where, "--aws-s3-ca-bundle", str(authority.ca)) as service:
            async with Rest(service.url) as rest:
                await rest.create(DOMAIN)
                dataset = await rest.dataset(DOMAIN, [1_000_000], chunks=[1_000_000])
                await rest.write(DOMAIN, dataset, data)
                service.kill()
                await asyncio.to_thread(service.start)
            async with Rest(service.url) as rest:
                assert await rest.read(DOMAIN, dataset) == data.tobytes()
                (keys / "aws_secret_access_key").write_text("not-the-secret")
                assert (await rest.send("GET", "/", "/home/new.h5"))[0] == 500
                (keys / "aws_secret_access_key").write_text(s3_server.secret_key)
                await rest.create("/home/new.h5")
            assert "not-the-secret" not in service.log.read_text()


async def test_a_server_that_ignores_conditions_is_named(tmp_path, s3_server, s3_options, s3_bucket):
    """One process goes on with a warning; several, which rely on them, do not start."""
    async with careless_gateway(s3_options) as url:
        where = flags(S3Server(url, "any", "any"), s3_bucket)
        said = await asyncio.to_thread(failed_start, tmp_path, *where, "--workers", "2")
        assert "the store ignores If-Match on PUT, If-None-Match on PUT" in said
        async with Service(tmp_path, *where) as service:
            pass
    assert "nothing else may write to the bucket" in service.log.read_text()
