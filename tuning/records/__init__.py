"""What a study is on disk: its events, the record they add up to, and the names of its files. Imports no framework."""
