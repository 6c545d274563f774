"""How often each construct is tried, relative to the others of its group. A weight of 0 leaves a construct out."""

from __future__ import annotations

STATEMENTS: dict[str, float] = {
    # names
    "scalar assigned": 8, "scalar updated": 4, "scalars swapped": 1.5, "tuple assigned": 1,
    "name of several types": 0.7, "chained assignment": 0.5, "walrus": 0.3, "integer state": 1.5, "assert": 0.3,
    # elements and parts written
    "element stored": 9, "element updated": 5, "elements swapped": 1, "slice stored": 5, "slice filled": 2.5,
    "slice updated": 3, "overlapping slices": 2.5, "row stored": 2, "column stored": 2, "block stored": 1.5,
    "elements written together": 0.5, "overlapping slices of two strides": 0.7, "view written": 1.5,
    "whole stored": 1.5, "array filled": 0.7, "mask filled": 1, "mask stored": 1, "index array stored": 1,
    "index array updated": 1.2, "diagonal run": 0.5,
    # arrays as names
    "array rebound": 3, "array updated in place": 4, "alias": 2.5, "view": 4, "copy": 1.5, "arrays swapped": 2.5,
    "arrays rotated": 0.7, "scratch array": 2, "array chosen": 1.2, "out argument": 0,
    # control flow
    "if": 3, "if else": 3, "elif": 0.7, "match": 0.7, "bound in both branches": 1, "for range": 6,
    "for over array": 1.5, "for enumerate": 0.7, "for zip": 0.7, "for reversed": 0.5, "for over rows": 1,
    "for else": 0.7, "while": 2.5, "zero-trip loop": 0.6, "triangular loops": 1, "time loop swapped": 2,
    "time loop fresh": 2, "time loop slices": 1, "scratch in loop": 1.2, "read after its loop": 0.6,
    # functions
    "helper writes": 2.5, "helper writes views": 1.5, "helper returns argument": 1, "same array twice": 1,
    "helper with default": 0.7, "nested function": 0.8, "closure writes": 0.6, "derivative of a nested function": 0.15,
    # structures
    "tuple of arrays": 0.8, "dict of values": 0.6, "named tuple": 0.5, "dataclass": 0.4, "tuple carried": 0.6,
    "list of arrays": 0.6, "comprehension": 0.6, "list appended": 0.7,
    # the rest of Python
    "loop over a generator": 0.8, "generator left early": 0.4, "generator taken whole": 0.4,
    "dict by computed keys": 0.6, "set of what was seen": 0.4, "list changed in its middle": 0.8, "text kept": 0.3,
}  # fmt: skip

SCALARS: dict[str, float] = {
    "name": 8, "literal": 2, "element": 8, "product": 4, "sum": 4, "quotient": 2, "math function": 4,
    "numpy function": 1.5, "bounded": 3, "integer power": 1.5, "negative base power": 0.4, "power of index": 0.8,
    "ternary": 1, "max and min": 0.8, "abs": 0.6, "reduction": 2, "extremum": 0.6, "dot product": 0.7, "norm": 0.4,
    "length": 0.5, "integer": 1, "bool": 0.4, "remainder": 0.2, "inactive": 0.4, "helper call": 1, "lambda": 0.6,
    "function as argument": 0.5, "recursion": 0.5, "module constant": 0.5, "module array": 0.4, "view element": 1,
    "several results": 0.4, "generator sum": 0.4, "two arguments": 0.4, "std": 0.2, "derivative inside": 0.15,
}  # fmt: skip

ARRAYS: dict[str, float] = {
    "array name": 8, "times scalar": 4, "elementwise": 4, "sum of arrays": 3, "product of arrays": 3,
    "quotient of arrays": 1, "broadcast": 2, "broadcast axes of length 1": 1, "slice read": 4, "reversed read": 1,
    "strided read": 1.2, "row read": 1.5, "column read": 1.5, "transposed read": 1, "reshaped read": 0.8,
    "index array read": 1, "mask in where": 1.2, "maximum": 0.8, "array abs": 0.4, "clip": 0.3, "array power": 0.8,
    "axis reduction": 1, "axis extremum": 0.3, "cumulative sum": 0.4, "matrix product": 0.8, "outer product": 0.5,
    "solve": 0.3, "made array": 1.2, "array of scalars": 0.5, "array comprehension": 0.4, "array ternary": 0.6,
    "copied": 0.8, "empty slice": 0.2, "helper array": 0.5, "norm of rows": 0.2, "cast": 0.2,
}  # fmt: skip

CONDITIONS: dict[str, float] = {
    "scalar compared": 6,
    "elements compared": 2,
    "index compared": 2,
    "flag": 1,
    "and or not": 1,
    "chained comparison": 0.5,
    "reduction compared": 0.5,
}

JUMPS: dict[str, float] = {"break": 2, "continue": 2, "return in loop": 1}

# The probability of each, program by program.
PARAMETERS: dict[str, float] = {
    "matrix argument": 0.55, "second vector": 0.8, "integer argument": 0.5, "bool argument": 0.15,
    "index array argument": 0.2, "tensor argument": 0.06, "tuple argument": 0.07, "dict argument": 0.06,
    "named tuple argument": 0.05, "dataclass argument": 0.05, "function argument": 0.05, "default argument": 0.08,
    "keyword-only argument": 0.04, "column argument": 0.1, "length one vector": 0.05, "empty array argument": 0.03,
    "non-contiguous argument": 0.06, "read-only argument": 0.06, "Fortran order": 0.04, "float32": 0.04,
}  # fmt: skip
RESULTS: dict[str, float] = {
    "scalar result": 5,
    "array result": 3,
    "two results": 3,
    "dict result": 0.4,
    "named tuple result": 0.4,
    "argument returned": 0.6,
    "early return": 1,
}

# Patterns of the directed generators.
DIRECTED: dict[str, float] = {
    "buffers of two lengths": 1, "merged classes": 1.5, "escaping allocations": 1, "references chosen in loops": 1,
    "lists of references": 0.7, "snapshots with views": 1.5, "nested time loops": 1, "overlapping views in helpers": 1,
    "jumps amid swaps": 1, "while with references": 0.7, "scratch that becomes active": 0.7,
    "rows written in turn": 0.7, "recurrences in place": 0.7, "index ranges": 1,
    "ties": 0.5, "where beside a pole": 0.5,
}  # fmt: skip

GROUPS = {"statement": STATEMENTS, "scalar": SCALARS, "array": ARRAYS, "condition": CONDITIONS, "jump": JUMPS}
# Those whose pairs are counted: what makes or uses aliases.
ALIASING = (
    "alias", "view", "arrays swapped", "arrays rotated", "array chosen", "overlapping slices", "array updated in place",
    "time loop swapped", "time loop fresh", "scratch in loop", "helper writes", "helper writes views",
    "helper returns argument", "same array twice", "closure writes", "tuple of arrays", "list of arrays",
    "for over rows", "index array stored", "mask stored",
)  # fmt: skip
SHARE_OF_DIRECTED = 0.15  # of the programs that a hunt makes, those by the directed generators

# The statements of a random program, at least and at most; compile time grows with them.
LENGTHS = (3, 8)
LENGTHS_COMPILED = (1, 5)
