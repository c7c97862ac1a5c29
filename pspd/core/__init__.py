"""Values and decisions: pure, standard library only; no files, clocks, threads or numpy."""
