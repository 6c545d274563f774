"""Functions of the user's as functions of other libraries, with our derivatives in them."""
