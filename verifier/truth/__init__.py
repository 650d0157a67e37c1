"""The truth: certified enclosures of derivatives, by two independent routes."""
