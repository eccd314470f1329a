"""Predictions within the limits of the wire."""

from hypothesis import strategies as st

from pipeline.wire.predictions import LARGEST_NUMBER, Prediction, Result
from pipeline.wire.text import readable

_texts = st.text(st.characters(codec="utf-8"), max_size=200).map(readable)
_sides = st.integers(0, 65_535)
_places = st.integers(-65_535, 65_535)
_results = st.builds(
    Result,
    label=_texts,
    score=st.integers(0, 10_000).map(lambda n: n / 10_000),
    box=st.none() | st.tuples(_places, _places, _sides, _sides),
)
predictions = st.lists(
    st.builds(
        Prediction,
        model=_texts,
        results=st.lists(_results, max_size=2).map(tuple),
        seq=st.none() | st.integers(0, LARGEST_NUMBER),
        age_ms=st.none() | st.integers(0, LARGEST_NUMBER),
        took_ms=st.none() | st.integers(0, LARGEST_NUMBER),
    ),
    max_size=2,
).map(tuple)
