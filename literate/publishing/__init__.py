"""What is done with the finished site, page upon page, before it is published.

- press makes the book as a PDF, and a card for each page
- offline makes the service worker, which keeps read pages for where no network is
"""
