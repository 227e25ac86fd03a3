"""Pages for people: HTML, each a function in a module about one noun. `web/routes.py` lists the modules."""
