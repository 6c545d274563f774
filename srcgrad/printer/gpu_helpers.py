"""Functions of one number that CUDA's `math` does not have. Printed once in the generated module; for single precision
with its literals in single precision."""

from __future__ import annotations

FLOOR = """
def floor(x: float) -> float:
    r = rint(x)
    return r - 1.0 if r > x else r
"""

CEIL = """
def ceil(x: float) -> float:
    r = rint(x)
    return r + 1.0 if r < x else r
"""

TRUNC = """
def trunc(x: float) -> float:
    return math.copysign(floor(abs(x)), x)
"""

RINT = """
def rint(x: float) -> float:
    # the nearest integer, ties to even: adding 2**52 leaves no place for a fraction
    if not abs(x) < 4503599627370496.0:
        return x
    return math.copysign(abs(x) + 4503599627370496.0 - 4503599627370496.0, x)
"""

RINT_SINGLE = RINT.replace("2**52", "2**23").replace("4503599627370496.0", "8388608.0")

SIGN = """
def sign(x: float) -> float:
    return 1.0 if x > 0.0 else -1.0 if x < 0.0 else x - x
"""

SIGNBIT = """
def signbit(x: float) -> bool:
    return math.copysign(1.0, x) < 0.0
"""

CBRT = """
def cbrt(x: float) -> float:
    r = math.copysign(abs(x) ** (1.0 / 3.0), x)
    return r - (r - x / (r * r)) / 3.0 if r != 0.0 and math.isfinite(r) else x
"""

EXP2 = """
def exp2(x: float) -> float:
    return 2.0 ** x
"""

MAXIMUM = """
def maximum(a: float, b: float) -> float:
    return a if a >= b or a != a else b
"""

MINIMUM = """
def minimum(a: float, b: float) -> float:
    return a if a <= b or a != a else b
"""

FMAX = """
def fmax(a: float, b: float) -> float:
    return a if a >= b or b != b else b
"""

FMIN = """
def fmin(a: float, b: float) -> float:
    return a if a <= b or b != b else b
"""

SQUARE = """
def square(x: float) -> float:
    return x * x
"""

LOGADDEXP = """
def logaddexp(a: float, b: float) -> float:
    if a == b:
        return a + 0.6931471805599453
    gap = a - b
    return a + math.log1p(math.exp(-gap)) if gap > 0.0 else b + math.log1p(math.exp(gap))
"""

LOGADDEXP2 = """
def logaddexp2(a: float, b: float) -> float:
    if a == b:
        return a + 1.0
    gap = a - b
    return (a if gap > 0.0 else b) + 1.4426950408889634 * math.log1p(2.0 ** -abs(gap))
"""

SINC = """
def sinc(x: float) -> float:
    u = 3.141592653589793 * x
    return math.sin(u) / u if u != 0.0 else 1.0
"""

SIGMOID = """
def sigmoid(x: float) -> float:
    tail = math.exp(-abs(x))
    return (1.0 if x >= 0.0 else tail) / (1.0 + tail)
"""

GCD = """
def gcd(a: int, b: int) -> int:
    a, b = abs(a), abs(b)
    while b:
        a, b = b, a % b
    return a
"""

LCM = """
def lcm(a: int, b: int) -> int:
    return abs(a) // gcd(a, b) * abs(b) if a and b else 0
"""

SINGLE = {"rint": RINT_SINGLE}  # where single precision needs more than literals in it
HELPERS = {
    "floor": FLOOR, "ceil": CEIL, "trunc": TRUNC, "rint": RINT, "sign": SIGN, "signbit": SIGNBIT, "cbrt": CBRT,
    "exp2": EXP2, "square": SQUARE, "logaddexp": LOGADDEXP, "logaddexp2": LOGADDEXP2, "sigmoid": SIGMOID, "gcd": GCD,
    "lcm": LCM, "sinc": SINC,
    "maximum": MAXIMUM, "minimum": MINIMUM, "fmax": FMAX, "fmin": FMIN,
}  # fmt: skip
