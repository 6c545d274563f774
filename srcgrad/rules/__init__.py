"""One declaration a primitive. Importing this package fills the registry."""
from srcgrad.rules import (  # noqa: F401, I001
    compare,
    rounding,
    arithmetic,
    elementwise,
    powers,
    extrema,
    special,
    broadcast,
    loops,
    shape,
    reduce,
    ranges,
    memory,
    linalg,
    stop,
)
