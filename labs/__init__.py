"""The labs' half in Python: it asks the program, step by step, what the pages draw.

In a page it runs in a worker, in Pyodide; the tests run it as it is. Each lab is a
folder: `lab.py`, whose public functions `lab.js` beside it calls by name, and the style
`lab.css`; cells, workshop and exercise are labs too. Beside them are

- what labs share: the folder shared, with driver, the door to all of them
- what brings them to a site, and is not in a page: bundle and vendor
"""


class LabError(ValueError):
    """What the reader asked for cannot be done; the message says why."""
