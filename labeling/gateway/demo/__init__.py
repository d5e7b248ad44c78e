"""The demo's second project: a month of simulated work, and a crew of simulated people that goes on with it."""
