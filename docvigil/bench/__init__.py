"""Measurements that anyone can rerun: `docvigil bench`."""
