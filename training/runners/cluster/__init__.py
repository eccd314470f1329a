"""Runs as Kubernetes Jobs and Deployments."""
