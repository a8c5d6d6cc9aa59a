"""Figures as SVG text, drawn without a browser: each takes tables and returns marked-up text, or says why it cannot."""
