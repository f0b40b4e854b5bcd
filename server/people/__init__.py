"""The vault: the only place where names, e-mails, phones and addresses stand. Everything else refers by id."""
