"""The checkers of the exercises, a module for each part of the book that has some.

A checker tries what the reader wrote against the program itself, in several cases, and
says for each what came out. It looks for the usual slips, so that it can name them.

- data, learning, model, training, experiments: the exercises of a part
- marking: what they have in common, and EXERCISES, which they fill
"""
