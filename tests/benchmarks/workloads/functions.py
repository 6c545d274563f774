"""Test functions of optimisation and sums of exponentials: elementwise work and a reduction."""

import numpy as np

from tests.benchmarks.workloads.clusters import log_sum_exp_by_hand, rosenbrock_by_hand
from tests.benchmarks.workloads.table import Table

TABLE = Table("programs")


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


for _n in (100, 1_000, 10_000, 100_000):
    TABLE.add(
        rosenbrock,
        lambda rng, n: (rng.normal(size=n),),
        (6,),
        (_n,),
        (_n,),
        name=f"rosenbrock_{_n}",
        kind="elementwise",
        peer=rosenbrock,
    )


@TABLE.workload(lambda rng, n: (rng.normal(size=n),), (6,), (1_000,), (10_000,), same=True, kind="elementwise")
def log_sum_exp(x):
    m = np.max(x)
    return m + np.log(np.sum(np.exp(x - m)))


TABLE.by_hand(rosenbrock, bar=2.0)(rosenbrock_by_hand)
TABLE.by_hand(log_sum_exp, bar=1.0, more=((1_000_000,),))(log_sum_exp_by_hand)
