"""Parity: every definition, in every backend and convention, against the float64 referee and the originals."""
