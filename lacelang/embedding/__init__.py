"""Python values in; conditions and programs out, the same as text makes."""
