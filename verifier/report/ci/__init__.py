"""A run where continuous integration shows it: JUnit XML, SARIF, GitHub annotations, Markdown."""
