"""The command `srcgrad`: a file for each of its commands."""
