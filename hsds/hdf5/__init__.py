"""The HDF5 data model as the HDF REST API sees it. Pure: no I/O, no event loop, no clock."""
