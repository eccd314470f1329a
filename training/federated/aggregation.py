"""The rounds of one training as the aggregator keeps them: who takes part, and what becomes of their weights.

Nothing here knows Kafka. A client is refused alone: its reason is kept, and the others go on.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from training.federated import messages, strategies
from training.federated.clients import MOST_CLIENTS, Client, History, Terms
from training.federated.fields import LONGEST_REASON
from training.federated.messages import Failure, Join, Update
from training.federated.names import Topics
from training.federated.strategies import Mean, Server
from training.federated.weights import Arrays, Spec, unpack, why_not_finite, why_unlike

log = logging.getLogger(__name__)


class Aggregation:
    """Round `version` is the current one, counted from 0; `weights` are those that it began with.

    `trained` says which of the arrays the clients' optimizers change.
    """

    def __init__(
        self,
        topics: Topics,
        weights: Arrays,
        trained: Sequence[bool],
        *,
        server: Server,
        terms: Terms,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.topics = topics
        self.weights = weights
        self.server = server
        self.version = 0
        self.has_begun = False
        self.history = History()
        self.clients = dict[str, Client]()
        self._trained = trained
        self._terms = terms
        self._clock = clock
        self._since: float | None = None
        self._open()

    @property
    def is_over(self) -> bool:
        """Whether all rounds are done."""
        return self.version >= self._terms.rounds

    @property
    def specs(self) -> list[Spec]:
        """The types and shapes that the weights must have."""
        return [Spec(each.dtype.name, each.shape) for each in self.weights]

    def begin(self) -> None:
        """Begin the current round: its deadline counts from now on."""
        self.has_begun = True
        self._since = self._clock()
        for client in self.clients.values():
            if client.state in ("joined", "done", "refused", "failed"):
                client.state, client.reason = "training", None

    def take(self, key: bytes | None, value: bytes | None) -> Update | None:
        """Take what a client says; return the update whose weights are to be fetched, if it is one."""
        try:
            name = messages.parse_client(key)
        except ValueError as error:
            log.warning("%s; skipped", error)
            return None
        try:
            said = messages.parse_said(name, value, self.topics)
        except ValueError as error:
            self.refuse(name, str(error).removeprefix(f"client {name}: "))
            return None
        if isinstance(said, Join):
            self._join(said)
        elif name not in self.clients:
            log.warning("client %s is unknown, because it has not joined: its weights are not used", name)
        elif self._is_behind(said):
            # It is there, and will go on with the newest round.
            self._become(name, "training", f"its answer to round {said.version} came too late")
        elif why := self._why_not(said):
            self.refuse(name, why)
        elif isinstance(said, Failure):
            self._become(name, "failed", said.reason)
        else:
            return said
        return None

    def add(self, update: Update, data: bytes) -> None:
        """Take the weights of an update, or refuse its client."""
        try:
            arrays = unpack(update.weights, data)
            if why := why_not_finite(arrays):
                raise ValueError(why)
        except ValueError as error:
            self.refuse(update.client, str(error))
            return
        client = self.clients[update.client]
        self._mean.add(arrays, update.num_data)
        self._updates.append(update)
        client.num_data = update.num_data
        self._become(update.client, "done", None)

    def refuse(self, name: str, why: str) -> None:
        """Note why something of a client is not used; its weights of this round, if they are, stay used."""
        if name not in self.clients:
            log.warning("client %s: %s; it is not used", name, why)
        elif self.clients[name].state == "done":
            log.warning("client %s: %s; what it has sent before is used", name, why)
        else:
            self._become(name, "refused", why)

    def trouble(self) -> str | None:
        """Return why the round can never be closed, or None: its time is up, and no client can be used."""
        if not self.has_begun or self._has_time() or len(self._updates) >= self._least:
            return None
        if any(each.state in ("training", "late") for each in self.clients.values()):
            return None
        reasons = "; ".join(
            f"client {name}: {each.reason}" for name, each in self.clients.items() if each.reason
        )
        return (
            f"round {self.version + 1}: {len(self._updates)} of at least {self._least} clients have sent"
            f" weights that can be used: {reasons}"
        )

    def why_waiting(self) -> str | None:
        """Return what the aggregator waits for, or None when the next step is due.

        That is to begin, and then to close each round.
        """
        return self._why_not_closing() if self.has_begun else self._why_not_beginning()

    def close(self) -> None:
        """End the round: new weights, and its metrics. Raises ValueError if the weights are not finite."""
        mean = self._mean.result()
        stepped = self.server.step(self.weights, mean, self._trained)
        with np.errstate(over="ignore"):  # which is then found
            weights = strategies.cast(stepped, self.weights)
        if why := why_not_finite(weights):
            raise ValueError(f"round {self.version + 1}: the new weights cannot be used: {why}")
        self.weights = weights
        self.history.add(self._updates, self.version)
        for update in self._updates:
            self.clients[update.client].used += 1
        for name, client in self.clients.items():
            if client.state == "training":
                self._become(name, "late", f"it has not answered round {self.version + 1} in time")
        log.info("round %d of %d: the mean of %s", self.version + 1, self._terms.rounds, self._used())
        self.version += 1
        self._open()

    def report(self) -> dict[str, Any]:
        """Return the progress: rounds that are done, and the clients with their shares of all samples."""
        total = sum(each.num_data for each in self.clients.values())
        clients = [
            {
                "name": name,
                "num_data": client.num_data,
                "share": client.num_data / total,
                "state": client.state,
                "reason": client.reason,
                "used": client.used,
            }
            for name, client in self.clients.items()
        ]
        return {"round": self.version, "agg_rounds": self._terms.rounds, "clients": clients}

    def _open(self) -> None:
        self._mean = Mean()
        self._updates = list[Update]()

    def _join(self, said: Join) -> None:
        if said.client not in self.clients and len(self.clients) >= MOST_CLIENTS:
            log.warning("client %s: there are %d clients, and no room for more", said.client, MOST_CLIENTS)
            return
        known = self.clients.setdefault(said.client, Client(said.num_data))
        if known.state != "done":
            known.num_data = said.num_data
            self._become(said.client, "training" if self.has_begun else "joined", None)
        if self._since is None:
            self._since = self._clock()

    def _is_behind(self, said: Update | Failure) -> bool:
        return said.version <= self.version and self.clients[said.client].state in ("training", "late")

    def _why_not(self, said: Update | Failure) -> str | None:
        """Return why what a client says about a round does not count."""
        if not self.has_begun or said.version != self.version + 1:
            now = f"round {self.version + 1}" if self.has_begun else "no round yet"
            return f"its answer is for round {said.version}, but this is {now}"
        if any(each.client == said.client for each in self._updates):
            return f"it has answered round {said.version} already"
        return None if isinstance(said, Failure) else why_unlike(said.weights.arrays, self.specs)

    def _become(self, name: str, state: str, reason: str | None) -> None:
        client = self.clients[name]
        client.state, client.reason = state, reason and reason[:LONGEST_REASON]
        if reason is None:
            log.info("client %s: %s, %d samples", name, state, client.num_data)
        else:
            log.warning("client %s: %s: %s", name, state, reason)

    def _why_not_beginning(self) -> str | None:
        count, least = len(self.clients), self._terms.clients
        if count < least:
            return f"waiting for clients: {count} of at least {least} have joined"
        if self._since is not None and self._clock() - self._since < self._terms.joining:
            return f"waiting for more clients: {count} have joined"
        return None

    def _why_not_closing(self) -> str | None:
        count = len(self._updates)
        awaited = [name for name, client in self.clients.items() if client.state == "training"]
        if awaited and self._has_time():
            return f"waiting for {len(awaited)} clients: {', '.join(awaited[:5])}"
        if count >= self._least:
            return None
        return f"waiting for clients: {count} of at least {self._least} have sent weights that can be used"

    def _has_time(self) -> bool:
        return self._since is not None and self._clock() - self._since < self._terms.deadline

    @property
    def _least(self) -> int:
        return max(1, self._terms.updates)

    def _used(self) -> str:
        return ", ".join(f"{each.client} ({each.num_data} samples)" for each in self._updates)
