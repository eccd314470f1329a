from collections import deque

import pytest

from pipeline.service import masking


@pytest.fixture
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget afterwards which secrets a test has taught."""
    monkeypatch.setattr(masking, "_set", frozenset())
    monkeypatch.setattr(masking, "_read", deque[str](maxlen=masking._read.maxlen))
    monkeypatch.setattr(masking, "_pattern", None)
