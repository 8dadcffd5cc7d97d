"""A cache bounded by weight."""

from kartramail.adapters.weighed_cache import WeighedCache


def test_what_was_not_used_for_longest_goes_first() -> None:
    cache: WeighedCache[str, int] = WeighedCache(10)
    cache.keep("a", 1, 4)
    cache.keep("b", 2, 4)
    assert cache.get("a") == 1
    cache.keep("c", 3, 4)
    assert ("a" in cache, "b" in cache, "c" in cache) == (True, False, True)
    assert cache.weight == 8


def test_the_last_one_stays_however_heavy() -> None:
    cache: WeighedCache[str, int] = WeighedCache(10)
    cache.keep("a", 1, 4)
    cache.keep("b", 2, 400)
    assert cache.get("a") is None
    assert cache.get("b") == 2


def test_what_is_kept_again_weighs_once() -> None:
    cache: WeighedCache[str, int] = WeighedCache(10)
    for _ in range(3):
        cache.keep("a", 1, 4)
    assert cache.weight == 4
