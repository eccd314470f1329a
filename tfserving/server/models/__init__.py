"""Which models are served: configuration, versions, loading and unloading."""
