"""The functions of `math` and NumPy's ufuncs that act on each element."""
from __future__ import annotations

import math

import numpy as np

from srcgrad.rules.arithmetic import reals
from srcgrad.rules.declare import elementwise

sin = elementwise("sin", (np.sin, math.sin), partials=lambda x, y: (cos(x),), samples=reals)
cos = elementwise("cos", (np.cos, math.cos), partials=lambda x, y: (-sin(x),), samples=reals)
