"""Readers of archives, downloads and file formats."""
