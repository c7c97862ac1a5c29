"""Two pictures in, a proof out."""
