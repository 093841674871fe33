"""Learning-rate schedules, one a file: each has `learning_rate(base, progress)`, pure in where training stands."""
