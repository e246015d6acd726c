"""Owner of keys: caches, serialises writes, alone reads and writes the object store."""
