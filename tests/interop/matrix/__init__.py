"""Foreign phones by feature: what is in the matrix (`cells`), who takes part, and how it is played (`scenarios`)."""
