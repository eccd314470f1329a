"""The models that are served: configuration, versions, loading and unloading."""
