"""Random compositions of NumPy's functions on arrays of few shapes. Each line is tried as soon as it is written: what
does not run, or gives what is no number, empty or large, is not written."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

from tests.fuzz.programs import Fuzzed, fresh

# {a}, {b} stand for arrays (b for a number, too), {s} for a number, {k} for a number of the line.
ELEMENTWISE = (
    "np.sin({a})", "np.cos({a})", "np.tanh({a})", "np.exp(-{a} * {a})", "np.sqrt(1.0 + {a} ** 2)", "{a} ** 2",
    "{a} ** 3", "np.log1p({a} ** 2)", "np.arctan({a})", "-{a}", "1.0 / (2.0 + {a} ** 2)", "np.abs({a})",
    "np.maximum({a}, 0.1)", "np.where({a} > 0.2, {a} * 2.0, {a} ** 2)", "np.clip({a}, -0.5, 0.8)", "{a}.copy()",
    "np.square({a})", "np.ones_like({a}) * {a}", "np.hypot({a}, 1.0)", "np.logaddexp({a}, 0.3)", "np.sinc({a})",
    "np.expm1({a} * 0.3)", "np.cbrt({a} + 3.0)", "np.nan_to_num({a})", "np.reciprocal(3.0 + np.abs({a}))",
)  # fmt: skip
PARTS = (
    "{a}.T", "{a}[::-1]", "{a}[:n]", "{a}[n:]", "{a}[-n:]", "{a}[:-1]", "{a}[1:]", "{a}[::2]", "{a}[..., 0]",
    "{a}[0]", "{a}[-1]", "{a}[n]", "{a}[:, n - 1]", "{a}[:, :n]", "{a}[:, ::-1]", "{a}[None]", "{a}[:, None]",
    "{a}[..., None]", "{a}.ravel()", "{a}.flatten()", "{a}.reshape(-1)", "{a}.reshape((2, -1))", "np.squeeze({a}, 0)",
    "{a}.reshape(({a}.size // 2, 2))", "np.expand_dims({a}, 0)", "np.swapaxes({a}, 0, 1)", "np.flip({a})",
    "np.flip({a}, 0)", "np.roll({a}, n)", "np.roll({a}, 1, 0)", "np.rot90({a})", "{a}[k]", "{a}[k, k]",
    "{a}[k][:, k]", "{a}[:, k]", "{a}[[0, -1]]", "{a}[np.array([1, 0, 1])]", "{a}[len({a}) // 2]", "np.diag({a})",
    "np.diagonal({a})", "np.tril({a})", "np.triu({a}, 1)", "np.atleast_2d({a})", "np.moveaxis({a}, 0, -1)",
    "np.broadcast_to({a}, (2,) + {a}.shape)", "np.take({a}, k, 0)", "np.delete({a}, 0, 0)", "np.repeat({a}, 2)",
    "np.repeat({a}, 2, 0)", "np.tile({a}, 2)", "np.pad({a}, 1)", "np.sort({a})", "np.diff({a})", "np.ediff1d({a})",
    "np.gradient({a})", "np.cumsum({a})", "np.cumsum({a}, 0)", "np.cumprod({a} * 0.5 + 1.0)", "np.fliplr({a})",
    "np.append({a}, {a}[0])", "np.insert({a}, 1, 0.3)", "np.partition({a}, 1)",
)  # fmt: skip
REDUCTIONS = (
    "np.sum({a})", "np.sum({a}, axis=0)", "np.sum({a}, axis=-1)", "{a}.sum(axis=0, keepdims=True)", "np.mean({a})",
    "{a}.mean(axis=0)", "np.mean({a}, axis=-1, keepdims=True)", "np.max({a})", "np.min({a}, axis=0)",
    "{a}.max(axis=-1)", "np.prod({a} * 0.5 + 0.8)", "np.var({a})", "np.std({a}, axis=0)", "np.linalg.norm({a})",
    "np.trace({a})", "np.median({a})", "np.ptp({a})", "np.linalg.norm({a}, axis=0)", "np.sum({a}, axis=(0, 1))",
    "np.dot({a}.ravel(), {a}.ravel())", "np.quantile({a}, 0.3)", "np.average({a})", "np.linalg.det({a})",
    "np.sum({a}[{a} > 0.1])", "np.argmax({a}) * {a}.sum()", "np.count_nonzero({a} > 0.3) * np.mean({a})",
)  # fmt: skip
PAIRS = (
    "{a} + {b}", "{a} - {b}", "{a} * {b}", "{a} / (2.0 + {b} ** 2)", "np.maximum({a}, {b})", "np.minimum({a}, {b})",
    "np.where({a} > {b}, {a}, {b} * 0.5)", "{a} @ {b}", "{a}[:n] @ {b}", "np.dot({a}, {b})", "np.outer({a}, {b})",
    "np.concatenate(({a}, {b}))", "np.stack(({a}, {b}))", "np.vstack(({a}, {b}))", "np.hstack(({a}, {b}))",
    "np.column_stack(({a}, {b}))", "np.concatenate(({a}, {b}), axis=1)", "np.arctan2({a}, {b} + 2.0)",
    "np.linalg.solve({a} + 4.0 * np.eye({a}.shape[0]), {b})", "np.linalg.inv({a} + 4.0 * np.eye(len({a}))) @ {b}",
    "np.hypot({a}, {b})", "np.kron({a}, {b})", "np.inner({a}, {b})", "np.vdot({a}, {b})", "np.convolve({a}, {b})",
    "np.interp({a}, np.array([-1.0, 0.0, 1.0]), {b}[:3])", "np.cross({a}[:3], {b}[:3])", "np.append({a}, {b})",
    "np.logaddexp({a}, {b})", "np.tensordot({a}, {b}, 1)", "np.einsum('ij,j->i', {a}, {b})", "np.cov({a}, {b})",
    "np.correlate({a}, {b})", "np.trapezoid({a}, {b})", "np.polyval({a}, {b})",
    "np.select([{a} > 0.3, {b} > 0.2], [{a}, {b} * 2.0], 0.5)",
)  # fmt: skip
WRITES = (
    "{a}[0] = {b}", "{a}[n] = {b}", "{a}[:n] = {b}", "{a}[:] = {b}", "{a}[1:] += {b}", "{a} *= {b}", "{a} += {b}",
    "{a}[::2] = {b}", "{a}[:, 0] = {b}", "{a}[k] = {b}", "{a}[k] += {b}", "{a}[{a} > 0.2] = {s}", "{a}[-1] -= {b}",
    "{a}[::-1] = {b}", "{a}[1:] = {a}[:-1]", "{a}[:-1] = {a}[1:] * {s}", "{a}.fill({s})", "{a}[n, n] = {s}",
    "{a}[...] = {b}", "np.add.at({a}, k, {b})", "{a}[:, n - 1] *= {s}", "{a}.T[0] = {b}", "{a}[n:][0] = {b}",
    "{a}.ravel()[1] = {s}", "np.fill_diagonal({a}, {s})", "np.copyto({a}, {b})", "{a}.sort()",
)  # fmt: skip
BLOCKS = (
    "for i{k} in range({a}.shape[0]):\n    {s} = {s} + np.sum({a}[i{k}]) * 0.3",
    "for i{k} in range(n):\n    {a} = {a} * 0.9 + 0.1 * np.sin({a})",
    "for r{k} in {a}:\n    {s} = {s} * 0.5 + np.sum(r{k} ** 2)",
    "for i{k} in range(1, len({a})):\n    {a}[i{k}] = {a}[i{k}] + 0.3 * {a}[i{k} - 1]",
    "i{k} = 0\nwhile {s} * {s} < 9.0 and i{k} < 3:\n    {s} = {s} * 1.3 + np.max({a})\n    i{k} += 1",
    "if {s} > 0.3:\n    {a} = {a} * 2.0\nelse:\n    {a} = {a} * {a}",
    "for i{k} in range({a}.shape[0] - 1, -1, -1):\n    {a}[i{k}] *= {s} * 0.5",
)
EXPRESSIONS = ((ELEMENTWISE, 17), (PARTS, 25), (REDUCTIONS, 10), (PAIRS, 22))
STATEMENTS = ((WRITES, 18), (BLOCKS, 8))
LARGEST, MOST_ELEMENTS, MOST_AXES = 200.0, 40, 3


class Composer:
    """Writes lines, and keeps what the function's arguments make of the names so far."""

    def __init__(self, seed: int) -> None:
        self.random, rng = Random(seed), np.random.default_rng(seed)
        sizes = [self.random.choice(c) for c in ((2, 3, 4), (3, 4), (2, 3, 4))]
        x, y, m = (rng.uniform(-0.9, 1.1, shape) for shape in (4, sizes[0], tuple(sizes[1:])))
        places = np.array([self.random.randrange(2) for _ in range(2)])
        self.args: dict[str, Any] = {
            "x": x,
            "y": y,
            "m": m,
            "s": float(rng.uniform(0.2, 1.0)),
            "n": self.random.choice((1, 2)),
            "k": places,
        }
        self.arrays, self.numbers = ["x", "y", "m"], ["s"]
        self.lines = ["x = x * 1.0", "m = m + 0.0"]  # y is the caller's own, and may be written into
        self.tries = 0

    def array(self) -> str:
        return self.random.choice(self.arrays[-4:] if self.random.random() < 0.6 else self.arrays)

    def line(self) -> bool:
        """Try one more line."""
        self.tries += 1
        (table,) = self.random.choices(
            [t for t, _ in (*EXPRESSIONS, *STATEMENTS)], [w for _, w in (*EXPRESSIONS, *STATEMENTS)]
        )
        b = self.array() if self.random.random() < 0.8 else self.random.choice(self.numbers)
        parts = {"a": self.array(), "b": b, "s": self.random.choice(self.numbers), "k": self.tries}
        line = self.random.choice(table).format(**parts)
        name = f"v{self.tries}" if table in [t for t, _ in EXPRESSIONS] else ""
        values = self.tried(f"{name} = {line}" if name else line)
        if values is None:
            return False
        if name:
            (self.arrays if np.ndim(values[name]) else self.numbers).append(name)
        self.lines.append(f"{name} = {line}" if name else line)
        return True

    def tried(self, line: str) -> dict[str, Any] | None:
        """The values of all names after the line, if they are fit to go on with."""
        space = {"np": np, **{name: fresh(value) for name, value in self.args.items()}}
        try:
            with np.errstate(all="ignore"):
                exec("\n".join([*self.lines, line]), space)
        except Exception:  # NumPy knows best which lines are valid
            return None
        values = {k: v for k, v in space.items() if k not in ("np", "__builtins__")}
        return values if all(map(fit, values.values())) else None

    def text(self) -> str:
        wanted = len(self.lines) + self.random.randint(3, 8)
        while len(self.lines) < wanted and self.tries < 200:
            self.line()
        terms = [f"np.sum({a} * {0.3 + 0.1 * k:.1f})" for k, a in enumerate([*self.arrays[-4:], "x", "m"])]
        body = "\n".join([*self.lines, f"return {' + '.join([*terms, *self.numbers[-2:]])}"])
        return "def f(x, y, m, s, n, k):\n    " + body.replace("\n", "\n    ") + "\n"


def fit(value: Any) -> bool:
    """Whether a value is a number or an array of numbers, small, and not one that has no axis."""
    if isinstance(value, np.ndarray) and not (0 < value.size <= MOST_ELEMENTS and 0 < value.ndim <= MOST_AXES):
        return False
    if not isinstance(value, (np.ndarray, np.floating, float)):
        return isinstance(value, int)
    return bool(np.all(np.isfinite(value)) and np.max(np.abs(value)) <= LARGEST)


def composition(seed: int) -> Fuzzed:
    """Always the same for a seed."""
    composer = Composer(seed)
    text = composer.text()
    return Fuzzed(f"composed_{seed}", text, tuple(composer.args.values()), [])
