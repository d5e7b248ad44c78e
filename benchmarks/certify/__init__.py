"""Are certificates honest, and how much do they cover? Simulated projects whose truth is known.

``rules`` compares ways to certify on labels as a textbook has them. ``scenarios`` are what happens to a project
in life: photos that arrive, people who take the surest, plans that come late. Each says how often something false was
stated before it was mended, and after.
"""
