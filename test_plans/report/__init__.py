"""What a run leaves behind: console lines, JUnit XML, JSON, one HTML file."""
