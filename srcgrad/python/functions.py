"""Builtin functions, and those of functools, over arrays and over items one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def reduce(function: Callable[[Any, Any], Any], iterable: Any) -> Any:
    total = iterable[0]
    for k in range(1, len(iterable)):
        total = function(total, iterable[k])
    return total


def reduce_from(function: Callable[[Any, Any], Any], iterable: Any, initial: Any) -> Any:
    total = initial
    for k in range(len(iterable)):
        total = function(total, iterable[k])
    return total


def accumulate(iterable: Any, function: Callable[[Any, Any], Any]) -> Any:
    totals = [iterable[0] for _ in range(min(len(iterable), 1))]
    for k in range(1, len(iterable)):
        totals.append(function(totals[-1], iterable[k]))
    return totals


def accumulate_from(iterable: Any, function: Callable[[Any, Any], Any], initial: Any) -> Any:
    totals = [initial]
    for k in range(len(iterable)):
        totals.append(function(totals[-1], iterable[k]))
    return totals


def largest_by(iterable: Any, key: Callable[[Any], Any]) -> Any:
    best, found = iterable[0], key(iterable[0])
    for k in range(1, len(iterable)):
        score = key(iterable[k])
        if score > found:
            best, found = iterable[k], score
    return best


def smallest_by(iterable: Any, key: Callable[[Any], Any]) -> Any:
    best, found = iterable[0], key(iterable[0])
    for k in range(1, len(iterable)):
        score = key(iterable[k])
        if score < found:
            best, found = iterable[k], score
    return best


def larger(best: Any, found: Any, item: Any, score: Any) -> tuple[Any, Any]:
    if score > found:
        return item, score
    return best, found


def smaller(best: Any, found: Any, item: Any, score: Any) -> tuple[Any, Any]:
    if score < found:
        return item, score
    return best, found


def ordered(values: Any, reverse: bool) -> Any:
    up = np.sort(values)
    return up[::-1] if reverse else up


def places_by(keys: Any, reverse: bool) -> Any:
    return np.argsort(-keys if reverse else keys, kind="stable")


def ordered_by(items: Any, key: Callable[[Any], Any], reverse: bool) -> Any:
    keys = np.empty(len(items))
    for k in range(len(items)):
        keys[k] = key(items[k])
    return items[places_by(keys, reverse)]


# ---- lists that change in their middle


def place_in(items: Any, place: int) -> int:
    at = place + len(items) if place < 0 else place
    if at < 0 or at >= len(items):
        raise IndexError("pop index out of range")
    return at


def pop_at(items: Any, place: int) -> Any:
    at = place_in(items, place)
    value = items[at]
    for k in range(at, len(items) - 1):
        items[k] = items[k + 1]
    items.pop()
    return value


def insert_at(items: Any, place: int, value: Any) -> None:
    at = place + len(items) if place < 0 else place
    at = min(max(at, 0), len(items))
    items.append(value)
    for k in range(len(items) - 1, at, -1):
        items[k] = items[k - 1]
    items[at] = value


def delete_part(items: Any, start: int, stop: int) -> None:
    """Without the items from start to stop, which lie in the list, in this order."""
    for k in range(stop, len(items)):
        items[start + k - stop] = items[k]
    for _ in range(stop - start):
        items.pop()


def reverse_items(items: Any) -> None:
    last = len(items) - 1
    for k in range(len(items) // 2):
        item = items[k]
        items[k] = items[last - k]
        items[last - k] = item


def sort_items(items: Any, reverse: bool) -> None:
    up = np.sort(np.array(items))
    last = len(items) - 1
    for k in range(len(items)):
        items[k] = up[last - k] if reverse else up[k]


def index_of(items: Any, value: Any) -> int:
    place = 0
    for item in items:
        if item == value:
            return place
        place += 1
    return -1


def index_of_number(numbers: Any, value: Any) -> int:
    """The same of numbers."""
    found = numbers == value
    if not np.any(found):
        return -1
    return int(np.argmax(found))


def place_of(items: Any, value: Any) -> int:
    place = index_of(items, value)
    if place < 0:
        raise ValueError("the value is not in the list")
    return place


def remove_value(items: Any, value: Any) -> None:
    pop_at(items, place_of(items, value))


def count_of(items: Any, value: Any) -> int:
    found = 0
    for item in items:
        if item == value:
            found += 1
    return found


def extend_by(items: Any, more: Any) -> None:
    for item in more:
        items.append(item)


def bounds_of(count: int, start: Any, stop: Any) -> tuple[int, int]:
    """Where a slice of so many items begins and ends."""
    first = 0 if start is None else start
    last = count if stop is None else stop
    first = min(max(first + count if first < 0 else first, 0), count)
    last = min(max(last + count if last < 0 else last, 0), count)
    return first, max(first, last)


def insert_part(items: Any, start: int, more: Any) -> None:
    place = start
    for item in more:
        insert_at(items, place, item)
        place += 1


# ---- dicts whose keys are computed: a list of keys, and one of what stands under them


def place_of_key(keys: Any, key: Any) -> int:
    place = index_of(keys, key)
    if place < 0:
        raise KeyError(key)
    return place


def set_under(keys: Any, items: Any, key: Any, value: Any) -> None:
    place = index_of(keys, key)
    if place < 0:
        keys.append(key)
        items.append(value)
    else:
        items[place] = value


def get_under(keys: Any, items: Any, key: Any, default: Any) -> Any:
    place = index_of(keys, key)
    if place < 0:
        return default
    return items[place]


def pop_under(keys: Any, items: Any, key: Any) -> Any:
    place = place_of_key(keys, key)
    pop_at(keys, place)
    return pop_at(items, place)


def default_under(keys: Any, items: Any, key: Any, default: Any) -> Any:
    place = index_of(keys, key)
    if place < 0:
        keys.append(key)
        items.append(default)
        return default
    return items[place]


def has_key(keys: Any, key: Any) -> bool:
    return index_of(keys, key) >= 0


def clear_items(items: Any) -> None:
    items.clear()


def add_item(items: Any, value: Any) -> None:
    if index_of(items, value) < 0:
        items.append(value)


def discard_item(items: Any, value: Any) -> None:
    place = index_of(items, value)
    if place >= 0:
        pop_at(items, place)


def add_items(items: Any, more: Any) -> None:
    for value in more:
        add_item(items, value)
