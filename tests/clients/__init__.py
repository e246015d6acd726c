"""The released clients, h5pyd 1.0.0 and 0.24.0 with their command-line apps, against a real service.

The two cannot share an environment, nor need the tests' own hold either: each has its own, and what a test
asks of a client is a script of ``programs/`` that the client's python runs.
"""
