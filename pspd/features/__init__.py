"""Image bytes in, descriptors out; never sees a path."""
