"""What runs in the restricted process. The service never imports it."""
