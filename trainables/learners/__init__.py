"""The learners and what each of them can do."""
