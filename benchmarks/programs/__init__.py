"""Programs that run in other environments and are spoken to in lines of JSON: see ``speaking``."""
