from collections import Counter

from training.example.digits import CODE, digits


def test_there_are_pictures_of_64_pixels_and_their_labels() -> None:
    found = digits()

    assert len(found) == 1797
    assert {len(each.pixels) for each in found} == {64}
    assert max(max(each.pixels) for each in found) == 16
    assert sorted(Counter(each.label for each in found)) == list(range(10))


def test_they_are_mixed_so_that_each_part_has_all_labels() -> None:
    for start in range(0, 1797, 180):
        assert {each.label for each in digits()[start : start + 100]} == set(range(10))


def test_the_order_is_always_the_same() -> None:
    first = digits()
    digits.cache_clear()

    assert digits() == first


def test_the_code_is_python_that_sets_the_model() -> None:
    assert "model" in compile(CODE, "code", "exec").co_names
