"""How the house is built, measured from its code: circles, sizes, and how many files a change of each kind touches."""
