"""A whole cluster in one process and in virtual time, with faults from a seed; and what checks it."""
