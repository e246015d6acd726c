"""Being written."""

from hsds.servicenode.call import Route

ROUTES: tuple[Route, ...] = ()
