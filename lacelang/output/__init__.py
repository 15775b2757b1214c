"""What a run leaves behind: images, contact sheets, the run file, and what is shown meanwhile."""
