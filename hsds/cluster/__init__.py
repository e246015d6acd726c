"""Who is there and who owns what: comes with the cluster."""
