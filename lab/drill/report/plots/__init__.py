"""Plots of a report as inline SVG, which takes its colours from the page around it.

matplotlib is imported here and nowhere else, by the functions that draw: other commands do not wait
for it.
"""
