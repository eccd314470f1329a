"""A chain with early exits against the whole model in the cloud, over a link that takes 50 ms each way."""

import os
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from tests.bench.figures import Figure, Measured
from tests.bench.pairs import rounds
from tests.cluster import COMMAND
from tests.training import exits
from tests.training.exits import KNOWN
from training.example.digits import digits

AGE: Final = Figure("early exits, age of an answer, p50 / whole model in the cloud", "x", most=0.55)
RIGHT: Final = Figure("early exits, right answers less than the whole model's", "points", most=1)
SHARE: Final = Figure("early exits, share of all answers", "%")

_RATE: Final = 50  # messages per second


FIGURES: Final = (AGE, RIGHT, SHARE)


def measure() -> list[Measured]:
    """Return the figures; nothing without the command that starts both Kafkas."""
    if COMMAND not in os.environ:
        print(f"  exits: not measured: set {COMMAND} to a command that starts Kafkas", flush=True)
        return []
    with TemporaryDirectory() as name:
        return _measured(Path(name))


def _measured(folder: Path) -> list[Measured]:
    asked = digits()[KNOWN:]
    chain, whole = list[exits.Asked](), list[exits.Asked]()
    with exits.site(folder) as site:
        site.train()
        with site.chain() as part, site.whole() as alone:
            for asking in (part, alone):
                asking.ask(asked[:_RATE], _RATE)  # everybody knows the topics then
            for _ in rounds("early exits"):
                chain.append(part.ask(asked, _RATE))
                whole.append(alone.ask(asked, _RATE))
    about = f"{len(asked)} digits at {_RATE} messages/s, answers read at the edge, limit {exits.LIMIT}"
    return [
        AGE.ratio([median(each.ages) for each in chain], [median(each.ages) for each in whole], "ms", about),
        RIGHT.alone(
            [100 * (one.right(asked) - each.right(asked)) for each, one in zip(chain, whole, strict=True)],
            about,
        ),
        SHARE.alone([100 * sum(each.early) / len(each.early) for each in chain], about),
    ]
