"""The labs' half in Python: it asks the program, step by step, what the pages draw.

In a page it runs in a worker, in Pyodide; the tests run it as it is. Each lab is a
module here, whose public functions its script in `web/labs/` calls by name; cells,
workshop and exercises are labs too. The other modules are

- the door to all of them: driver
- what labs share: book and models, what is looked at; hooks, trace and runs, how the
  program is watched; fields and typed, what readers write
- parts of a single lab: expressions of autograd, checkers and marking of exercises
- what brings them to a site, and is not in a page: bundle and vendor
"""


class LabError(ValueError):
    """What the reader asked for cannot be done; the message says why."""
