"""Records and pictures in; contact sheets, film strips and text for people out."""
