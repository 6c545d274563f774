"""How far a solve is, for whoever waits: a callback that shows it."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from srcgrad import optional


class Progress:
    """A callback for `newton`, `gradient_descent` and `minimize` that shows steps and objective on one line.

    With tqdm installed it is a bar of tqdm's (in a notebook its widget), else a line of text on the terminal. One
    object serves several solves, one after the other.

    Parameters
    ----------
    maxiter : int, optional
        The steps that there are at most: with it the bar has an end.
    label : str
        What stands in front.

    Examples
    --------
    >>> import srcgrad as sg
    >>> show = sg.optimize.Progress(200)
    >>> sg.gradient_descent(lambda x: (x - 3.0) ** 2, 0.0, lr=0.1, maxiter=200, callback=show).success
    True
    >>> show.close()
    """

    def __init__(self, maxiter: int | None = None, label: str = "") -> None:
        self.maxiter, self.label = maxiter, label
        self._bar: Any = None
        self._width = 0

    def __call__(self, x: Any, fun: Any, nit: int) -> None:
        """Show this step. x is not looked at; fun is the objective, or Newton's residual, of which the largest entry is
        shown."""
        value = f"{float(np.max(np.abs(fun))) if np.ndim(fun) else float(fun):.6g}"
        if optional.package("tqdm") is None:
            self._line(
                f"{self.label or 'srcgrad'}: {nit}{f' of {self.maxiter}' if self.maxiter else ''}, fun = {value}"
            )
            return
        if self._bar is None or nit < self._bar.n:
            self.close()
            self._bar = optional.package("tqdm.auto").tqdm(total=self.maxiter, desc=self.label or None, unit=" steps")
        self._bar.set_postfix_str(f"fun = {value}", refresh=False)
        self._bar.update(nit - self._bar.n)

    def close(self) -> None:
        """End the line; the next solve begins one of its own."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        elif self._width:
            sys.stderr.write("\n")
            self._width = 0

    def _line(self, text: str) -> None:
        sys.stderr.write("\r" + text.ljust(self._width))
        sys.stderr.flush()
        self._width = len(text)
