"""What the long tests share with those of clusters."""

from tests.cluster.conftest import authority

__all__ = ["authority"]
