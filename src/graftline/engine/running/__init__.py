"""Runs compiled models over many patients: the control loop, its threads, and what goes in and comes out."""
