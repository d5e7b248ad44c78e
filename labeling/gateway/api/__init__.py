"""The REST API, a module a capability. Handlers ask for permission, check the input, call one service."""
