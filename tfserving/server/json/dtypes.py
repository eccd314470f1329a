"""TensorFlow's dtypes in JSON and messages, by NumPy's names (and `string`)."""

REALS = frozenset({"float32", "float64"})

# The range of accepted literals for each integer dtype (end exclusive). Narrow types wrap, as in a cast.
INTEGERS = {
    "int8": (-(2**31), 2**31),
    "int16": (-(2**31), 2**31),
    "int32": (-(2**31), 2**31),
    "uint8": (-(2**31), 2**31),
    "int64": (-(2**63), 2**63),
    "uint32": (0, 2**32),
    "uint64": (0, 2**64),
}

_SPELLINGS = {"float32": "float", "float64": "double", "float16": "half"}


def spelling(dtype: str) -> str:
    """Return the name of a dtype in error messages, such as float for float32."""
    return _SPELLINGS.get(dtype, dtype)
