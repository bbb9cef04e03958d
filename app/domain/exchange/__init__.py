"""What crosses the border in bulk or in foreign forms: imports, xAPI, webhooks."""
