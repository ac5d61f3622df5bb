import threading

from napari_medlabel.storage.cache import Cache


def test_what_was_unused_for_longest_goes_first() -> None:
    cache: Cache[str] = Cache(10)
    cache.put("a", "A", 4)
    cache.put("b", "B", 4)
    assert cache.get("a") == "A"
    cache.put("c", "C", 4)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == ("A", None, "C")


def test_the_bound_holds_whatever_is_put_in() -> None:
    cache: Cache[int] = Cache(100)
    for n in range(1000):
        cache.put(n % 37, n, (n * 7) % 60)
        assert cache.bytes <= 100
    cache.put("huge", 0, 101)
    assert cache.get("huge") is None


def test_a_value_put_again_counts_once() -> None:
    cache: Cache[int] = Cache(100)
    cache.put("a", 1, 60)
    cache.put("a", 2, 50)
    assert (cache.get("a"), cache.bytes) == (2, 50)
    cache.clear()
    assert (cache.get("a"), cache.bytes) == (None, 0)


def test_several_threads_may_use_it() -> None:
    cache: Cache[int] = Cache(500)

    def use(seed: int) -> None:
        for n in range(2000):
            cache.put((n * seed) % 50, n, 20)
            cache.get((n + seed) % 50)

    threads = [threading.Thread(target=use, args=(seed,)) for seed in (3, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.bytes <= 500
