"""``python -m tests.differential --requests N --seed N``: what differs, by route and kind."""

import argparse
import asyncio
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from tests.differential.exchange import PASSWORDS, Client
from tests.differential.reference import MISSING, Reference, reference_python
from tests.differential.rules import RULES
from tests.differential.run import Outcome, route_of, run
from tests.integration.service import Service


async def both(seed: int, requests: int) -> Outcome:
    """Start both services, and compare them."""
    python = reference_python()
    if python is None:
        sys.exit(MISSING)
    passwords = "".join(f"{user}:{password}\n" for user, password in PASSWORDS.items())
    with tempfile.TemporaryDirectory() as folder, Reference(python, passwords) as reference:
        file = Path(folder) / "passwd.txt"
        file.write_text(passwords)
        with Service(Path(folder), "--password-file", str(file)) as service:
            async with (
                Client(service.url) as ours,
                Client("http://hsds", socket=str(reference.socket)) as theirs,
            ):
                return await run(ours, theirs, seed=seed, requests=requests)


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.differential")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--each", type=int, default=2, help="differences shown of each kind")
    options = parser.parse_args()
    outcome = asyncio.run(both(options.seed, options.requests))
    groups = defaultdict(list)
    for difference in outcome.unexplained:
        request = difference.request
        statuses = f"{difference.ours}/{difference.theirs}" if difference.where == "status" else ""
        groups[f"{request.method} {route_of(request.path)} {difference.where} {statuses}"].append(difference)
    for name, differences in sorted(groups.items()):
        print(f"== {name}: {len(differences)}")
        for difference in differences[: options.each]:
            print(f"  {difference}")
    print(f"{outcome.requests} requests, {len(outcome.distinct)} distinct, statuses {dict(outcome.statuses)}")
    print(f"explained: {dict(outcome.explained)}")
    print(f"not seen: {[rule.name for rule in RULES if rule.name not in outcome.explained]}")
    print(f"unexplained: {len(outcome.unexplained)} of {len(groups)} kinds")
    return 1 if outcome.unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
