"""The POSIX store and the memory store do the same, whatever is done to them, in whatever order."""

import asyncio
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hsds.errors import InvalidKey, StoreError
from hsds.store.memory import MemoryStore
from hsds.store.posix import PosixStore

SEGMENTS = ["a", "b", "a-", "a0", "é"]
keys = st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=3).map("/".join)
prefixes = st.one_of(st.just(""), keys, keys.map(lambda key: key + "/"))
data = st.sampled_from([b"", b"1", b"2", b"longer"])


class Outcome:
    """What a call gave: a result, or the kind of its error."""

    def __init__(self, loop: asyncio.AbstractEventLoop, call) -> None:
        self.value = None
        self.error: type[StoreError] | None = None
        try:
            self.value = loop.run_until_complete(call)
        except StoreError as error:
            self.error = type(error)


class Stores(RuleBasedStateMachine):
    """Two stores side by side. ETags are compared by what they do: each is remembered beside its twin."""

    @initialize()
    def open(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.root = Path(tempfile.mkdtemp())
        self.posix, self.memory = PosixStore(self.root, threads=1), MemoryStore(["b"], content_etags=False)
        self.loop.run_until_complete(self.posix.start())
        self.loop.run_until_complete(self.posix.create_bucket("b"))
        self.etags: list[tuple[str, str]] = [("none", "none")]
        self.keys: set[str] = set()

    def teardown(self) -> None:
        self.loop.run_until_complete(self.posix.close())
        self.loop.close()
        shutil.rmtree(self.root)

    def both(self, method: str, *args, etag: tuple[str, str] | None = None, name: str = "", **options):
        """Call both; a pair of ETags goes to each as option ``name``."""
        calls = []
        for i, store in enumerate((self.posix, self.memory)):
            own = {name: etag[i]} if etag else {}
            calls.append(Outcome(self.loop, getattr(store, method)("b", *args, **options, **own)))
        return calls

    def conflicts(self, key: str) -> bool:
        """Whether files cannot hold ``key`` beside the keys that exist."""
        above = {key[:i] for i, c in enumerate(key) if c == "/"}
        return bool(above & self.keys) or any(other.startswith(key + "/") for other in self.keys)

    def put(self, key: str, content: bytes, **options) -> None:
        if self.conflicts(key):
            if "etag" not in options:  # with an ETag it is the condition that fails, in both
                calls = Outcome(self.loop, self.posix.put("b", key, content, **options))
                assert calls.error is InvalidKey
            return
        posix, memory = self.both("put", key, content, **options)
        assert posix.error is memory.error
        if not posix.error:
            self.etags.append((posix.value, memory.value))
            self.keys.add(key)

    @rule(key=keys, content=data)
    def put_any(self, key: str, content: bytes) -> None:
        self.put(key, content)

    @rule(key=keys, content=data)
    def put_new(self, key: str, content: bytes) -> None:
        self.put(key, content, if_none_match=True)

    @rule(key=keys, content=data, pick=st.data())
    def put_known(self, key: str, content: bytes, pick: st.DataObject) -> None:
        self.put(key, content, etag=pick.draw(st.sampled_from(self.etags[-6:])), name="if_match")

    @rule(key=keys, start=st.integers(0, 7), length=st.none() | st.integers(0, 7))
    def get(self, key: str, start: int, length: int | None) -> None:
        posix, memory = self.both("get", key, start=start, length=length)
        assert posix.error is memory.error
        if not posix.error:
            assert bytes(posix.value.data) == memory.value.data
            assert (posix.value.etag, memory.value.etag) in self.etags

    @rule(key=keys, pick=st.data())
    def get_changed(self, key: str, pick: st.DataObject) -> None:
        posix, memory = self.both(
            "get", key, etag=pick.draw(st.sampled_from(self.etags[-6:])), name="if_none_match"
        )
        assert posix.error is memory.error

    @rule(key=keys)
    def head(self, key: str) -> None:
        posix, memory = self.both("head", key)
        assert posix.error is memory.error
        if not posix.error:
            assert posix.value.size == memory.value.size

    @rule(asked=st.lists(keys, max_size=5))
    def get_many(self, asked: list[str]) -> None:
        posix, memory = self.both("get_many", asked)
        assert [blob and blob.data for blob in posix.value] == [blob and blob.data for blob in memory.value]

    @rule(key=keys)
    def delete(self, key: str) -> None:
        posix, memory = self.both("delete", key)
        assert posix.error is memory.error is None
        self.keys.discard(key)

    @rule(key=keys, pick=st.data())
    def delete_known(self, key: str, pick: st.DataObject) -> None:
        posix, memory = self.both(
            "delete", key, etag=pick.draw(st.sampled_from(self.etags[-6:])), name="if_match"
        )
        assert posix.error is memory.error
        if not posix.error:
            self.keys.discard(key)

    @rule(
        prefix=prefixes, delimiter=st.sampled_from(["", "/"]), start_after=prefixes, limit=st.integers(1, 5)
    )
    def list(self, prefix: str, delimiter: str, start_after: str, limit: int) -> None:
        posix, memory = self.both("list", prefix, delimiter=delimiter, start_after=start_after, limit=limit)
        one, other = posix.value, memory.value
        assert [(info.key, info.size) for info in one.objects] == [
            (info.key, info.size) for info in other.objects
        ]
        assert (one.prefixes, one.next) == (other.prefixes, other.next)

    @invariant()
    def directories_are_those_of_the_keys(self) -> None:
        if hasattr(self, "root"):
            self.loop.run_until_complete(self.posix.list("b", limit=1))  # waits for those being removed
            found = {str(path.relative_to(self.root / "b")) for path in (self.root / "b").rglob("*")}
            assert found == {key[:i] for key in self.keys for i in [*_slashes(key), len(key)]}


def _slashes(key: str) -> list[int]:
    return [i for i, c in enumerate(key) if c == "/"]


TestStores = Stores.TestCase
TestStores.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
