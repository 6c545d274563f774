"""The types of the core language. In a file of their own: a process that finds all in the cache needs no more of it."""

from __future__ import annotations

from dataclasses import dataclass

NAMES = {"f": "float", "c": "complex", "i": "int", "u": "uint"}


@dataclass(frozen=True, slots=True)
class Type:
    """What a variable holds: a scalar, an array value, a reference to memory, or a list of references.

    `dtype` is a NumPy code (`f8 f4 c16 c8 i8 b1 ...`); a scalar integer is always `i8`, a scalar bool `b1`.
    """

    dtype: str
    rank: int = 0
    ref: bool = False
    many: bool = False

    def __str__(self) -> str:
        """As the text of programs has it."""
        lengths = f"[{self.rank}]" if self.rank or self.ref else ""
        return f"{'list ' if self.many else ''}{'&' if self.ref else ''}{self.dtype}{lengths}"

    @property
    def is_scalar(self) -> bool:
        return self.rank == 0 and not self.ref and not self.many

    @property
    def is_float(self) -> bool:
        """Whether it holds floats, real or complex: what carries a derivative."""
        return self.dtype[0] in "fc" and not self.many

    @property
    def is_complex(self) -> bool:
        return self.dtype[0] == "c" and not self.many

    @property
    def is_array_value(self) -> bool:
        return self.rank > 0 and not self.ref and not self.many

    @property
    def is_narrow(self) -> bool:
        """Whether it holds integers other than those of scalars: what is computed of arrays of them wraps round."""
        return self.dtype[0] in "iu" and self.dtype != "i8"

    @property
    def dtype_name(self) -> str:
        """The dtype as users write it: `float64`, `bool`."""
        kind, size = self.dtype[0], 8 * int(self.dtype[1:])
        return "bool" if kind == "b" else f"{NAMES[kind]}{size}"

    def value(self) -> Type:
        """The type of the whole contents of this memory."""
        return Type(self.dtype, self.rank)

    def memory(self) -> Type:
        return Type(self.dtype, self.rank, ref=True)


F8, F4, I8, B1 = Type("f8"), Type("f4"), Type("i8"), Type("b1")
C16, C8 = Type("c16"), Type("c8")
