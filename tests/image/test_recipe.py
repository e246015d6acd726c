"""The Dockerfile and the lock file say what they must, without building anything."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).parents[2]
DOCKERFILE = (CHECKOUT / "Dockerfile").read_text()
LOCK = (CHECKOUT / "requirements.lock").read_text()
LOCKED = {
    canonicalize_name(name): version
    for name, version in re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;]+)", LOCK, re.MULTILINE)
}
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
RUNTIME = [
    Requirement(line) for line in (*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["kubernetes"])
]


@pytest.mark.parametrize("requirement", RUNTIME, ids=str)
def test_every_runtime_dependency_is_locked_at_a_version_it_allows(requirement):
    assert LOCKED[canonicalize_name(requirement.name)] in requirement.specifier


def test_every_locked_package_has_hashes():
    for entry in re.split(r"\n(?=\S)", LOCK):
        if "==" in entry and not entry.startswith("#"):
            assert "--hash=sha256:" in entry, entry.splitlines()[0]


def test_nothing_for_tests_is_locked():
    tests = {canonicalize_name(Requirement(line).name) for line in PROJECT["optional-dependencies"]["test"]}
    runtime = {canonicalize_name(requirement.name) for requirement in RUNTIME} | {"h5py"}  # h5json needs it
    assert not (tests - runtime) & set(LOCKED)


def test_the_image_runs_what_ci_tested():
    tested = dict(
        re.findall(r"^([\w.-]+)==(\S+)", (CHECKOUT / ".ci/constraints.txt").read_text(), re.MULTILINE)
    )
    differing = {
        name: (version, LOCKED[name])
        for name, version in ((canonicalize_name(name), version) for name, version in tested.items())
        if name in LOCKED and LOCKED[name] != version
    }
    assert not differing


def test_the_entry_point_is_in_exec_form():
    assert 'ENTRYPOINT ["hsds"]' in DOCKERFILE


def test_the_user_is_a_number_and_not_root():
    (user,) = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)


def test_the_base_is_an_argument_with_a_pinned_default():
    (default,) = re.findall(r"^ARG BASE_IMAGE=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert re.search(r":\d+\.\d+\.\d+-slim", default)
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == ["${BASE_IMAGE}"] * 2


def test_what_is_copied_is_not_ignored():
    kept = {
        line[1:] for line in (CHECKOUT / ".dockerignore").read_text().splitlines() if line.startswith("!")
    }
    copied = set()
    for words in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE):
        copied.update(word.removeprefix("./") for word in words.split())
    assert copied == kept
