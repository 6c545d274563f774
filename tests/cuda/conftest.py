"""Tests that run in Numba's CUDA simulator are collected only where it is on: `test_simulator.py` starts them."""

import os

collect_ignore = [] if os.environ.get("NUMBA_ENABLE_CUDASIM") == "1" else ["sim"]
