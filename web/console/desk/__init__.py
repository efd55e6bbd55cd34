"""The pages of the desk, one module per subject; every one stands in the frame that ``frame.py`` makes."""
