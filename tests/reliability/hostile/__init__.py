"""Files that nobody means well with, made anew from a seed by our own code; none is a stranger's.

`damage`, `lies`, `bombs` and `containers` make contents, `places` what is no plain file, `names`
names; `corpus` lays them out in a folder and says which dispositions are right for each; `mutants`
are good pictures with a few bytes changed, each made again from its seed and number.
"""
