"""This service and HSDS 1.0.2 answer alike, but for the differences that docs/differences.md has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.differential.exchange import PASSWORDS, Client
from tests.differential.reference import MISSING, Reference, reference_python
from tests.differential.rules import RULES
from tests.differential.run import run
from tests.integration.service import Service

DOCUMENT = Path(__file__).parents[2] / "docs" / "differences.md"
SEED, REQUESTS = 1, 1000


@pytest.fixture(scope="module")
def reference() -> Iterator[Reference]:
    """HSDS 1.0.2, where its environment is given."""
    python = reference_python()
    if python is None:
        pytest.skip(MISSING)
    with Reference(python, _passwords()) as running:
        yield running


def _passwords() -> str:
    return "".join(f"{user}:{password}\n" for user, password in PASSWORDS.items())


@pytest.mark.timeout(900)
async def test_nothing_differs_but_what_is_told(reference, tmp_path):
    passwords = tmp_path / "passwd.txt"
    passwords.write_text(_passwords())
    with Service(tmp_path, "--password-file", str(passwords)) as service:
        async with Client(service.url) as ours, Client("http://hsds", socket=str(reference.socket)) as theirs:
            outcome = await run(ours, theirs, seed=SEED, requests=REQUESTS)
    print(f"{outcome.requests} requests, {len(outcome.distinct)} distinct, of {len(outcome.routes)} routes")
    print(f"differences that are told: {dict(outcome.explained)}")
    assert len(outcome.distinct) >= REQUESTS
    assert not outcome.unexplained, "\n".join(map(str, outcome.unexplained[:20]))


def test_the_document_has_every_rule_and_no_other():
    told = re.findall(r"^\| `([\w-]+)` \|", DOCUMENT.read_text(), re.MULTILINE)
    assert sorted(told) == sorted(rule.name for rule in RULES)
    assert len(set(told)) == len(told)
