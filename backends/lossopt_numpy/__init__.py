"""The float64 referee: every definition in NumPy, with no framework at all."""
