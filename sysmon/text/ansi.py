"""The colours of a terminal, by ECMA-48. (colorama has them too, and loads a foreign function interface with them.)"""

RED, GREEN, YELLOW, CYAN = "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[36m"
BRIGHT, DIM, RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"
