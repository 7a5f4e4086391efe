"""Mathematics that several pages of this folder share, each stated once."""
