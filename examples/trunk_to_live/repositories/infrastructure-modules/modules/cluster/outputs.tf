output "endpoint" {
  description = "Where the cluster answers."
  value       = "https://${var.name}.example.com"
}
