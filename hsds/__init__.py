"""A self-discovering HDF5 data service: the HDF REST API over object storage."""

__version__ = "0.1.0"
