"""The labs' half in Python: it asks the program, step by step, what the pages draw.

In a page it runs in a worker, in Pyodide; the tests run it as it is. Each lab is a
module here, whose public functions its script in `web/labs/` calls by name.
"""


class LabError(ValueError):
    """What the reader asked for cannot be done; the message says why."""
