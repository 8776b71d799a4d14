"""Single sign-on with a real Keycloak: `make test-sso` (needs Java 17 or newer and Maven; fetches 176 MB once)."""
