"""How a service node reaches the data nodes: what can be asked (``ops``), the interface, and its forms."""
