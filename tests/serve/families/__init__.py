"""The families of models that are served as tiny ones: a file each, found by its place here."""
