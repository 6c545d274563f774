"""Functions of NumPy as plain Python, which the compiler reads in the place of NumPy's own."""
