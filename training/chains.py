"""Chains of models, such as edge, fog and cloud: one job trains all parts of a chain.

Each part but the highest has an upper model, its father, and two outputs: what the upper model gets, and the
part's own prediction. Chains are listed lowest first.
"""

from collections.abc import Iterable

from training.database.tables import Model, Result


def chains(models: Iterable[Model]) -> list[list[Model]]:
    """Return the chains of some models; a model that is not distributed is a chain of its own.

    Raises ValueError, in one line, if a chain is not complete.
    """
    chosen = {each.id: each for each in models}
    found = []
    for model in chosen.values():
        if not model.distributed:
            found.append([model])
            continue
        for other, place in ((model.father, "above"), (model.child, "below")):
            if other is not None and other.id not in chosen:
                raise ValueError(
                    f"configuration: it lacks {other.name}, the model {place} {model.name}: choose the"
                    " highest model of the chain, and those below it are added"
                )
        if model.child is None:
            found.append(_upwards(model))
    return found


def chain_of(result: Result) -> list[Result]:
    """Return the results that the job of a result trains: those of its chain, or it alone."""
    if not result.model.distributed:
        return [result]
    others = {each.model_id: each for each in result.deployment.results} | {result.model_id: result}
    lowest = result.model
    while lowest.child is not None and lowest.child.id in others:
        lowest = lowest.child
    return [others[each.id] for each in _upwards(lowest) if each.id in others]


def _upwards(lowest: Model) -> list[Model]:
    chain = [lowest]
    while (father := chain[-1].father) is not None and father not in chain:
        chain.append(father)
    return chain
