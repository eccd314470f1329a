"""Federated training: workers train where the data are, and only weights leave."""
