"""The pure parts of the cluster, one by one."""
