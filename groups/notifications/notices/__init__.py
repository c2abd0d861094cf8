"""What people are told beside calls that begin: `telling` stores it, `delivering` does it, by the ways they chose."""
