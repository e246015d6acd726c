"""Cases: functions that draw a few requests that belong together, in a domain that nobody else uses.

A case is a generator of requests. Requests that make what the later ones need are ``vital``: where only one
of the services does them, the rest of the case is left out, because its answers must differ.
"""

from collections.abc import Callable

from tests.differential.cases import (
    acls,
    attributes,
    attributevalues,
    batches,
    creation,
    creationproperties,
    datatypes,
    domains,
    folders,
    groups,
    linkbatches,
    links,
    paths,
    points,
    queries,
    regionrefs,
    service,
    shapes,
    values,
    valuewrites,
)
from tests.differential.draw import Case, Draw

MODULES = (
    service,
    domains,
    folders,
    acls,
    groups,
    links,
    linkbatches,
    attributes,
    attributevalues,
    creation,
    creationproperties,
    datatypes,
    shapes,
    values,
    valuewrites,
    points,
    queries,
    regionrefs,
    paths,
    batches,
)
CASES: list[Callable[[Draw], Case]] = [case for module in MODULES for case in module.CASES]
