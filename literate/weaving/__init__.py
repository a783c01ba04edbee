"""From the document to a website: text in, text out, for weave.py to hand to MkDocs.

- pages: the door; from a document to the pages of a site
- book: how the document falls into chapters; indexes: the pages behind them
- prose, chunks, diagrams: what stands on a page; colours: code as tokens
- listings: programs, with what their names stand for; identifiers finds that out
- changes: what each stage changes in the one before
- html: a page, and the HTML that stays as it is in its Markdown
"""
