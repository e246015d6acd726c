"""What an S3 operation costs in CPU: our client beside aiobotocore, which HSDS uses, on the same server.

python benchmarks/s3client.py --endpoint http://127.0.0.1:7480 --bucket b   (keys from the environment)
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
import uuid
from collections.abc import Awaitable, Callable

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from hsds.store.s3 import S3Store
from hsds.store.s3_client import S3Options

Call = Callable[[int], Awaitable[object]]


async def measure(name: str, call: Call, count: int, clients: int) -> None:
    async def client(first: int) -> None:
        for i in range(first, count, clients):
            await call(i)

    await client(count - 1)  # connections, caches
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(client(first) for first in range(clients)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{name:34} {1000 * cpu / count:7.3f} ms CPU {1000 * wall / count:7.3f} ms elapsed each")


async def main(endpoint: str, bucket: str, count: int, clients: int) -> None:
    key, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    prefix = f"benchmark/{uuid.uuid4()}"
    ours = S3Store(S3Options(endpoint=endpoint, access_key_id=key, secret_access_key=secret))
    await ours.start()
    await ours.create_bucket(bucket)
    config = AioConfig(s3={"addressing_style": "path"}, request_checksum_calculation="when_required")
    creation = get_session().create_client(
        "s3",
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=config,
    )
    async with creation as theirs:
        for size in (1 << 10, 1 << 20, 4 << 20):
            body = os.urandom(size)
            n = count if size < 1 << 20 else max(20, count // 20)

            async def their_get(i: int, size: int = size) -> None:
                answer = await theirs.get_object(Bucket=bucket, Key=f"{prefix}/{size}/{i}")
                async with answer["Body"] as stream:
                    await stream.read()

            def their_put(i: int, size: int = size, body: bytes = body) -> Awaitable[object]:
                return theirs.put_object(Bucket=bucket, Key=f"{prefix}/{size}/{i}", Body=body)

            def our_put(i: int, size: int = size, body: bytes = body) -> Awaitable[object]:
                return ours.put(bucket, f"{prefix}/{size}/{i}", body)

            def our_get(i: int, size: int = size) -> Awaitable[object]:
                return ours.get(bucket, f"{prefix}/{size}/{i}")

            text = f"{size >> 10} KiB"
            await measure(f"aiobotocore PUT {text}", their_put, n, clients)
            await measure(f"hsds        PUT {text}", our_put, n, clients)
            await measure(f"aiobotocore GET {text}", their_get, n, clients)
            await measure(f"hsds        GET {text}", our_get, n, clients)
    async for info in ours.list_all(bucket, prefix):
        await ours.delete(bucket, info.key)
    await ours.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--bucket", default="benchmark")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=8)
    options = parser.parse_args()
    asyncio.run(main(options.endpoint, options.bucket, options.count, options.clients))
