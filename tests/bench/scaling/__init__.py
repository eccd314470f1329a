"""Simulates the autoscalers of k8s/overlays on loads of an hour, with the numbers in their manifests."""
