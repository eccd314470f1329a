"""Ports that are free. What is checked of an option is tested with the options."""

import socket

from compose.network import free_ports


def test_free_ports_differ_and_are_free() -> None:
    ports = free_ports(50)

    assert len(set(ports)) == 50
    socket.create_server(("127.0.0.1", ports[0])).close()
