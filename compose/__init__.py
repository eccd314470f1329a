"""The whole system on one machine: with Docker by docker-compose.yml, without by python -m compose."""
