"""Evidence and whole documents made up: ink, stamps and scans for training, pilots and load tests.

`evidence.make` draws one field with its right answer, `documents.synthesise` whole labelled files. What is for
training and what for testing never meets: `split`.
"""
