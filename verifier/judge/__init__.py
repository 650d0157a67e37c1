"""Judgements: what an enclosure of the truth says about a number that a device computed."""
