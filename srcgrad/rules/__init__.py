"""One declaration a primitive. Importing this package fills the registry."""
from srcgrad.rules import compare, rounding, arithmetic, elementwise, powers, extrema, loops, shape  # noqa: F401, I001
