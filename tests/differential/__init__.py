"""The same requests to this service and to HSDS 1.0.2, whose answers are compared.

``cases`` draws requests from a seed, ``exchange`` sends them to both, ``compare`` finds what differs, and
``rules`` holds the differences that are known and wanted, with reasons (docs/differences.md is its table).
By hand, e.g. after a change: ``python -m tests.differential --requests 20000 --seed 7``.
"""
