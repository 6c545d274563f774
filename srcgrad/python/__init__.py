"""Functions of Python as plain text, which the compiler reads where the function goes over an array."""
