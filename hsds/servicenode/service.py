"""Being written."""

from hsds.servicenode.call import Route

OPEN_ROUTES: tuple[Route, ...] = ()
