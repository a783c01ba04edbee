"""The labs' half in Python: it asks the program, step by step, what the pages draw.

In a page it runs in a worker, in Pyodide; the tests run it as it is. Each lab is a
module here, whose public functions its script in `web/labs/` calls by name; cells,
workshop and exercises are labs too, and models is asked by all. Beside them are

- the door to all of them: driver
- what labs share: the folder base
- how the exercises are marked: the folder checkers
- what brings them to a site, and is not in a page: bundle and vendor
"""


class LabError(ValueError):
    """What the reader asked for cannot be done; the message says why."""
