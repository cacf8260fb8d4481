"""What happens without anybody asking: deliveries, surveys, closings. Rings on arq, works from PostgreSQL."""
