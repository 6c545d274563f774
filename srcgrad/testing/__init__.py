"""Checks of derivatives, for users of srcgrad and for srcgrad itself."""

from srcgrad.testing.check_grads import check_grads

__all__ = ["check_grads"]
