"""The public REST API: one module per resource. Stateless; never touches the object store."""
