"""The machine's half of Hilltop: bytes, tensors and arrays in, arrays out.

This package knows no project, no person and no web framework. It runs in a notebook, on a GPU machine or inside a
worker. Nothing is imported here on purpose, so that ``import inference.photo.pixels`` costs no torch.
"""
