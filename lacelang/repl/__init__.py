"""The prompt: a program that grows a statement at a time, its faces in the terminal."""
