"""Tables of arms, costs, uncertainty and trials."""
