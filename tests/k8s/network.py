"""Evaluates network policies as a cluster's network does.

Only the fields that the manifests use are supported; any other is an error, so that none is ignored.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Final, Literal

from tests.k8s.manifests import Document, Documents, labels_of, of_kind, ports_of, selects, workloads

Port = tuple[str, int]
"""A protocol and a number."""

OURS: Final = {"kubernetes.io/metadata.name": "streamlens"}
SYSTEM: Final = {"kubernetes.io/metadata.name": "kube-system"}


@dataclass(frozen=True, slots=True)
class Place:
    """An end of a connection: a pod, or a host with an `address` outside the cluster, without a namespace."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    namespace: Mapping[str, str] = field(default_factory=lambda: OURS)
    ports: Mapping[str, int] = field(default_factory=dict)
    address: str = ""


OUTSIDE: Final = Place("outside", namespace={}, address="203.0.113.5")
CACHE: Final = Place("cache", namespace={}, address="169.254.20.10")
"""NodeLocal DNSCache, at the same address of each node."""
STRANGER: Final = Place("stranger", {"app": "stranger"})
NAMES: Final = Place("names", {"k8s-app": "kube-dns"}, SYSTEM)


def pods(documents: Documents) -> list[Place]:
    """Return a place for each workload, named after its app."""
    return [
        Place(labels_of(workload)["app"], labels_of(workload), ports=ports_of(workload))
        for workload in workloads(documents)
    ]


def allows(documents: Documents, source: Place, target: Place, port: Port) -> bool:
    """Whether a connection is possible: the policies of both ends must allow it."""
    return _lets(documents, "Egress", source, target, port) and _lets(
        documents, "Ingress", target, source, port
    )


def _lets(
    documents: Documents, way: Literal["Ingress", "Egress"], mine: Place, other: Place, port: Port
) -> bool:
    specs = [policy["spec"] for policy in of_kind(documents, "NetworkPolicy")]
    specs = [spec for spec in specs if way in spec["policyTypes"]]
    specs = [spec for spec in specs if mine.namespace == OURS and _selects(spec["podSelector"], mine.labels)]
    if not specs:  # a pod that no policy selects may do anything
        return True
    # A port's name is looked up at the target of the connection.
    names = (mine if way == "Ingress" else other).ports
    return any(_rule_lets(rule, way, other, names, port) for spec in specs for rule in _rules(spec, way))


def _rules(spec: Document, way: str) -> Iterator[Document]:
    _only(spec, {"podSelector", "policyTypes", "ingress", "egress"})
    yield from spec.get(way.lower()) or []


def _rule_lets(rule: Document, way: str, other: Place, names: Mapping[str, int], port: Port) -> bool:
    side = "from" if way == "Ingress" else "to"
    _only(rule, {side, "ports"})
    peers, ports = rule.get(side) or [], rule.get("ports") or []
    return (not peers or any(_is(peer, other) for peer in peers)) and (
        not ports or any(_is_port(each, names, port) for each in ports)
    )


def _is(peer: Document, place: Place) -> bool:
    _only(peer, {"podSelector", "namespaceSelector", "ipBlock"})
    if "ipBlock" in peer:
        return bool(place.address) and is_in(peer["ipBlock"], place.address)
    if place.address:
        return False
    if "namespaceSelector" in peer:
        in_it = _selects(peer["namespaceSelector"], place.namespace)
    else:
        in_it = place.namespace == OURS
    return in_it and _selects(peer.get("podSelector", {}), place.labels)


def is_in(block: Document, address: str) -> bool:
    """Whether a block of addresses contains one; an IPv4 address that is written as IPv6 is sent as IPv4."""
    _only(block, {"cidr", "except"})
    found = ip_address(address)
    found = getattr(found, "ipv4_mapped", None) or found
    return found in ip_network(block["cidr"]) and not any(
        found in ip_network(each) for each in block.get("except", [])
    )


def _is_port(allowed: Document, names: Mapping[str, int], port: Port) -> bool:
    _only(allowed, {"port", "protocol"})
    number = names.get(allowed["port"]) if isinstance(allowed["port"], str) else allowed["port"]
    return port == (allowed.get("protocol", "TCP"), number)


def _selects(selector: Document, labels: Mapping[str, str]) -> bool:
    _only(selector, {"matchLabels"})
    return selects(selector.get("matchLabels", {}), dict(labels))


def _only(fields: Document, known: set[str]) -> None:
    if unknown := fields.keys() - known:
        raise NotImplementedError(
            f"{', '.join(unknown)} of a network policy: not supported by tests/k8s/network.py"
        )


def reached(
    documents: Documents, sources: Sequence[Place], targets: Sequence[Place], more: Sequence[Port]
) -> Iterator[tuple[str, str, str, int]]:
    """Yield each possible connection to the targets' ports, and to `more`."""
    for source in sources:
        for target in targets:
            ports = {*more, *(("TCP", number) for number in target.ports.values())}
            for protocol, number in sorted(ports):
                if allows(documents, source, target, (protocol, number)):
                    yield source.name, target.name, protocol, number
