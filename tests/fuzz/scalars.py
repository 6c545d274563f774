"""Constructs that give a number, and conditions. Values stay small: what could grow goes through a bounded function."""

from __future__ import annotations

from collections.abc import Callable

from tests.fuzz.writer import Make, Writer, construct

MATH = (
    "math.sin({})",
    "math.cos({})",
    "math.tanh({})",
    "math.atan({})",
    "math.exp(-({}) ** 2)",
    "math.sqrt(1.0 + ({}) ** 2)",
    "math.log(1.5 + ({}) ** 2)",
    "math.exp(0.3 * math.sin({}))",
    "math.erf({})",
    "math.log1p(({}) ** 2)",
    "math.sinh(math.sin({}))",
    "math.asinh({})",
)
NUMPY = (
    "np.sin({})",
    "np.tanh({})",
    "np.arctan({})",
    "np.sqrt(2.0 + np.cos({}))",
    "np.square(np.sin({}))",
    "np.exp(-abs({}))",
)


def scalar(name: str) -> Callable[[Make], Make]:
    return construct("scalar", name)


def condition(name: str) -> Callable[[Make], Make]:
    return construct("condition", name)


@scalar("name")
def name_(w: Writer, depth: int) -> str:
    return str(w.pick(w.names("float")))


@scalar("literal")
def literal(w: Writer, depth: int) -> str:
    return str(w.pick(("0.3", "0.5", "0.7", "1.2", "2.0", "-0.4", "1.0", "0.0", "1", "2")))


@scalar("element")
def element(w: Writer, depth: int) -> str:
    known = w.names("array", lambda s: 0 not in s)
    name = w.pick(known)
    return f"{name}[{', '.join(w.index(n) for n in w.shape(name))}]"


@scalar("view element")
def view_element(w: Writer, depth: int) -> str:
    name = w.pick(w.vectors(3))
    n = w.shape(name)[0]
    part, length = w.pick([("1:", n - 1), ("::-1", n), ("::2", (n + 1) // 2), (":-1", n - 1)])
    return f"{name}[{part}][{w.index(length)}]"


@scalar("product")
def product(w: Writer, depth: int) -> str:
    return f"({w.scalar(depth - 1)}) * ({w.scalar(depth - 1)})" if w.chance(0.5) else f"{w.scalar(0)} * {w.scalar(0)}"


@scalar("sum")
def sum_(w: Writer, depth: int) -> str:
    return f"{w.scalar(depth - 1)} {w.pick('+-')} {w.scalar(0)}"


@scalar("quotient")
def quotient(w: Writer, depth: int) -> str:
    q = w.scalar(0)
    return f"({w.scalar(depth - 1)}) / (2.0 + {q} * {q})"


@scalar("math function")
def math_function(w: Writer, depth: int) -> str:
    return str(w.pick(MATH)).format(w.scalar(depth - 1))


@scalar("numpy function")
def numpy_function(w: Writer, depth: int) -> str:
    return str(w.pick(NUMPY)).format(w.scalar(depth - 1))


@scalar("bounded")
def bounded(w: Writer, depth: int) -> str:
    return f"math.sin({w.scalar(0)} * {w.scalar(depth - 1)})"


@scalar("two arguments")
def two_arguments(w: Writer, depth: int) -> str:
    p, q = w.scalar(0), w.scalar(0)
    return str(
        w.pick((f"math.atan2({p}, 2.0 + {q} ** 2)", f"math.hypot({p}, 1.0 + {q} ** 2)", f"np.logaddexp({p}, {q})"))
    )


@scalar("integer power")
def integer_power(w: Writer, depth: int) -> str:
    return f"({w.scalar(depth - 1)}) ** {w.pick((0, 1, 2, 3, 2))}"


@scalar("negative base power")
def negative_base(w: Writer, depth: int) -> str:
    return f"(-1.5 + 0.3 * math.sin({w.scalar(0)})) ** {w.pick((2, 3, -1, -2))}"


@scalar("power of index")
def power_of_index(w: Writer, depth: int) -> str:
    i = w.pick(w.names("int", lambda s: s[0] >= 0))
    return f"math.sin({w.scalar(0)}) ** {i}"


@scalar("ternary")
def ternary(w: Writer, depth: int) -> str:
    return f"({w.scalar(depth - 1)} if {w.condition()} else {w.scalar(0)})"


@scalar("max and min")
def max_and_min(w: Writer, depth: int) -> str:
    return f"{w.pick(('max', 'min', 'np.maximum', 'np.minimum'))}({w.scalar(0)}, {w.scalar(0)} * 0.9)"


@scalar("abs")
def abs_(w: Writer, depth: int) -> str:
    return f"{w.pick(('abs', 'math.fabs', 'np.abs'))}({w.scalar(0)})"


@scalar("reduction")
def reduction(w: Writer, depth: int) -> str:
    name = w.pick(w.names("array"))
    if 0 in w.shape(name):
        return f"np.sum({name})"
    inner = w.array(w.shape(name), 1)
    return str(w.pick((f"np.sum({inner}) * 0.2", f"np.mean({inner})", f"({inner}).sum() * 0.3", f"{name}.mean()")))


@scalar("std")
def std(w: Writer, depth: int) -> str:
    return f"{w.pick(('np.std', 'np.var'))}({w.pick(w.vectors(3))})"


@scalar("extremum")
def extremum(w: Writer, depth: int) -> str:
    return f"{w.pick(('np.max', 'np.min', 'max', 'min'))}({w.pick(w.vectors(2))})"


@scalar("dot product")
def dot_product(w: Writer, depth: int) -> str:
    a = w.pick(w.vectors())
    b = w.array(w.shape(a), 1)
    return str(w.pick((f"np.dot({a}, {b}) * 0.3", f"({a} @ ({b})) * 0.2", f"np.sum({a} * ({b})) * 0.2")))


@scalar("norm")
def norm(w: Writer, depth: int) -> str:
    return f"np.linalg.norm({w.pick(w.vectors())}) * 0.4"


@scalar("length")
def length(w: Writer, depth: int) -> str:
    name = w.pick(w.names("array"))
    return f"{w.scalar(0)} * {w.pick((f'len({name})', f'{name}.shape[0]', f'{name}.size'))} * 0.1"


@scalar("integer")
def integer(w: Writer, depth: int) -> str:
    i = w.pick(w.names("int"))
    return str(
        w.pick(
            (
                f"{w.scalar(0)} * {i}",
                f"0.3 * ({i} % 3)",
                f"{w.scalar(0)} / ({i} ** 2 + 1)",
                f"({i} // 2) * {w.scalar(0)}",
            )
        )
    )


@scalar("bool")
def bool_(w: Writer, depth: int) -> str:
    return f"{w.scalar(0)} * ({w.condition()})"


@scalar("remainder")
def remainder(w: Writer, depth: int) -> str:
    return f"({w.scalar(0)} % {w.pick(('0.7', '1.3'))})"


@scalar("inactive")
def inactive(w: Writer, depth: int) -> str:
    return str(w.pick(("math.floor({}) * 0.5", "round({}, 1) * 0.3", "float(int({} * 3.0)) * 0.2"))).format(w.scalar(0))


@scalar("helper call")
def helper_call(w: Writer, depth: int) -> str:
    helper = w.pick(("damped", "mixed", "stepped"))
    w.helpers.add(helper)
    return f"{helper}({w.scalar(0)}, {w.scalar(0)})"


@scalar("several results")
def several_results(w: Writer, depth: int) -> str:
    w.helpers.add("both")
    return f"both({w.scalar(0)}, {w.scalar(0)})[{w.pick('01')}]"


@scalar("lambda")
def lambda_(w: Writer, depth: int) -> str:
    free = w.pick(w.names("float"))
    return f"(lambda p: p * {w.scalar(0) if w.chance(0.5) else free} + math.sin(p))({w.scalar(0)})"


@scalar("function as argument")
def function_as_argument(w: Writer, depth: int) -> str:
    known = w.names("function")
    w.helpers |= {"twice", "damped_one"}
    f = w.pick([*known, "damped_one", f"lambda p: math.sin(p * {w.pick(w.names('float'))})", "math.sin"])
    return f"twice({f}, {w.scalar(0)})"


@scalar("recursion")
def recursion(w: Writer, depth: int) -> str:
    w.helpers.add("power")
    return f"power(math.sin({w.scalar(0)}), {w.pick((0, 1, 2, 3))})"


@scalar("module constant")
def module_constant(w: Writer, depth: int) -> str:
    w.helpers.add("RATE")
    return f"RATE * {w.scalar(0)}"


@scalar("module array")
def module_array(w: Writer, depth: int) -> str:
    w.helpers.add("TABLE")
    return f"TABLE[{w.index(3)}] * {w.scalar(0)}"


@scalar("generator sum")
def generator_sum(w: Writer, depth: int) -> str:
    k = w.fresh("k")
    a = w.pick(w.vectors())
    return str(
        w.pick((f"sum([{a}[{k}] * {k} for {k} in range({w.shape(a)[0]})])", f"sum({k} * {k} for {k} in {a}) * 0.3"))
    )


# ---- conditions


@condition("scalar compared")
def scalar_compared(w: Writer) -> str:
    return f"{w.scalar(1)} {w.pick(('>', '<', '>=', '<='))} {w.pick(('0.1', '0.25', '0.0', '0.5', '-0.2'))}"


@condition("elements compared")
def elements_compared(w: Writer) -> str:
    return f"{element(w, 0)} {w.pick('<>')} {w.scalar(0)}"


@condition("index compared")
def index_compared(w: Writer) -> str:
    i = w.pick(w.names("int"))
    return str(w.pick((f"{i} % 2 == {w.pick('01')}", f"{i} {w.pick(('<', '>', '>=', '!='))} {w.pick('123')}")))


@condition("flag")
def flag(w: Writer) -> str:
    return str(w.pick(w.names("bool")))


@condition("and or not")
def and_or_not(w: Writer) -> str:
    p, q = scalar_compared(w), w.condition()
    return str(w.pick((f"({p}) and ({q})", f"({p}) or ({q})", f"not ({p})")))


@condition("chained comparison")
def chained(w: Writer) -> str:
    return f"-0.6 < {w.scalar(1)} < {w.pick(('0.4', '0.9'))}"


@condition("reduction compared")
def reduction_compared(w: Writer) -> str:
    a = w.pick(w.names("array", lambda s: 0 not in s))
    return str(w.pick((f"np.sum({a}) > 1.0", f"np.any({a} > 1.1)", f"np.all({a} > -2.5)", f"np.argmax({a}) > 1")))
