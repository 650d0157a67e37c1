"""Plots as inline SVG, drawn on the server: readable without script, coloured by the page's style sheet."""
