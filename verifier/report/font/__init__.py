"""The mathematics font that reports embed: a subset of STIX Math under another name (see NOTICE.txt)."""
