"""The areas of the simulated brain.

Apart from `simulated_brain`, so that an edit of how they answer renders no stimuli anew.
"""

AREAS = ("V1", "V4", "IT")
