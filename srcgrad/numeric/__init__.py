"""Numeric functions as plain Python over NumPy, without derivatives: what rules are declared of, and what generated
modules carry where neither NumPy nor Numba has a function."""
