"""The API for programs and for our own scripts: JSON under /api/v1. `web/routes.py` lists the modules."""
