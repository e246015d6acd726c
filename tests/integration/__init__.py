"""The whole service as a process of its own, spoken to over HTTP."""
