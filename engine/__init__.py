"""The belt: read in chunks, compute, write in chunks; progress, resume, provenance."""
