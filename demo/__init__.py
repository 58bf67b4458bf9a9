"""Demo data: three merchants, their shoppers, and ninety days that are worth looking at."""
