"""The studio: a program, sliders for what it asks for, and its pictures, on one live page."""
