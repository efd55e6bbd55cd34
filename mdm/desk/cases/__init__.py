"""Lost, stolen, broken, leaving: a record with steps, deadlines and documents."""
