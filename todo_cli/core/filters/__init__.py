"""The filter language compiled to SQL, sort orders, urgency, and saved views."""
