"""The page of `graphrec serve`: what the graph recommends to a user and why, as HTML that works without JavaScript.

This package reads what the page shows and renders it; its routes are in `graphrec/api/routes/`. jinja2 is imported only
in `rendering`.
"""
