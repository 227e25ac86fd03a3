"""Checkpoints in the format of the published nanoVLM (Wiedmann et al., 2025), of both generations.

The model for evidence in `models.nanovlm.model` is nanoVLM too, and shares its decoding with these. It stays a class
of its own: its convolutional stem, its column head and the names of its weights are those of the checkpoint that
ships, and those here are the published ones.
"""
