"""Limits of containers as the kernel tells them, and sizes that fit."""

from dataclasses import asdict

import pytest

from hsds.config import Settings
from hsds.configsources import load_settings
from hsds.memorylimit import container_limit, fitted, sizes_for

MIB, GIB = 1 << 20, 1 << 30


@pytest.fixture
def machine(tmp_path):
    """Writes files below a root directory, and says which limit is found there."""

    def limit(groups, **files):
        (tmp_path / "proc/self").mkdir(parents=True, exist_ok=True)
        (tmp_path / "proc/self/cgroup").write_text(groups)
        for name, text in files.items():
            file = tmp_path / "sys/fs/cgroup" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return container_limit(tmp_path)

    return limit


def test_version_2_in_a_container(machine):
    assert machine("0::/\n", **{"memory.max": "536870912\n"}) == 512 * MIB


def test_version_2_without_a_limit(machine):
    assert machine("0::/\n", **{"memory.max": "max\n"}) is None


def test_the_tightest_of_nested_groups(machine):
    files = {"a/memory.max": "1073741824\n", "a/b/memory.max": "2147483648\n", "memory.max": "max\n"}
    assert machine("0::/a/b\n", **files) == GIB


def test_version_1_in_a_container_that_sees_the_path_of_the_host(machine):
    groups = "9:cpu,cpuacct:/kubepods/x\n4:memory:/kubepods/burstable/pod1/x\n1:name=systemd:/\n"
    assert machine(groups, **{"memory/memory.limit_in_bytes": "536870912\n"}) == 512 * MIB


def test_version_1_on_a_machine(machine):
    files = {
        "memory/g/memory.limit_in_bytes": "268435456\n",
        "memory/memory.limit_in_bytes": "9223372036854771712\n",
    }
    assert machine("4:memory:/g\n", **files) == 256 * MIB


def test_version_1_without_a_limit(machine):
    assert machine("4:memory:/\n", **{"memory/memory.limit_in_bytes": "9223372036854771712\n"}) is None


def test_both_versions_at_once(machine):
    """Memory is of version 1 then, and version 2 is mounted elsewhere."""
    groups = "4:memory:/\n0::/\n"
    assert machine(groups, **{"memory/memory.limit_in_bytes": "536870912\n"}) == 512 * MIB


@pytest.mark.parametrize("groups", ["", "nonsense\n", "4:memory\n", "\n"])
def test_other_systems(machine, groups):
    assert machine(groups) is None


def test_a_system_without_these_files(tmp_path):
    assert container_limit(tmp_path) is None


ROLES = [("dn",), ("sn",), ("sn", "dn")]


@pytest.mark.parametrize("limit", [128 * MIB, 256 * MIB, 512 * MIB, 2 * GIB, 8 * GIB, 64 * GIB])
@pytest.mark.parametrize("roles", ROLES)
def test_all_that_may_be_held_fits(limit, roles):
    sizes = sizes_for(limit, roles)
    budgets = 4 * ("dn" in roles) + 2 * ("sn" in roles)
    held = budgets * sizes.request_memory_size + sizes.metadata_mem_cache_size + sizes.chunk_mem_cache_size
    assert held <= limit * 0.7
    assert sizes.request_memory_size > 0
    assert (sizes.chunk_mem_cache_size > 0) == ("dn" in roles)


@pytest.mark.parametrize("processes", [2, 4, 16])
@pytest.mark.parametrize("limit", [GIB, 4 * GIB])
def test_several_processes_share_it_with_the_one_that_supervises(limit, processes):
    settings = fitted(Settings(), limit, ("sn", "dn"), processes=processes)
    assert asdict(sizes_for((limit - 128 * MIB) // processes, ("sn", "dn"))) == {
        name: getattr(settings, name)
        for name in ("metadata_mem_cache_size", "chunk_mem_cache_size", "request_memory_size")
    }


def test_more_memory_is_for_caches_in_the_end():
    sizes = sizes_for(8 * GIB, ("dn",))
    assert sizes.request_memory_size == 256 * MIB
    assert sizes.chunk_mem_cache_size > 3 * GIB


def test_what_was_set_is_kept(tmp_path):
    file = tmp_path / "override.yml"
    file.write_text("chunk_mem_cache_size: 77m\nmetadata_mem_cache_size: null\n")
    settings = load_settings(flags={}, environ={"REQUEST_MEMORY_SIZE": "5m"}, config=file).settings
    settings = fitted(settings, 512 * MIB, ("dn",))
    assert settings.chunk_mem_cache_size == 77 * MIB
    assert settings.request_memory_size == 5 * MIB
    assert settings.metadata_mem_cache_size == sizes_for(512 * MIB, ("dn",)).metadata_mem_cache_size


def test_a_service_node_allows_chunks_as_large_as_without_a_limit():
    """It has no caches, but their size is also what a chunk may have."""
    settings = fitted(Settings(), GIB, ("sn",))
    assert settings.chunk_mem_cache_size == Settings().chunk_mem_cache_size
    assert settings.request_memory_size == sizes_for(GIB, ("sn",)).request_memory_size


def test_without_a_limit_nothing_changes():
    assert fitted(Settings(), None, ("dn",)) == Settings()
