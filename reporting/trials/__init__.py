"""Queries and exports of trials."""
