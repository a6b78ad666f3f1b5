"""What is shown of a place on the timeline: a frame in, plain records out. No Qt, no colours, no pixels.

The window and the documents say the same of a step because they say it from here.
"""
