"""Who may do what: users, teams, roles, grants, sign-in. May import audit; no cluster call."""
