"""The service over a real S3 server: restart, and what is said when the server cannot be used."""

import numpy as np

from tests.integration.rest import Rest
from tests.integration.service import Service, failed_start

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
