"""A classifier that was trained elsewhere comes in as ONNX: sent, looked at, tried on photos of the project, taken."""
