"""What people type and read: plain characters, numbers in any spelling, percentages, notes of a bounded length."""
