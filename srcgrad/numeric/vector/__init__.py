"""Elementary functions of one number that LLVM inlines into a loop over an array and makes vector code of.

They have no branches, but choices between values that are both at hand, and ask no library. Integers are read out of
floats, and floats made of integers, by views of their bits; 1.5 * 2**52 added to a float leaves the integer nearest to
it in the low bits. Where the error of a rounding is carried on, products are exact: that they may be fused with sums
does no harm. Their flags must not allow sums to be taken in another order.
"""
