"""Learned descriptors: pixels in, unit vectors out, by models that ONNX Runtime runs in a child."""
