"""Every program of checks, with each client."""

from __future__ import annotations

import pytest

from tests.clients.client import PROGRAMS, Client

CHECKS = sorted(path.stem for path in PROGRAMS.glob("*.py") if "\n@check\n" in path.read_text())


@pytest.mark.parametrize("program", CHECKS)
def test_checks(client: Client, program: str) -> None:
    report = client.program(program, f"{client.folder}{program}/").json()
    assert report
    failed = {name: said for name, said in report.items() if said and not said.startswith("not offered")}
    assert not failed, "\n\n".join(f"{name}: {said}" for name, said in failed.items())
    for name, said in report.items():
        if said:
            print(f"{program} {name}: {said}")


def test_there_are_checks() -> None:
    assert len(CHECKS) >= 10
