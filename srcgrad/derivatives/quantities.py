"""Times and sizes of memory, as they are told."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Three digits and a unit.

    Examples
    --------
    >>> duration(0.00123), duration(4.56e-8)
    ('1.23 ms', '45.6 ns')
    """
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def memory(count: int) -> str:
    """A number of bytes; from ten thousand on in the next larger unit.

    Examples
    --------
    >>> memory(800), memory(24_000_000)
    ('800 bytes', '24.0 MB')
    """
    for unit, scale in (("MB", 10**6), ("kB", 10**3)):
        if count >= 10 * scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} bytes"
