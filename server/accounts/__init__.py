"""Staff, roles, tokens and the first Owner."""
