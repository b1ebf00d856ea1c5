//! Who may see, approve and deploy what: environments, recipients, signers, risk rules. Read from trunk, never from the change that is judged.
