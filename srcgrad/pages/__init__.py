"""Functions and their derivatives, side by side, as a page for a browser or a notebook."""
