"""A model taken out: its networks and its head as ONNX, and what makes scores of photos with them and nothing of Hilltop's.

Nothing is imported here, as in a bundle ``predict`` runs with onnxruntime, numpy and pillow alone.
"""
