"""Study on disk: events, the record they add up to, file names; imports no framework."""
