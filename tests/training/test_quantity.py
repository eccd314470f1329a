import pytest

from training.quantity import amount


@pytest.mark.parametrize(
    ("text", "count"), [("0", 0), ("512", 512), ("1k", 1000), ("1.5Gi", 3 * 2**29), ("4Gi", 2**32)]
)
def test_quantities_are_bytes(text: str, count: int) -> None:
    assert amount(text) == count


@pytest.mark.parametrize("text", ["", "4 Gi", "4GB", "-1", "Gi", "\u0661", "1e3"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a number of bytes such as 4Gi"):
        amount(text)
