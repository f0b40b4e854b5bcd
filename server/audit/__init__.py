"""Who did what in this program: tokens made and revoked, roles changed. Never a name, an e-mail or a secret."""
