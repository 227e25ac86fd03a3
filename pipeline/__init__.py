"""The domain: what happens to a document. No queue, no database, no web, no torch in here."""
