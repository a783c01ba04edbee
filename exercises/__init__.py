"""What marks an exercise, in the page and on the command line.

A checker tries what the reader wrote against the program itself, in several cases, and
says for each what came out. It looks for the usual slips, so that it can name them.
Each checker is a function with the decorator `marking.exercise`; a module for each
part of the book has those of its exercises, and a new module is found by itself.

- judging runs an answer and has its checker mark it
- tasks has what exercises share that ask for a chunk of the program, whole
- marking has what the checkers share
- typed runs code that a reader has typed; edits makes a program of edited chunks
"""


class AnswerError(ValueError):
    """What the reader wrote cannot be used; the message says why."""
