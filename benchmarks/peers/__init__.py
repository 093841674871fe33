"""Each system as an expert would write it for one machine with two cores."""
