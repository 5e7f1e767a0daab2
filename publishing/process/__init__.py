"""What a process keeps for all of its calls: settings that were looked up once, and one of something for each loop."""
