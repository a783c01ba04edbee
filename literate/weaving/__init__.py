"""From the document to a website: text in, text out, for weave.py to hand to MkDocs.

- pages: the door; from a document to the pages of a site
- book: how the document falls into chapters; back: the pages behind them
- prose, code, diagrams: what stands on a page; identifiers: where names are defined
- html: what stays as it is in the Markdown between
"""
