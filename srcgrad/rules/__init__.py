"""One declaration a primitive. Importing this package fills the registry."""

from srcgrad.rules.scalar import compare, rounding, arithmetic, elementwise, powers, larger_smaller, float_parts
from srcgrad.rules.special import logistic, normal, gammas, incomplete, bessel
from srcgrad.rules.shapes import broadcast
from srcgrad.rules.language import integers
from srcgrad.rules.shapes import shape
from srcgrad.rules.reductions import sums, largest_smallest, products, quantiles
from srcgrad.rules.arrays import differences
from srcgrad.rules.reductions import (
    exponentials,
    vector_norms,
    averages,
    sequences,
    norms_and_variances,
    any_all_counts,
)
from srcgrad.rules.arrays import evenly_spaced, construction, fancy_index
from srcgrad.rules.shapes import axes, pieces
from srcgrad.rules.arrays import joins, gather, diagonals, grids
from srcgrad.rules.signal import signals
from srcgrad.rules.arrays import take_sort_pad, writes, sets, predicates
from srcgrad.rules.reductions import statistics
from srcgrad.rules.arrays import polynomials, windows
from srcgrad.rules.linalg import (
    matmul,
    einsum,
    systems,
    triangular,
    determinants,
    close_eigenvalues,
    spectra,
    least_squares,
    decompositions,
    scipy_names,
)
from srcgrad.rules.arrays import complexes
from srcgrad.rules.signal import fourier
from srcgrad.rules import stop_gradient, raises
from srcgrad.rules.random import clocks, numpy_random, python_random
from srcgrad.rules import cuda_names
