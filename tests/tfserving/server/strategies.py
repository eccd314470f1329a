"""Inputs that hypothesis makes for several test modules."""

from hypothesis import strategies as st

# What TensorFlow Serving reads as Python's json does: numbers that are neither extreme nor tokens.
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
