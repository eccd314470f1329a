"""The table of cameras."""

from producer.cameras.table import aligned


def test_columns_are_as_wide_as_their_widest_cell_on_a_terminal() -> None:
    assert aligned([("NAME", "STATE"), ("犬", "live"), ("yard", "paused")]) == (
        "NAME  STATE\n犬    live\nyard  paused"
    )


def test_a_long_name_moves_only_its_own_row() -> None:
    head, long, short = aligned([("NAME", "STATE"), ("x" * 200, "live"), ("door", "live")]).splitlines()

    assert long == f"{'x' * 200}  live"
    assert head.index("STATE") == short.index("live") == 42
