"""Training data: how messages become arrays, and which of them."""
