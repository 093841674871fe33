"""Plots of learning curves and axis effects."""
