"""A module of numbers and functions that tests capture from outside."""

RATE = 0.25


def scaled(x):
    return x * RATE
