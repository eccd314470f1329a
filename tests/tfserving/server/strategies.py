"""Hypothesis strategies that several test modules share."""

from hypothesis import strategies as st

# JSON that TensorFlow Serving reads like Python's json: numbers are neither extreme nor NaN or infinity.
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
KEYS = st.text(st.characters(exclude_categories=["Cs"]))
DOCUMENTS = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=20)
PIECES = """{ } [ ] , : " \\ "instances" "inputs" "x" "b64" "QUI=" "é"
 1 - 0 1.5 1e400 NaN -Inf true null \\u00e9 \\ud800"""
FRAGMENTS = st.lists(st.sampled_from([*PIECES.split(), " ", "\n"])).map("".join).map(str.encode)
BODIES = st.binary() | FRAGMENTS
