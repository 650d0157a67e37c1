"""What a run found, for people: the HTML agreement report and the terminal's summary, from run files alone."""
