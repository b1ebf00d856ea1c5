output "address" {
  description = "Where the database answers."
  value       = "${var.name}.db.example.com:5432"
}
