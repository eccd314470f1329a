"""The ImageNet classifier (EfficientNet-Lite0)."""
