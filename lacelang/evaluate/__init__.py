"""How well samples obey: judged from decoded images by annotators, never by the classifiers."""
