"""Functions of SciPy as plain Python, which the compiler reads in the place of SciPy's own.

Each has the name and the arguments of what it stands for. They may also be called directly: on floats and arrays they
give what SciPy gives.
"""
